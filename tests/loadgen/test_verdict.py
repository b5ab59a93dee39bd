from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.base.units import parse_duration
from assay.errors import InvalidInputError
from assay.loadgen.advice import advise, duration_option, rate_option
from assay.loadgen.logs import DetailLog, LogMessage, read_detail
from assay.loadgen.measured import Measured, Stopped, measure
from assay.loadgen.names import DETAIL
from assay.loadgen.settings import Deviation
from assay.loadgen.verdict import Constraint, Verdict, audited, judge
from assay.rules.model import Benchmark, Mode, Round, Scenario

Judge = Callable[..., Verdict]
SCENARIOS = {"single": Scenario.SINGLE_STREAM, "multi": Scenario.MULTI_STREAM, "server": Scenario.SERVER}


def scenario_of(name: str) -> Scenario:
    return next((value for key, value in SCENARIOS.items() if name.startswith(key)), Scenario.OFFLINE)


@pytest.fixture
def judged(detail: Callable[[str], DetailLog], v31: Round, resnet: Benchmark) -> Judge:
    def judged(name: str, **changes: object) -> Verdict:
        log = detail(name)
        mode = Mode.ACCURACY if name.endswith("accuracy") else Mode.PERFORMANCE
        if changes:
            log = replace(log, values={**dict(log.values), **changes})
        return judge(log, v31, resnet, scenario_of(name), mode)

    return judged


def failed(verdict: Verdict, scope: str = "loadgen") -> dict[str, Constraint]:
    return {item.name: item for item in verdict.constraints if not item.met and item.scope == scope}


@pytest.mark.parametrize("name", ["singlestream", "multistream", "server", "offline"])
def test_valid_to_loadgen_and_not_to_the_round(judged: Judge, name: str) -> None:
    verdict = judged(name)
    assert verdict.valid and verdict.reported is True and verdict.word == "VALID"
    # The log itself says that it did not run for ten minutes; nobody has to tell.
    assert not verdict.accepted
    assert failed(verdict) == {}
    assert failed(verdict, "round")["min_duration of the round"].limit == "10m 00s"


def test_a_run_of_the_rounds_length_is_accepted(judged: Judge) -> None:
    full = {"effective_min_duration_ms": 600_000, "effective_performance_sample_count": 1024}
    verdict = judged("server", **full, effective_target_latency_ns=15_000_000, effective_min_query_count=100)
    assert verdict.accepted and verdict.reasons == () and verdict.advice == ()


def test_who_has_the_whole_dataset_and_loaded_a_part_is_told_so(judged: Judge) -> None:
    few = {"effective_performance_sample_count": 64}
    assert any("take a dataset of at least 1,024 samples" in each for each in judged("singlestream", **few).advice)
    whole = judged("singlestream", **few, qsl_reported_total_count=50_000).advice
    assert not any("take a dataset" in each for each in whole)
    assert "load 1,024 samples for a result that counts: leave out --samples, --duration and --quick" in whole


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"effective_target_latency_ns": 15_000_001}, "target_latency of the round"),
        ({"effective_target_latency_percentile": 0.9}, "target_latency_percentile of the round"),
        ({"effective_max_duration_ms": 700_000}, "max_duration of the round"),
        ({"effective_max_query_count": 7}, "max_query_count of the round"),
        ({"effective_qsl_rng_seed": 1}, "qsl seed"),
        ({"effective_schedule_rng_seed": 2}, "schedule seed"),
        ({"effective_scenario": "Offline"}, "scenario"),
        ({"effective_test_mode": "AccuracyOnly"}, "mode"),
        ({"effective_performance_sample_count": 1023}, "performance_sample_count of the round"),
    ],
)
def test_what_the_round_does_not_take(judged: Judge, changes: dict[str, object], name: str) -> None:
    full = {"effective_min_duration_ms": 600_000, "effective_performance_sample_count": 1024}
    verdict = judged("server", **{**full, "effective_target_latency_ns": 15_000_000, **changes})
    assert verdict.valid and not verdict.accepted
    assert list(failed(verdict, "round")) == [name]


