"""Meters by name, ours and strangers'."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from assay.base import plugins
from assay.errors import AssayError, InvalidInputError, MachineError, MissingDependencyError, NotFoundError, UsageError
from assay.power.meters import Meter, ReplayMeter
from assay.power.registry import GROUP, meter_names, open_meter
from assay.power.samples import Sample
from assay.testing import MeterContract

GOOD = """
class Meter:
    name = "wall"
    def __init__(self, word): self.word = word
    def watts(self): return 41 + len(self.word)
def open_meter(word): return Meter(word)
"""
TOLD = "class Meter:\n    name = 'x'\n    def watts(self): {}\ndef open_meter(word): return Meter()\n"
MODULES = {
    "good": GOOD,
    "rapl": GOOD,
    "odd,name": GOOD,
    "needy": "import a_library_that_is_not_there",
    "wild": "def open_meter(word): 1 / 0",
    "broken": TOLD.format("raise ValueError('no reading')"),
    "nan": TOLD.format("return float('nan')"),
    "texts": TOLD.format("return 'many'"),
    "silent": TOLD.format("return None"),
}


@pytest.fixture
def strangers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, code in enumerate(MODULES.values()):
        (tmp_path / f"assay_meter_{number}.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    points = EntryPoints(
        EntryPoint(name, f"assay_meter_{number}:open_meter", GROUP) for number, name in enumerate(MODULES)
    )
    monkeypatch.setattr(plugins, "entry_points", lambda group: points.select(group=group))


def test_ours_are_there_without_any_plugin() -> None:
    assert {"rapl", "nvml", "replay"} <= set(meter_names())


@pytest.mark.usefixtures("strangers")
def test_a_strangers_meter_is_opened_with_its_word() -> None:
    assert "good" in meter_names() and "odd,name" not in meter_names()
    meter = open_meter("good:abc")
    assert (meter.name, meter.watts()) == ("good", 44.0)
    assert open_meter("silent").watts() is None


@pytest.mark.usefixtures("strangers")
def test_none_takes_the_name_of_ours() -> None:
    with pytest.raises(UsageError, match="the meter rapl takes no word"):
        open_meter("rapl:the stranger would take it")


@pytest.mark.usefixtures("strangers")
@pytest.mark.parametrize(
    ("name", "kind", "problem"),
    [
        ("needy", MissingDependencyError, "a_library_that_is_not_there"),
        ("wild", InvalidInputError, "power meter 'wild' cannot be opened: ZeroDivisionError"),
        ("broken", MachineError, "power meter 'broken' cannot be read: ValueError: no reading"),
        ("nan", MachineError, "power meter 'nan' tells no power"),
        ("texts", MachineError, "power meter 'texts' cannot be read"),
    ],
)
def test_one_that_breaks_is_named(name: str, kind: type[AssayError], problem: str) -> None:
    with pytest.raises(kind, match=problem):
        open_meter(name).watts()


def test_a_log_is_played_again(tmp_path: Path) -> None:
    log = tmp_path / "spl.txt"
    log.write_text(f"{Sample(1000, 77).line()}\n")
    assert open_meter(f"replay:{log}").watts() == 77


@pytest.mark.parametrize(
    ("text", "kind", "problem"),
    [
        ("wall", NotFoundError, "unknown power meter 'wall'"),
        ("rapl:1", UsageError, "takes no word"),
        ("replay:", NotFoundError, "no log to play again"),
    ],
)
def test_names_that_are_none(text: str, kind: type[AssayError], problem: str) -> None:
    with pytest.raises(kind, match=problem):
        open_meter(text)


class TestReplay(MeterContract):
    """A meter of ours holds what strangers' have to."""

    def meter(self) -> Meter:
        return ReplayMeter([Sample(1000, 77.0), Sample(1001, 78.0)])


def test_the_contract_finds_a_meter_that_tells_no_power() -> None:
    class Broken(MeterContract):
        def meter(self) -> Meter:
            return ReplayMeter([Sample(1000, -1.0)])

    with pytest.raises(AssertionError, match="no power"):
        Broken().test_it_tells_watts_or_nothing_yet()
