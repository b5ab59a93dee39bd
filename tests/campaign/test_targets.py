from __future__ import annotations

import pytest

from assay.campaign.targets import targets_from
from assay.harness.outcome import Probe
from assay.rules.model import Scenario

PROBE = Probe(
    latency_ns=4_000_000,
    batch_latency_ns=16_000_000,
    fastest_ns=3_000_000,
    fastest_batch_ns=12_000_000,
    batch_size=4,
    rate=250.0,
)


def test_offline_plans_a_little_more_than_the_engine_does() -> None:
    assert targets_from(PROBE, Scenario.OFFLINE, samples_per_query=1).target_qps == pytest.approx(287.5)


def test_streams_expect_less_time_than_the_engine_ever_took_so_that_queries_do_not_run_out() -> None:
    assert targets_from(PROBE, Scenario.SINGLE_STREAM, samples_per_query=1).target_latency_ns == 1_500_000
    # Eight samples in batches of four are two batches.
    assert targets_from(PROBE, Scenario.MULTI_STREAM, samples_per_query=8).target_latency_ns == 12_000_000


def test_server_leaves_room_for_random_arrivals() -> None:
    target = targets_from(PROBE, Scenario.SERVER, samples_per_query=1).target_qps
    assert target is not None
    assert 50 < target < 125
