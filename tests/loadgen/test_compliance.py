from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from assay.errors import InvalidInputError
from assay.loadgen.audit import audit_of
from assay.loadgen.compliance import FIXES, SCOPE, Verified, passed, verify_speed, with_test
from assay.loadgen.logs import DetailLog
from assay.loadgen.verdict import judge
from assay.rules.load import load_round
from assay.rules.model import Mode, Scenario

KEYS = {
    Scenario.SINGLE_STREAM: ("singlestream", "early_stopping_latency_ss", 3e6),
    Scenario.MULTI_STREAM: ("multistream", "early_stopping_latency_ms", 3e7),
    Scenario.SERVER: ("server", "result_completed_samples_per_sec", 200.0),
    Scenario.OFFLINE: ("offline", "result_samples_per_second", 200.0),
}
PLAIN_KEYS = {
    Scenario.SINGLE_STREAM: "result_90.00_percentile_latency_ns",
    Scenario.MULTI_STREAM: "result_99.00_percentile_per_query_latency_ns",
    Scenario.SERVER: "result_scheduled_samples_per_sec",
    Scenario.OFFLINE: "result_samples_per_second",
}
Detail = Callable[[str], DetailLog]


def changed(log: DetailLog, **changes: object) -> DetailLog:
    return replace(log, values={**dict(log.values), **changes})


@pytest.fixture
def verified(detail: Detail) -> Callable[..., Verified]:
    """A test whose figure is that of the plain run times a factor."""

    def verified(
        test: str,
        scenario: Scenario,
        factor: float,
        round_name: str = "v3.1",
        *,
        value: float | None = None,
        **more: object,
    ) -> Verified:
        round_ = load_round(round_name)
        name, key, usual = KEYS[scenario]
        if round_name == "v2.0":
            key = PLAIN_KEYS[scenario]
        audit = audit_of(test, round_.benchmark("resnet"), round_)
        base = value or usual
        plain = changed(detail(name), **{key: base})
        tested = changed(plain, **{key: base * factor, **audit.effective(), **more})
        return verify_speed(audit, plain, tested, scenario, round_)

    return verified


# What the official scripts say of a figure that is some per cent off; the round, test, scenario, then the widest factors
# that pass: below and above.
@pytest.mark.parametrize(
    ("round_name", "test", "scenario", "low", "high"),
    [
        ("v3.1", "TEST01", Scenario.OFFLINE, 0.901, 1.099),
        ("v3.1", "TEST01", Scenario.SERVER, 0.901, 1.099),
        ("v3.1", "TEST01", Scenario.SINGLE_STREAM, 0.901, 1.099),
        ("v3.1", "TEST04", Scenario.OFFLINE, None, 1.099),
        ("v3.1", "TEST04", Scenario.SERVER, None, 1.099),
        ("v3.1", "TEST04", Scenario.SINGLE_STREAM, 0.834, None),
        ("v3.1", "TEST04", Scenario.MULTI_STREAM, 0.834, None),
        ("v3.1", "TEST05", Scenario.OFFLINE, 0.951, None),
        ("v3.1", "TEST05", Scenario.SERVER, 0.951, None),
        ("v3.1", "TEST05", Scenario.SINGLE_STREAM, None, 1.049),
        ("v3.0", "TEST05", Scenario.OFFLINE, 0.951, 1.049),
        ("v2.1", "TEST05", Scenario.MULTI_STREAM, 0.951, 1.049),
        ("v2.0", "TEST01", Scenario.SINGLE_STREAM, 0.901, 1.099),
        ("v2.0", "TEST05", Scenario.SERVER, 0.951, 1.049),
        ("v2.0", "TEST04-B", Scenario.OFFLINE, None, 1.099),
    ],
)  # fmt: skip
def test_how_far_a_figure_may_be_off(
    verified: Callable[..., Verified],
    round_name: str,
    test: str,
    scenario: Scenario,
    low: float | None,
    high: float | None,
) -> None:
    assert verified(test, scenario, 1.0, round_name).passed
    for factor, beyond in ((low, -0.002), (high, 0.002)):
        if factor is None:
            assert verified(test, scenario, 1 + 100 * beyond, round_name).passed
            continue
        assert verified(test, scenario, factor, round_name).passed
        found = verified(test, scenario, factor + beyond, round_name)
        assert [item.name for item in found.constraints if not item.met] == [f"{test} speed"]


def test_short_latencies_may_be_off_by_a_fifth(verified: Callable[..., Verified]) -> None:
    assert verified("TEST05", Scenario.SINGLE_STREAM, 1.19, value=200_000.0).passed
    assert not verified("TEST05", Scenario.SINGLE_STREAM, 1.19, value=200_001.0).passed
    assert verified("TEST01", Scenario.MULTI_STREAM, 0.81, value=1_600_000.0).passed
    # v2.0 had no such word for MultiStream in TEST05.
    assert not verified("TEST05", Scenario.MULTI_STREAM, 1.19, "v2.0", value=1_500_000.0).passed


