from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assay.backends.protocol import BackendOptions
from assay.base.settings import Settings
from assay.campaign.compliance_plan import CompliancePlan, ComplianceRequest, missing_request, plan_compliance
from assay.campaign.compliance_reference import check_together
from assay.campaign.execute import carry_out
from assay.campaign.request import RunRequest
from assay.errors import NotFoundError, UsageError
from assay.harness.spec import RunSpec
from assay.loadgen.compliance import SCOPE
from assay.loadgen.record import Artefact, Label, RunRecord, RunStatus
from assay.loadgen.runs import RunCatalogue
from assay.loadgen.verdict import Constraint, Verdict
from assay.rules.model import Mode, Scenario

from .test_execute import MANIFEST

VALID = Verdict(True, False, (), (), ())
PASSED = replace(VALID, constraints=(Constraint("TEST04 speed", True, "", "", "", "", SCOPE),))
Plans = Callable[..., CompliancePlan]
Puts = Callable[..., RunRecord]


@pytest.fixture
def settings(home: Path) -> Settings:
    (home / "manifests").mkdir(parents=True)
    (home / "manifests" / "colours.yaml").write_text(MANIFEST)
    return Settings(home=home, offline=True)


@pytest.fixture
def plan(settings: Settings) -> Plans:
    """Plan tests of the null engine's model, which comes with assay."""

    def planned(
        *tests: str, performance: str = "", accuracy: str = "", again: bool = False, **options: Any
    ) -> CompliancePlan:
        given: dict[str, Any] = {"name": "mobilenet-v2", "backend": "null", "duration_ns": 10**9}
        request = RunRequest(**{**given, **options})
        return plan_compliance(ComplianceRequest(request, tests, performance, accuracy, again), settings)

    return planned


@pytest.fixture
def put(settings: Settings) -> Puts:
    """Put a finished run into the home."""

    def putted(mode: str = "performance", *, options: BackendOptions | None = None, **changes: Any) -> RunRecord:
        catalogue = RunCatalogue(settings.runs_dir)
        record = RunRecord(
            id=catalogue.new_id("mobilenet-v2", "Offline", mode), group="g", created="2026-01-01T00:00:00+00:00",
            status=RunStatus.FINISHED, round="v3.1", benchmark="resnet", task="image-classification", scenario="Offline",
            mode=mode, category="edge", division="open", model=Artefact("mobilenet-v2", "m" * 64),
            dataset=Artefact("imagenet-foolbox-20", "d" * 64, 20), backend_name="null", precision="fp32", batch_size=8,
            streams=1, threads=0, command="assay run", verdict=VALID,
            settings={"min_duration_ms": 1000, "min_query_count": 1, "performance_sample_count_override": 20,
                      "offline_expected_qps": 50.0},
        )  # fmt: skip
        record = replace(record, **changes)
        folder = catalogue.create(record)
        RunSpec(
            scenario=Scenario.OFFLINE, mode=Mode(mode), task="image-classification", recipe={}, model=Path("m"),
            backend="null", options=options or BackendOptions(), dataset=None, cache=Path("c"), batch_size=8,
            conf_model="resnet50", user_conf="", attributes={},
        ).write(folder.path)  # fmt: skip
        return record

    return putted


def test_what_is_missing_is_run_first_and_the_plan_says_so(plan: Plans) -> None:
    planned = plan()
    assert planned.missing == (Mode.ACCURACY, Mode.PERFORMANCE)
    assert [(run.mode, run.duration_ns) for run in planned.plan.runs] == [(Mode.ACCURACY, 0), (Mode.PERFORMANCE, 10**9)]
    text = "\n".join(planned.lines())
    assert "resnet of round v3.1, Offline, model mobilenet-v2: TEST01, TEST04, TEST05" in text
    assert "no performance run of this setting: it is run first" in text
    # Three tests, the plain run and the probe before it.
    assert planned.seconds == 6.0
    assert plan("TEST04").missing == (Mode.PERFORMANCE,)


def test_runs_that_fit_are_taken(plan: Plans, put: Puts) -> None:
    performance, accuracy = put(), put("accuracy")
    planned = plan()
    assert (planned.performance, planned.accuracy, planned.missing) == (performance, accuracy, ())
    assert planned.seconds == 3.0
    assert planned.to_dict()["performance"] == performance.id and planned.to_dict()["run_first"] == []
    assert f"beside the accuracy run {accuracy.id}" in "\n".join(planned.lines())


