"""Options of the simulation, as one word and as a command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.errors import AssayError, NotFoundError, UsageError
from assay.power.faults import FaultKind
from assay.power.simulation import Simulation


def test_nothing_is_the_usual_one() -> None:
    assert Simulation.parse("") == Simulation()
    assert 98 < Simulation().analyzer(lambda: 5.0).curve(0.0) < 102


def test_everything_that_can_be_said(tmp_path: Path) -> None:
    load = tmp_path / "load.csv"
    load.write_text("seconds,watts\n0,70\n10,90\n")
    found = Simulation.parse(f"watts=250,misbehave=dropout:testing,misbehave=slow,speed=10,curve={load}")
    assert found == Simulation(250.0, load, ("dropout:testing", "slow"), 10.0)
    analyzer = found.analyzer(lambda: 5.0)
    assert (analyzer.curve(11.0), analyzer.speed) == (90, 10.0)
    assert [fault.kind for fault in analyzer.faults] == [FaultKind.DROPOUT, FaultKind.SLOW]
    assert found.words() == [
        "--watts", "250.0", "--speed", "10.0", "--curve", str(load),
        "--misbehave", "dropout:testing", "--misbehave", "slow",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "kind", "problem"),
    [
        ("wats=1", NotFoundError, "unknown option of the simulation 'wats'"),
        ("watts", UsageError, "no value of watts"),
        ("watts=-1", UsageError, "no value of watts"),
        ("watts=nan", UsageError, "no value of watts"),
        ("speed=inf", UsageError, "no value of speed"),
        ("misbehave=explode", NotFoundError, "unknown fault"),
        ("curve=", NotFoundError, "unknown option"),
        ("analyzers=0", UsageError, "no number of analyzers"),
        ("analyzers=17", UsageError, "no number of analyzers"),
        ("curve=nowhere.csv", NotFoundError, "nowhere"),
    ],
)
def test_what_cannot_be(text: str, kind: type[AssayError], problem: str) -> None:
    with pytest.raises(kind, match=problem):
        Simulation.parse(text)


def test_several_analyzers_share_the_load() -> None:
    found = Simulation.parse("watts=300,analyzers=3")
    assert found == Simulation(300.0, analyzers=3)
    assert 98 < found.analyzer(lambda: 5.0).curve(0.0) < 102
    assert found.words()[-2:] == ["--analyzers", "3"]