def test_a_plain_run_that_is_the_slower_one_is_made_again(verified: Callable[..., Verified]) -> None:
    (faster,) = (item.fix for item in verified("TEST01", Scenario.OFFLINE, 5.4).constraints if not item.met)
    (slower,) = (item.fix for item in verified("TEST01", Scenario.OFFLINE, 0.5).constraints if not item.met)
    assert "make the plain run again" in faster and slower == FIXES["TEST01"]


def test_the_text_is_the_official_one_and_says_what_was_found(verified: Callable[..., Verified]) -> None:
    assert verified("TEST01", Scenario.OFFLINE, 1.0).text == (
        "Verifying performance.\nreference score = 200\ntest score = 200\nTEST PASS\n"
    )
    text = verified("TEST04", Scenario.OFFLINE, 2.0).text
    assert "TEST PASS" not in text
    assert "TEST FAIL: TEST04 speed: 400 samples/s against 200 samples/s of the plain run: 100.0% faster" in text


def test_a_test_that_loadgen_did_not_make_fails(verified: Callable[..., Verified]) -> None:
    found = verified("TEST04", Scenario.OFFLINE, 1.0, effective_performance_issue_same=False)
    assert [(item.name, item.limit, item.measured) for item in found.constraints if not item.met] == [
        ("TEST04 setting", "performance_issue_same 1", "False")
    ]
    assert all("audit.config" in item.fix for item in found.constraints if not item.met)
    found = verified("TEST05", Scenario.OFFLINE, 1.0, effective_qsl_rng_seed=1)
    assert "TEST FAIL: TEST05 setting" in found.text
    assert any("LoadGen from v5.0 on reads none" in item.fix for item in found.constraints)
    # A log of others may hold anything.
    for odd in ("text", None, [1], 0.5):
        assert not verified("TEST04", Scenario.OFFLINE, 1.0, effective_performance_issue_same=odd).passed


def test_both_runs_have_the_same_setting_and_are_valid(verified: Callable[..., Verified]) -> None:
    found = verified("TEST05", Scenario.SERVER, 1.0, effective_target_latency_ns=99, result_validity="INVALID")
    assert [item.name for item in found.constraints if not item.met] == ["setting of the plain run", "test VALID"]


def test_in_offline_the_expected_rate_only_says_how_many_samples(verified: Callable[..., Verified]) -> None:
    assert verified("TEST05", Scenario.OFFLINE, 1.0, effective_target_qps=7.0).passed
    found = verified("TEST05", Scenario.SERVER, 1.0, effective_target_qps=7.0)
    assert [item.name for item in found.constraints if not item.met] == ["setting of the plain run"]


def test_without_an_estimate_there_is_nothing_to_compare(detail: Detail) -> None:
    round_ = load_round("v3.1")
    audit = audit_of("TEST05", round_.benchmark("resnet"), round_)
    plain = changed(detail("singlestream"), early_stopping_latency_ss=0)
    found = verify_speed(audit, plain, changed(plain, **audit.effective()), Scenario.SINGLE_STREAM, round_)
    assert not found.passed
    assert "the plain run has no figure" in found.text and "reference score = 0" in found.text


def test_a_round_without_rules_of_submissions_judges_nothing(detail: Detail) -> None:
    round_ = replace(load_round("v3.1"), submission=None)
    audit = audit_of("TEST05", round_.benchmark("resnet"), round_)
    with pytest.raises(InvalidInputError, match="says nothing of the speed of TEST05"):
        verify_speed(audit, detail("offline"), detail("offline"), Scenario.OFFLINE, round_)


def test_a_failed_test_is_a_reason_and_leaves_loadgens_word(detail: Detail, verified: Callable[..., Verified]) -> None:
    round_ = load_round("v3.1")
    own = judge(detail("offline"), round_, round_.benchmark("resnet"), Scenario.OFFLINE, Mode.PERFORMANCE)
    assert passed(own) is None and passed(None) is None
    good = with_test(own, verified("TEST04", Scenario.OFFLINE, 1.0).constraints)
    assert passed(good) is True and good.reasons == own.reasons and good.advice == own.advice
    bad = with_test(own, verified("TEST04", Scenario.OFFLINE, 1.5).constraints)
    assert passed(bad) is False and bad.valid and not bad.accepted
    assert bad.reasons[0].startswith("TEST04 speed: 300 samples/s against 200 samples/s of the plain run: 50.0% faster")
    assert bad.advice[0] == "compute every sample, also one that was seen before"
    assert {item.scope for item in bad.constraints} == {"loadgen", "round", SCOPE}