@pytest.mark.parametrize(
    "changes",
    [
        {"round": "v3.0"}, {"benchmark": "bert-99"}, {"scenario": "Server"}, {"backend_name": "openvino"}, {"streams": 2},
        {"precision": "int8"}, {"batch_size": 4}, {"threads": 1}, {"compliance": "TEST05"}, {"verdict": None},
        {"status": RunStatus.FAILED}, {"labels": (Label.PARTIAL_DATASET,)}, {"settings": {"min_duration_ms": 999}},
        {"model": Artefact("other", "m")}, {"dataset": Artefact("other", "d")}, {"options": BackendOptions(extra={"a": "b"})},
    ],
)  # fmt: skip
def test_a_run_of_another_setting_is_not_taken(plan: Plans, put: Puts, changes: dict[str, Any]) -> None:
    put(**changes)
    assert plan("TEST04").performance is None


@pytest.mark.parametrize("options", [{"target_qps": 49.0}, {"samples": 7}, {"skip_bad": True}])
def test_what_was_asked_for_besides_has_to_fit_too(plan: Plans, put: Puts, options: dict[str, Any]) -> None:
    put()
    assert plan("TEST04").performance is not None
    assert plan("TEST04", **options).performance is None


def test_the_accuracy_run_is_of_the_performance_runs_model(plan: Plans, put: Puts) -> None:
    performance, other = put(), put("accuracy", model=Artefact("mobilenet-v2", "n" * 64))
    assert plan("TEST01").accuracy is None
    with pytest.raises(UsageError, match="no accuracy run of this setting") as caught:
        plan("TEST01", accuracy=other.id)
    assert caught.value.found == f"another model than in {performance.id}"
    with pytest.raises(UsageError, match="does not belong to the performance run"):
        check_together(performance, other)


def test_a_named_run_brings_its_own_setting(plan: Plans, put: Puts) -> None:
    put()
    named = put(batch_size=2, settings={"min_duration_ms": 5000, "performance_sample_count_override": 20})
    planned = plan("TEST04", performance=named.id)
    assert planned.performance == named and planned.seconds == 5.0
    with pytest.raises(NotFoundError, match="unknown run"):
        plan("TEST04", performance="nobody")


def test_what_cannot_be_asked_is_refused(plan: Plans, put: Puts) -> None:
    with pytest.raises(UsageError, match="compliance tests are of one scenario"):
        plan(scenarios=(Scenario.OFFLINE, Scenario.SINGLE_STREAM))
    with pytest.raises(UsageError, match="does not ask TEST06"):
        plan("TEST06")
    put(settings={"min_duration_ms": 1000, "performance_sample_count_override": 3})
    with pytest.raises(UsageError, match="TEST04 repeats sample 3") as caught:
        plan("TEST04")
    assert caught.value.found == "3"


def test_tests_that_were_passed_before_are_told(plan: Plans, put: Puts, settings: Settings) -> None:
    performance = put()
    before = put(compliance="TEST04", judged_against=(performance.id,), verdict=PASSED)
    (settings.runs_dir / before.id / "compliance" / "TEST04").mkdir(parents=True)
    planned = plan("TEST04", "TEST05")
    assert planned.done == {"TEST04": before} and planned.seconds == 1.0
    assert f"  TEST04: passed before: {before.id} (--again runs it anew)" in planned.lines()
    assert planned.to_dict()["passed_before"] == {"TEST04": before.id}
    assert plan("TEST04", again=True).done == {}
    assert plan("TEST04").lines()[-1] == "  nothing is left to do"
    # Beside another run it is to be made.
    assert plan("TEST04", performance=put().id).done == {}


def test_the_missing_accuracy_run_takes_the_whole_dataset() -> None:
    request = RunRequest(name="mobilenet-v2", quick=True, samples=9, target_qps=5.0)
    asked = missing_request(request, (Mode.ACCURACY,))
    assert (asked.mode, asked.samples, asked.target_qps, asked.quick) == ("accuracy", None, None, False)
    assert missing_request(request, (Mode.ACCURACY, Mode.PERFORMANCE)).samples == 9


def test_a_changed_model_file_is_another_setting(settings: Settings, classifier: Path, pictures: Path) -> None:
    from assay.base.progress import SILENT
    from assay.campaign.plan import make_plan

    run = RunRequest(
        name="colours", model=classifier, dataset=str(pictures), threads=1, duration_ns=0, target_qps=500.0,
        backend="null", samples=64,
    )  # fmt: skip
    (plain,) = carry_out(make_plan(run, settings), settings, SILENT)
    request = ComplianceRequest(run, ("TEST04",))
    assert plan_compliance(request, settings).performance == plain
    classifier.write_bytes(classifier.read_bytes() + b"\x7a\x00")
    assert plan_compliance(request, settings).performance is None
