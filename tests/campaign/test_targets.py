from __future__ import annotations

import pytest

from assay.campaign.targets import targets_from
from assay.harness.outcome import Probe
from assay.rules.load import load_round
from assay.rules.model import Scenario

LIMITS = load_round("v3.1").benchmark("resnet").limits
EQUAL = load_round("v3.1").benchmark("3d-unet").limits

PROBE = Probe(
    latency_ns=4_000_000,
    batch_latency_ns=16_000_000,
    fastest_ns=3_000_000,
    fastest_batch_ns=12_000_000,
    batch_size=4,
    rate=250.0,
)


def test_offline_plans_a_little_more_than_the_engine_does() -> None:
    assert targets_from(PROBE, Scenario.OFFLINE, LIMITS[Scenario.OFFLINE]).target_qps == pytest.approx(287.5)


def test_streams_expect_less_time_than_the_engine_ever_took_so_that_queries_do_not_run_out() -> None:
    assert targets_from(PROBE, Scenario.SINGLE_STREAM, LIMITS[Scenario.SINGLE_STREAM]).target_latency_ns == 1_500_000
    # Eight samples in batches of four are two batches.
    assert targets_from(PROBE, Scenario.MULTI_STREAM, LIMITS[Scenario.MULTI_STREAM]).target_latency_ns == 12_000_000


def test_what_is_carried_out_to_the_end_is_planned_for_little_more_than_the_duration() -> None:
    single, many = Scenario.SINGLE_STREAM, Scenario.MULTI_STREAM
    # LoadGen doubles the duration: 2 / 1.5 of it.
    assert targets_from(PROBE, single, EQUAL[single]).target_latency_ns == 4_500_000
    assert targets_from(PROBE, many, EQUAL[many]) == targets_from(PROBE, many, LIMITS[many])


def test_server_leaves_room_for_random_arrivals() -> None:
    target = targets_from(PROBE, Scenario.SERVER, LIMITS[Scenario.SERVER]).target_qps
    assert target is not None
    assert 50 < target < 125
