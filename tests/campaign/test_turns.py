from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.campaign import turns
from assay.campaign.finish import Finished
from assay.campaign.turns import in_turn, kept_if_it_breaks
from assay.errors import InvalidInputError, RunFailedError
from assay.harness.outcome import Ending, Failure, Outcome
from assay.loadgen.record import Artefact, RunRecord, RunStatus
from assay.loadgen.runs import RunCatalogue


def record(name: str) -> RunRecord:
    return RunRecord(
        id=name, group="g", created="2026-01-01T00:00:00+00:00", status=RunStatus.RUNNING, round="v3.1", benchmark="resnet",
        task="image-classification", scenario="Offline", mode="performance", category="edge", division="open",
        model=Artefact("m", None), dataset=Artefact("d", None), backend_name="b", precision="fp32", batch_size=1,
        streams=1, threads=0, command="assay run m",
    )  # fmt: skip


def test_each_is_told_of_before_the_next_begins(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    monkeypatch.setattr(turns, "record_run", lambda path, settings: order.append(f"told {path.name}"))
    groups: set[str] = set()

    def one(name: str, group: str) -> Finished:
        order.append(f"ran {name}")
        groups.add(group)
        return Finished(record(name), Outcome(Ending.FINISHED))

    found = in_turn(["a", "b"], one, Settings(home=home))
    assert [each.id for each in found] == ["a", "b"]
    assert order == ["ran a", "told a", "ran b", "told b"]
    assert len(groups) == 1


def test_a_broken_run_stops_the_others_and_says_where_it_is(home: Path) -> None:
    ran: list[str] = []

    def one(name: str, group: str) -> Finished:
        del group
        ran.append(name)
        return Finished(record(name), Outcome(Ending.FAILED, Failure("RunFailedError", "it crashed")))

    with pytest.raises(RunFailedError, match="it crashed") as caught:
        in_turn(["a", "b"], one, Settings(home=home))
    assert caught.value.hint == "assay runs show a"
    assert ran == ["a"]


def test_an_interrupt_stops_the_others(home: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        in_turn(["a"], lambda name, group: Finished(record(name), Outcome(Ending.INTERRUPTED)), Settings(home=home))


@pytest.mark.parametrize(
    ("error", "words"),
    [(InvalidInputError("a wrong file"), "a wrong file"), (OSError("x"), "the run could not be started")],
)
def test_a_run_that_could_not_be_made_is_kept_as_failed(home: Path, error: Exception, words: str) -> None:
    catalogue = RunCatalogue(Settings(home=home).runs_dir)
    begun = record("a")
    folder = catalogue.create(begun)

    def do() -> None:
        raise error

    with pytest.raises(type(error)):
        kept_if_it_breaks(begun, folder, do)
    assert folder.read() == replace(begun, status=RunStatus.FAILED, failure=words)
    assert kept_if_it_breaks(begun, folder, lambda: 3) == 3
