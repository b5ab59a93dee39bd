from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from assay.loadgen.record import RunRecord
from assay.loadgen.verdict import Verdict
from assay.results.from_run import result_of

MakeRecord = Callable[..., RunRecord]

CLEAN = Verdict(valid=True, accepted=True, constraints=(), reasons=(), advice=())


@pytest.fixture
def record(make_record: MakeRecord) -> RunRecord:
    made: RunRecord = make_record()
    return made


def test_only_an_accepted_run_without_labels_may_stand_beside_published_ones(record: RunRecord) -> None:
    assert not result_of(record).comparable
    assert not result_of(replace(record, labels=())).comparable
    assert not result_of(replace(record, verdict=CLEAN)).comparable
    assert result_of(replace(record, labels=(), verdict=CLEAN)).comparable


def test_a_source_is_found_by_its_mode(record: RunRecord) -> None:
    result = result_of(record)
    source = result.source("performance")
    assert source is not None and source.run == record.id
    assert result.source("accuracy") is None