def test_settings_told_count_where_the_log_is_silent(
    v31: Round, resnet: Benchmark, detail: Callable[[str], DetailLog]
) -> None:
    log = detail("server")
    silent = replace(log, values={k: v for k, v in dict(log.values).items() if k != "effective_min_duration_ms"})
    told = (Deviation("min_duration", "10m 00s", "5.00 s"),)
    verdict = judge(silent, v31, resnet, Scenario.SERVER, Mode.PERFORMANCE, told)
    assert failed(verdict, "round")["min_duration of the round"].measured == "5.00 s"


def test_a_part_of_the_dataset_is_no_accuracy(judged: Judge) -> None:
    verdict = judged("offline_accuracy")
    assert verdict.valid and verdict.reported is None and not verdict.accepted
    assert failed(verdict, "round")["samples of the round"].measured == "40"
    whole = judged("offline_accuracy", qsl_reported_total_count=50_000, effective_accuracy_sample_count=50_000)
    assert whole.accepted


@pytest.mark.parametrize(
    ("name", "constraints", "advice"),
    [
        (
            "singlestream_ran_out",
            ["minimum duration"],
            r"lower the expected latency, .*--target-latency \S+[nu]s \(5\.00 ms was",
        ),
        ("multistream_few", ["early stopping"], r"at least 662 queries finish: --samples 662 \(about .*, 657 more\)"),
        ("server_few", ["early stopping"], r"at least 459 queries finish: --samples 459 \(about 230 ms .*, 159 more\)"),
        ("server_one", ["early stopping"], r"--samples 459"),
        ("server_late", ["p99 latency", "early stopping"], r"no rate will do: even the fastest query took 2\.\d+ ms"),
        ("server_slow", ["p99 latency", "early stopping"], r"lower the rate: --target-qps \d+$"),
        ("server_max", ["minimum duration", "early stopping"], r"take the upper bound of the query count away"),
        (
            "offline_short",
            ["minimum duration"],
            r"--target-qps \d+ \(100 was planned with, \d+ samples/s were reached\)",
        ),
    ],
)
def test_every_way_to_be_invalid_has_one_cause_and_one_step(
    judged: Judge, name: str, constraints: list[str], advice: str
) -> None:
    verdict = judged(name)
    assert not verdict.valid and verdict.reported is False
    own = failed(verdict)
    assert list(own) == constraints
    assert len({item.fix for item in own.values()}) == 1
    assert re.search(advice, verdict.advice[0]), verdict.advice


def test_the_suggested_rate_gives_offline_enough_samples(judged: Judge) -> None:
    option = re.search(r"--target-qps (\d+)", judged("offline_short").advice[0])
    reached = re.search(r"(\d+) samples/s were reached", judged("offline_short").advice[0])
    assert option and reached
    # LoadGen plans 1.1 * duration * rate samples; at the rate reached they last longer than the duration.
    assert 1.1 * float(option[1]) / float(reached[1]) > 1.1


def test_an_error_of_loadgen_keeps_the_round_away(judged: Judge) -> None:
    verdict = judged("singlestream_ran_out")
    error = failed(verdict, "round")["no LoadGen errors"]
    assert "Ran out of generated queries" in error.measured
    assert error.source.startswith("mlperf_log_detail.txt:")
    # The error and the check that failed from it ask for one thing.
    assert error.fix == failed(verdict)["minimum duration"].fix


def test_many_errors_are_told_and_counted(detail: Callable[[str], DetailLog], v31: Round, resnet: Benchmark) -> None:
    errors = tuple(LogMessage("error_runtime", f"fault {n % 8}", n) for n in range(80))
    log = replace(detail("server"), errors=errors)
    shown = [c for c in judge(log, v31, resnet, Scenario.SERVER, Mode.PERFORMANCE).constraints if "errors" in c.name]
    assert [item.measured for item in shown] == [*(f"fault {n}" for n in range(5)), "3 more"]


