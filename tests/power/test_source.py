"""Where the power of a run comes from."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from assay.errors import AssayError, NotFoundError, UsageError
from assay.loadgen.record import Label
from assay.power import source as source_module
from assay.power.samples import Sample
from assay.power.simulation import Simulation
from assay.power.source import Kind, PowerSource, director_of
from assay.power.wire import Address, Wire


def test_a_directors_address() -> None:
    found = PowerSource.parse("10.0.0.2:4950", "pool.ntp.org")
    assert (found.kind, found.address, found.ntp) == (Kind.DIRECTOR, Address("10.0.0.2", 4950), "pool.ntp.org")
    assert (found.session, found.pauses_s, found.label) == (True, 40.0, None)
    assert found.line() == "power: director at 10.0.0.2:4950; performance runs are done twice, ranging then testing"
    found.check()
    with director_of(found) as place:
        assert place == found.address


def test_the_simulation() -> None:
    found = PowerSource.parse("simulate:watts=250")
    assert (found.kind, found.simulation) == (Kind.SIMULATION, Simulation(250.0))
    assert (found.session, found.label) == (True, Label.SIMULATED_POWER)
    assert "simulated, nothing is measured" in found.line()
    assert found.to_dict() == {
        "source": "simulate:watts=250", "kind": "simulation", "label": "simulated-power", "ntp": None, "official": None,
    }  # fmt: skip


def test_a_meter(tmp_path: Path) -> None:
    log = tmp_path / "spl.txt"
    found = PowerSource.parse(f"replay:{log}")
    assert (found.kind, found.session, found.pauses_s) == (Kind.METER, False, 0.0)
    assert found.label is Label.UNOFFICIAL_POWER
    with pytest.raises(NotFoundError, match="no log of power samples"):
        found.check()
    log.write_text(f"{Sample(1000, 77).line()}\n")
    found.check()


@pytest.mark.parametrize(
    ("arguments", "kind", "problem"),
    [
        (("rpal",), NotFoundError, "unknown source of power 'rpal'; expected rapl"),
        (("here",), NotFoundError, "has a port"),
        (("here:there",), UsageError, "not an address"),
        (("simulate:wats=1",), NotFoundError, "unknown option of the simulation"),
        (("rapl", "pool.ntp.org"), UsageError, "--power-ntp is for a director; rapl is a meter"),
        (("rapl", None, Path("clone")), UsageError, "--power-official is for a director"),
    ],
)
def test_what_is_none(arguments: tuple[str, str | None, Path | None], kind: type[AssayError], problem: str) -> None:
    with pytest.raises(kind) as caught:
        PowerSource.parse(*arguments)
    assert problem in f"{caught.value} {caught.value.hint}"


def test_the_official_programs_have_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="need a time server"):
        PowerSource.parse("here:4950", None, tmp_path).check()
    with pytest.raises(NotFoundError, match=r"client\.py and server\.py"):
        PowerSource.parse("here:4950", "pool.ntp.org", tmp_path).check()


def test_the_simulated_director_is_there_as_long_as_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "_SIMULATED_SETTLE_S", 0.01)
    with director_of(PowerSource.parse("simulate")) as place, Wire.connect(place, "the director") as wire:
        assert wire.ask("mlcommons/power client v3") == "mlcommons/power server v3"
        assert wire.ask("new,,00000000-0000-0000-0000-000000000000").startswith("OK ")
        assert wire.ask("session,*,start,ranging") == "OK"
        assert any(thread.name == "simulated-ptdaemon" for thread in threading.enumerate())
        wire.close()
    left = {thread.name for thread in threading.enumerate()}
    assert not left & {"simulated-ptdaemon", "power-director"}


def test_leaving_does_not_wait_until_the_analyzer_has_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "_SIMULATED_SETTLE_S", 60.0)
    with director_of(PowerSource.parse("simulate")) as place, Wire.connect(place, "the director") as wire:
        wire.ask("mlcommons/power client v3")
        wire.ask("new,,00000000-0000-0000-0000-000000000000")
        wire.send("session,*,start,ranging")
        wire.close()
    assert not {thread.name for thread in threading.enumerate()} & {"simulated-ptdaemon", "power-director"}
