"""What a search will do, before it does it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.campaign.external_plan import ExternalRequest
from assay.campaign.request import RunRequest
from assay.campaign.search_plan import plan_search
from assay.errors import InvalidInputError, UsageError
from assay.rules.model import Category, Scenario

from .searched import planned, sleeping_home

PROGRAMS = Path(__file__).parents[1] / "programs"


@pytest.fixture
def settings(home: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    return sleeping_home(home, monkeypatch)


def test_the_plan_says_what_is_looked_for(settings: Settings, classifier: Path, pictures: Path) -> None:
    plan = planned(settings, classifier, pictures, start=None, tolerance=0.02)
    text = "\n".join(plan.lines())
    assert "99% of the queries take at most 50.0 ms, from a probe of 2 s" in text
    assert "within 2 %, confirmed by runs of 600 ms" in text
    assert plan.to_dict()["aim"] == {
        "percentile": 0.99, "bound_s": 0.05, "full_s": 0.6, "full_queries": 662, "attempt_s": 0.3, "tolerance": 0.02,
        "most": 40, "confirm": True,
    }  # fmt: skip
    fixed = "\n".join(planned(settings, classifier, pictures, confirm=False).lines())
    assert "from 100 queries/s" in fixed and "not confirmed" in fixed


def test_the_round_gives_the_bound_and_the_length(settings: Settings, classifier: Path, pictures: Path) -> None:
    request = RunRequest(
        name="colours",
        model=classifier,
        dataset=str(pictures),
        scenarios=(Scenario.SERVER,),
        round="v2.1",
        backend="cheat",
    )
    aim = plan_search(request, settings).aim
    usual = plan_search(request.model_copy(update={"backend": "auto"}), settings)
    assert usual.plan.request.backend == "onnxruntime" and "onnxruntime" in usual.lines()[0]
    assert (aim.percentile, aim.bound_s, aim.full_s, aim.full_queries) == (0.99, 0.015, 600.0, 270336)


def test_what_cannot_be_searched_is_refused(settings: Settings, classifier: Path, pictures: Path) -> None:
    with pytest.raises(InvalidInputError, match="not a tolerance"):
        planned(settings, classifier, pictures, tolerance=0.9)
    request = RunRequest(name="colours", model=classifier, scenarios=(Scenario.SERVER,), category=Category.EDGE)
    with pytest.raises(UsageError, match="has no Server"):
        plan_search(request, settings)


def test_a_program_of_others_makes_the_attempts(settings: Settings, pictures: Path, tmp_path: Path) -> None:
    request = RunRequest(name="colours", dataset=str(pictures), scenarios=(Scenario.SERVER,), duration_ns=10**9)
    program = ExternalRequest(str(PROGRAMS / "stand-in.yaml"), None, {"python": sys.executable})
    plan = plan_search(request, settings, program=program)
    text = "\n".join(plan.lines())
    assert "by A program of somebody else's" in text and "from what its last run told, or short runs of it" in text
    assert "Server performance" not in text and plan.to_dict()["implementation"] == "stand-in"
    assert plan.external is not None and plan.external.plan is plan.plan
    assert (plan.plan.request.backend, plan.plan.request.samples, plan.aim.full_s) == ("stand-in", 662, 1.0)
    # One that hears of nothing sends at its own rate, whatever it is told.
    deaf = (PROGRAMS / "stand-in.yaml").read_text().replace('"{user_conf}"', '"its own"')
    (tmp_path / "deaf.yaml").write_text(deaf)
    with pytest.raises(UsageError, match="cannot be told its rate and length") as caught:
        plan_search(request, settings, program=ExternalRequest(str(tmp_path / "deaf.yaml"), PROGRAMS, program.words))
    assert "target_qps" in str(caught.value.hint) and caught.value.where == str(tmp_path / "deaf.yaml")