@pytest.mark.parametrize("mode", list(Mode))
def test_a_log_that_stops_in_the_middle(logs: Path, tmp_path: Path, v31: Round, resnet: Benchmark, mode: Mode) -> None:
    whole = (logs / "server" / DETAIL).read_bytes()
    path = tmp_path / DETAIL
    path.write_bytes(whole[: whole.index(b"generated_query_count") + 60])
    verdict = judge(read_detail(path), v31, resnet, Scenario.SERVER, mode)
    assert not verdict.valid and not verdict.accepted and verdict.reported is None
    assert verdict.advice == ("run it again: LoadGen was stopped before its end",)


def test_loadgens_word_alone_is_enough_for_invalid(judged: Judge) -> None:
    verdict = judged("server", result_validity="INVALID", result_invalid_reason="because")
    assert not verdict.valid and verdict.advice[0] == "because"


@pytest.mark.parametrize("value", [float("nan"), -5, 10**30, "text", None, [], True, 0])
@pytest.mark.parametrize(
    "name", ["singlestream", "multistream", "server", "server_late", "offline", "offline_accuracy"]
)
def test_strange_values_do_not_break_the_judge(
    judged: Judge, detail: Callable[[str], DetailLog], name: str, value: object
) -> None:
    for key in detail(name).values:
        if key.startswith(("effective_", "result_", "early_", "qsl_")):
            assert judged(name, **{key: value}).word in ("VALID", "INVALID")


def asks(steps: tuple[str, ...], option: str) -> set[str]:
    return {match for step in steps for match in re.findall(rf"{option} (\S+)", step)}


RUNS = st.builds(
    Measured,
    scenario=st.sampled_from(Scenario),
    lasted_ns=st.none() | st.floats(1, 1e13),
    asked_ns=st.floats(0, 1e12),
    done=st.integers(0, 10**6),
    asked=st.integers(0, 10**6),
    percentile=st.sampled_from([0.9, 0.97, 0.99, 0.999]),
    bound_ns=st.floats(0, 1e10),
    at_percentile_ns=st.none() | st.floats(0, 1e10),
    fastest_ns=st.none() | st.floats(0, 1e10),
    mean_ns=st.none() | st.floats(1, 1e10),
    late=st.integers(0, 10**4),
    planned_rate=st.none() | st.floats(1e-3, 1e6),
    rate=st.none() | st.floats(1e-3, 1e6),
    stopped=st.none() | st.sampled_from(Stopped),
    duration_met=st.booleans(),
    queries_met=st.booleans(),
    latency_met=st.booleans(),
    stopping_met=st.booleans(),
).map(lambda run: replace(run, late=min(run.late, run.done)))


@given(RUNS)
@settings(max_examples=150, deadline=None)
def test_advice_never_contradicts_itself(run: Measured) -> None:
    advice = advise(run)
    steps = tuple(dict.fromkeys(s for s in (advice.duration, advice.queries, advice.latency, advice.stopping) if s))
    for option in ("--target-qps", "--target-latency", "--samples", "--duration"):
        assert len(asks(steps, option)) <= 1, steps
    text = " ".join(steps)
    assert not ("lower the rate" in text and "raise the planned rate" in text)
    assert not ("no rate will do" in text and asks(steps, "--target-qps"))
    # What holds is left alone, and every check of the streams, Offline and Server that fails gets its step.
    for met, step in (
        (run.duration_met, advice.duration), (run.queries_met, advice.queries), (run.stopping_met, advice.stopping),
    ):  # fmt: skip
        assert bool(step) == (not met)
    rates = asks(steps, "--target-qps")
    if rates and "lower the rate" in text and run.planned_rate:
        assert float(rates.pop()) <= run.planned_rate * 0.81
    for latency in asks(steps, "--target-latency"):
        parse_duration(latency.rstrip(","))


