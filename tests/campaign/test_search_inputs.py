"""What a search hangs on, and what it does not."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from assay.base.settings import Settings
from assay.campaign import search_inputs
from assay.campaign.external_plan import ExternalRequest
from assay.campaign.request import RunRequest
from assay.campaign.search_inputs import Inputs, differences, inputs_of, plain
from assay.campaign.search_plan import SearchPlan, plan_search
from assay.rules.model import Scenario

from ..conftest import make_classifier
from .searched import planned, sleeping_home

PROGRAMS = Path(__file__).parents[1] / "programs"


@pytest.fixture
def settings(home: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    return sleeping_home(home, monkeypatch)


def of(plan: SearchPlan, settings: Settings) -> Inputs:
    return inputs_of(plan.plan, plan.aim, plan.start, settings, plan.external)


def changed(before: Inputs, now: Inputs) -> list[str]:
    """What is told of a search that was kept on disk."""
    return differences(json.loads(json.dumps(before.parts)), now)


def test_other_options_are_another_search(settings: Settings, classifier: Path, pictures: Path) -> None:
    def asked(**options: Any) -> str:
        return of(planned(settings, classifier, pictures, **options), settings).asked

    first = asked()
    assert first == asked()
    plan = planned(settings, classifier, pictures)
    more = replace(plan, plan=replace(plan.plan, request=plan.plan.request.model_copy(update={"threads": 3})))
    assert len({first, asked(tolerance=0.03), asked(start=90.0), asked(confirm=False), of(more, settings).asked}) == 5


def test_another_model_data_machine_or_engine_is_another_measurement(
    settings: Settings, classifier: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = planned(settings, classifier, pictures)
    first = of(plan, settings)
    assert changed(first, of(plan, settings)) == [] and first.asked == of(plan, settings).asked
    (pictures / "another.png").write_bytes(next(pictures.glob("*.png")).read_bytes())
    assert changed(first, of(plan, settings)) == ["the data changed"]
    make_classifier(classifier, image=64)
    assert changed(first, of(plan, settings)) == ["the model changed", "the data changed"]
    before = of(plan, settings)
    facts = search_inputs.host_facts()
    monkeypatch.setattr(search_inputs, "host_facts", lambda: {**facts, "cpu": "another", "python": "9"})
    assert changed(before, of(plan, settings)) == [f"machine: cpu was {facts['cpu'] or 'not there'}, is another"]
    monkeypatch.setattr(search_inputs, "host_facts", lambda: facts)
    known = search_inputs.versions()
    monkeypatch.setattr(search_inputs, "versions", lambda: {**known, "mlcommons-loadgen": "9", "assay": "9"})
    (word,) = changed(before, of(plan, settings))
    assert word.startswith("programs: mlcommons-loadgen was ") and word.endswith(", is 9")
    limits = plan.plan.subject.benchmark.limits
    stricter = {**limits, Scenario.SERVER: replace(limits[Scenario.SERVER], min_query_count=7)}
    subject = replace(plan.plan.subject, benchmark=replace(plan.plan.subject.benchmark, limits=stricter))
    other = replace(plan, plan=replace(plan.plan, subject=subject))
    assert "the rules changed" in changed(before, of(other, settings))


def test_the_version_of_assay_is_none_of_it(
    settings: Settings, classifier: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = planned(settings, classifier, pictures)
    first, known = of(plan, settings), search_inputs.versions()
    monkeypatch.setattr(search_inputs, "versions", lambda: {**known, "assay": "another"})
    assert of(plan, settings) == first
    # Unless it makes the attempts otherwise, or counts them so.
    monkeypatch.setattr(search_inputs, "MADE_AND_COUNTED", 2)
    assert changed(first, of(plan, settings)) == ["attempts: way they are made was 1, is 2"]


def test_an_option_that_came_later_changes_nothing() -> None:
    @dataclass(frozen=True)
    class Before:
        rate: float
        seeds: tuple[int, ...] = (1, 2)

    @dataclass(frozen=True)
    class After(Before):
        new: str = ""
        more: dict[str, int] = field(default_factory=dict)

    assert plain(Before(1.0)) == plain(After(1.0)) == {"rate": 1.0}
    assert plain(After(1.0, (3,), more={"a": 1})) == {"rate": 1.0, "seeds": [3], "more": {"a": 1}}
    assert plain({Scenario.SERVER: [Scenario.OFFLINE]}) == {"Server": ["Offline"]}


def test_a_file_that_somebody_changed_is_another_measurement() -> None:
    now = Inputs("asked", {"machine": {"cpu": "x" * 99, "cores": 2}, "model": "hash"})
    assert differences({"machine": {"cpu": "x" * 99, "cores": 2}, "model": "hash"}, now) == []
    assert differences({}, now) == ["the machine changed", "the model changed"]
    assert differences({"machine": 3, "model": ["hash"]}, now) == ["the machine changed", "the model changed"]
    (word,) = differences({"machine": {"cpu": None, "cores": 2, "gone": "y" * 999}, "model": "hash"}, now)[:1]
    assert word == f"machine: cpu was not there, is {'x' * 60}"


def test_a_program_of_others_counts_by_what_it_is(settings: Settings, pictures: Path, tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    for name in ("stand-in.yaml", "stand_in.py"):
        shutil.copy(PROGRAMS / name, folder)
    request = RunRequest(name="colours", dataset=str(pictures), scenarios=(Scenario.SERVER,))

    def now(**words: str) -> Inputs:
        program = ExternalRequest(str(folder / "stand-in.yaml"), None, {"python": sys.executable, **words})
        return of(plan_search(request, settings, program=program), settings)

    first = now()
    assert changed(first, now()) == [] and first.asked == now().asked != now(misbehave="cache").asked
    with (folder / "stand_in.py").open("a") as program:
        program.write("# faster\n")
    (word,) = changed(first, now())
    assert word.startswith("programs: stand_in.py was ")
    (folder / "built").mkdir()
    with (folder / "stand-in.yaml").open("a") as manifest:
        manifest.write("  # a note\n")
    assert [each.partition(" was ")[0] for each in changed(first, now())] == [
        "programs: manifest",
        "programs: stand_in.py",
    ]
