from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.errors import InvalidInputError
from assay.loadgen.logs import DetailLog
from assay.loadgen.record import Artefact, Figures, Label, RunRecord, RunStatus
from assay.loadgen.settings import Deviation
from assay.loadgen.verdict import judge
from assay.rules.model import Benchmark, Mode, Round, Scenario


def make_record(**changes: Any) -> RunRecord:
    record = RunRecord(
        id="20261123-201500-mobilenet-v2-offline-performance-3f9a",
        group="00aa",
        created="2026-11-23T20:15:00+00:00",
        status=RunStatus.FINISHED,
        round="v3.1",
        benchmark="resnet",
        task="image-classification",
        scenario="Offline",
        mode="performance",
        category="edge",
        division="open",
        model=Artefact("mobilenet-v2", "ab" * 32),
        dataset=Artefact("imagenet", None, 20),
        backend_name="onnxruntime",
        precision="fp32",
        batch_size=8,
        streams=1,
        threads=0,
        command="assay run mobilenet-v2",
        labels=(Label.STAND_IN_MODEL, Label.SHORT_RUN),
        deviations=(Deviation("min_duration", "10m 00s", "5.00 s"),),
        settings={"qsl_rng_seed": 2**64 - 1, "test05": False, "offline_expected_qps": 1.5},
        host={"cpu": "a", "cores": 4, "memory_bytes": 2**40, "notes": None},
        figures=Figures(value=12.5, unit="Samples/s", latency_ns={"p50": 1.0}),
    )
    return replace(record, **changes)


def round_trip(record: RunRecord) -> RunRecord:
    return RunRecord.from_dict(json.loads(json.dumps(record.to_dict())), where="run.json")


def test_a_record_comes_back_as_it_was() -> None:
    back = round_trip(make_record())
    assert back == make_record()
    # Types too: a flag is no number, and a seed loses no bit.
    assert back.settings["test05"] is False and back.settings["qsl_rng_seed"] == 2**64 - 1
    assert back.labels[0] is Label.STAND_IN_MODEL and back.status is RunStatus.FINISHED


def test_a_verdict_comes_back_as_it_was(detail: Callable[[str], DetailLog], v31: Round, resnet: Benchmark) -> None:
    verdict = judge(detail("server_slow"), v31, resnet, Scenario.SERVER, Mode.PERFORMANCE)
    assert round_trip(make_record(verdict=verdict)).verdict == verdict


def test_a_verdict_written_before_it_had_a_reported_word_is_read(
    detail: Callable[[str], DetailLog], v31: Round, resnet: Benchmark
) -> None:
    verdict = judge(detail("server"), v31, resnet, Scenario.SERVER, Mode.PERFORMANCE)
    raw = make_record(verdict=verdict).to_dict()
    del raw["verdict"]["reported"]
    back = RunRecord.from_dict(json.loads(json.dumps(raw)), where="run.json")
    assert back.verdict is not None and back.verdict.valid and back.verdict.reported is None


def test_fields_of_a_later_version_are_kept() -> None:
    raw = {**make_record().to_dict(), "energy": {"joules": 3}}
    record = RunRecord.from_dict(json.loads(json.dumps(raw)), where="run.json")
    assert record.extra == {"energy": {"joules": 3}}
    assert record.to_dict()["energy"] == {"joules": 3}
    assert round_trip(record) == record


def test_extra_can_never_change_a_field() -> None:
    assert make_record(extra={"status": "running"}).to_dict()["status"] == "finished"


@pytest.mark.parametrize(
    ("key", "value", "where"),
    [
        ("status", "asleep", "status"),
        ("batch_size", "8", "batch_size"),
        ("labels", ["no-such-label"], "labels.0"),
        ("model", {"name": 3, "sha256": None}, "model.name"),
        ("figures", {"value": "fast"}, "figures.value"),
    ],
)
def test_a_wrong_value_is_named(key: str, value: object, where: str) -> None:
    raw = {**make_record().to_dict(), key: value}
    with pytest.raises(InvalidInputError) as caught:
        RunRecord.from_dict(raw, where="run.json")
    assert caught.value.where == f"run.json: {where}"


def test_a_missing_key_is_named() -> None:
    raw = make_record().to_dict()
    del raw["scenario"]
    with pytest.raises(InvalidInputError, match="scenario"):
        RunRecord.from_dict(raw, where="run.json")


@pytest.mark.parametrize("raw", [None, [], "text", 5, {}, {"format": 2}, {"format": "1"}])
def test_another_format_is_refused(raw: object) -> None:
    with pytest.raises(InvalidInputError, match="not a run record of this version"):
        RunRecord.from_dict(raw, where="run.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(key=st.sampled_from(sorted(make_record().to_dict())), value=JSON)
@settings(max_examples=80, deadline=None)
def test_no_json_crashes_the_reader(key: str, value: object) -> None:
    try:
        record = RunRecord.from_dict({**make_record().to_dict(), key: value}, where="run.json")
    except InvalidInputError:
        return
    assert isinstance(record, RunRecord)


def test_every_label_has_a_meaning() -> None:
    assert all(len(label.meaning) > 20 for label in Label)
    assert len({label.meaning for label in Label}) == len(Label)