def test_steps_that_would_undo_each_other_are_not_both_told(judged: Judge) -> None:
    for name in ("multistream_few", "server_few", "singlestream_ran_out", "server_late"):
        text = " ".join(judged(name).advice)
        assert "leave out" not in text


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0.2, "1ns"),
        (999, "999ns"),
        (1580, "1.58us"),
        (999_700, "1000us"),
        (2e6, "2ms"),
        (600e9, "600s"),
        (7200e9, "7200s"),
    ],
)
def test_durations_are_written_as_options_read_them(nanoseconds: float, text: str) -> None:
    assert duration_option(nanoseconds) == text
    assert parse_duration(text) == pytest.approx(max(nanoseconds, 1), rel=0.01)


@given(st.floats(1e-3, 1e9))
def test_rates_are_written_as_options_read_them(rate: float) -> None:
    assert float(rate_option(rate)) == pytest.approx(rate, rel=0.006)


def test_a_percentile_of_the_log_that_is_none_is_the_rounds(
    detail: Callable[[str], DetailLog], resnet: Benchmark
) -> None:
    log = detail("server")
    broken = replace(log, values={**dict(log.values), "effective_target_latency_percentile": 1.0})
    assert measure(broken, resnet.limits[Scenario.SERVER], Scenario.SERVER).percentile == 0.99


def test_published_runs_are_judged_as_loadgen_did(published: list[Path], v31: Round) -> None:
    judged = 0
    for folder in published:
        log = read_detail(folder / DETAIL)
        scenario, mode = log.text("effective_scenario"), log.text("effective_test_mode")
        assert scenario is not None
        how = Mode.PERFORMANCE if mode == "PerformanceOnly" else Mode.ACCURACY
        verdict = judge(log, v31, v31.benchmark("resnet"), Scenario.parse(scenario), how)
        printed = log.text("result_validity")
        if how is Mode.PERFORMANCE:
            assert verdict.valid == (printed == "VALID"), folder
            judged += 1
            # Another round's seeds: v3.1 would take none of them.
            assert not verdict.accepted and any("seed" in item.name for item in verdict.constraints)
            if not verdict.valid:
                assert verdict.advice
    assert judged > 50


def test_a_value_that_is_none_is_an_input_error(tmp_path: Path, logs: Path, v31: Round, resnet: Benchmark) -> None:
    path = tmp_path / DETAIL
    path.write_bytes((logs / "server" / DETAIL).read_bytes().replace(b'"value": "VALID"', b'"value": VALID'))
    with pytest.raises(InvalidInputError) as caught:
        judge(read_detail(path), v31, resnet, Scenario.SERVER, Mode.PERFORMANCE)
    assert str(caught.value.where).startswith(f"{path}:")


@pytest.mark.parametrize(
    ("changes", "measured"),
    [
        ({"effective_performance_issue_same": True}, "performance_issue_same True"),
        ({"effective_performance_issue_unique": True}, "performance_issue_unique True"),
        ({"effective_accuracy_log_sampling_target": 4096}, "accuracy_log_sampling_target 4096"),
        ({"effective_accuracy_log_probability": 0.5}, "accuracy_log_probability 0.5"),
    ],
)
def test_a_plain_run_under_settings_of_a_test_is_refused(
    judged: Judge, changes: dict[str, object], measured: str
) -> None:
    full = {"effective_min_duration_ms": 600_000, "effective_performance_sample_count": 1024}
    verdict = judged("offline", **full, **changes)
    assert verdict.valid and not verdict.accepted and audited(verdict)
    found = failed(verdict, "round")["plain settings"]
    assert found.measured == measured and "audit.config" in found.fix
    assert found.fix in verdict.advice


def test_the_settings_of_a_test_are_its_own(
    detail: Callable[[str], DetailLog], v31: Round, resnet: Benchmark, judged: Judge
) -> None:
    log = detail("offline")
    log = replace(log, values={**dict(log.values), "effective_performance_issue_same": True})
    assert not audited(judge(log, v31, resnet, Scenario.OFFLINE, Mode.PERFORMANCE, test="TEST04"))
    assert not audited(judged("offline")) and not audited(judged("offline_accuracy")) and not audited(None)
