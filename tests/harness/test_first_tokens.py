"""First tokens against the real LoadGen: each is timed as it comes, whichever thread of the engine tells it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from assay.backends.protocol import BackendOptions
from assay.base.tensors import Array
from assay.errors import RunFailedError
from assay.harness.batching import BatchLimits
from assay.harness.first_tokens import FirstTokens
from assay.harness.loadgen_session import run_test
from assay.harness.meter import Meter
from assay.harness.samples import SampleStore
from assay.harness.spec import USER_CONF, RunSpec
from assay.harness.sut import InlineSut, QueuedSut, Sut
from assay.loadgen.logs import DetailLog, Tokens, read_detail
from assay.loadgen.names import ACCURACY, DETAIL
from assay.loadgen.tokens import token_figures
from assay.loadgen.walk import walk_tokens
from assay.rules.model import Mode, Scenario
from assay.tasks.protocol import Counted, Responses, Samples, TellToken

TOTAL, TOKENS = 20, 5
FIRST_S, NEXT_S = 0.004, 0.001
Answer = Callable[[Samples, TellToken], Responses]


def load(indices: Sequence[int]) -> tuple[Array, ...]:
    return (np.asarray(indices, np.int64).reshape(-1, 1),)


def texts(samples: Samples) -> Counted:
    """A text of five tokens for each sample, the sample's number the first."""
    rows = [np.array([int(number), 7, 8, 9, 2], np.int64) for (number,) in samples[0].tolist()]  # type: ignore[union-attr]
    return Counted(rows, [TOKENS] * len(rows))


def talk(samples: Samples, tell: TellToken) -> Responses:
    """Tells first tokens out of a thread of its own, twice, and one of a sample that nobody asked for."""
    made = texts(samples)

    def first() -> None:
        time.sleep(FIRST_S)
        for place, text in enumerate(made):
            tell(place, text[:1])
            tell(place, text[1:2])
        tell(len(made), made[0][:1])

    thread = threading.Thread(target=first)
    thread.start()
    thread.join()
    time.sleep(NEXT_S * (TOKENS - 1))
    return made


def spec_of(scenario: Scenario, mode: Mode = Mode.PERFORMANCE, **attributes: float | bool) -> RunSpec:
    settings = {
        "min_duration_ms": 0, "min_query_count": 30, "performance_sample_count_override": 16, "server_target_qps": 60.0,
        "single_stream_expected_latency_ns": 1000, "use_token_latencies": True, "ttft_latency": 10**9, "tpot_latency": 10**9,
        **attributes,
    }  # fmt: skip
    return RunSpec(
        scenario=scenario, mode=mode, task="none", recipe={}, model=Path("none"), backend="none", options=BackendOptions(),
        dataset=None, cache=Path("none"), batch_size=4, conf_model="none", user_conf="", attributes=settings, trace=False,
    )  # fmt: skip


def drive(folder: Path, spec: RunSpec, answer: Answer) -> Sut:
    store = SampleStore(load, 4)
    ways = [FirstTokens(answer), FirstTokens(answer)]
    sut: Sut = (
        QueuedSut(store, BatchLimits(4), Meter(), ways)
        if spec.scenario is Scenario.SERVER
        else InlineSut(store, BatchLimits(4), Meter(), ways[0])
    )
    (folder / USER_CONF).write_text("")
    run_test(spec, folder, sut, TOTAL)
    sut.close()
    return sut


def told(folder: Path) -> tuple[DetailLog, list[Tokens]]:
    return read_detail(folder / DETAIL), list(walk_tokens(folder / ACCURACY))


def broken(detail: DetailLog) -> set[str]:
    """What went wrong in the run; that a process has several tests is complained of apart."""
    return {each.text for each in detail.errors if each.key == "error_runtime"}


@pytest.mark.parametrize("scenario", [Scenario.SERVER, Scenario.SINGLE_STREAM])
def test_loadgen_times_the_first_token_and_the_others(tmp_path: Path, scenario: Scenario) -> None:
    spec = spec_of(scenario, accuracy_log_sampling_target=30)
    assert spec.first_tokens
    sut = drive(tmp_path, spec, talk)
    assert sut.failure is None
    detail, kept = told(tmp_path)
    assert not broken(detail)
    figures = token_figures(detail)
    assert figures["first_token_min_ns"] >= FIRST_S * 1e9
    # A busy machine lets the news of a first token wait, never those of all of them.
    assert figures["next_token_mean_ns"] >= NEXT_S * 0.5 * 1e9
    assert figures["first_token_p50_ns"] < detail.number("result_50.00_percentile_latency_ns")  # type: ignore[operator]
    assert figures["answer_tokens_per_second"] > 0
    assert len(kept) == 30
    assert {(each.data, each.first, each.count) for each in kept} == {
        (bytes(texts(load([each.index]))[0].data), np.int64(each.index).tobytes(), TOKENS) for each in kept
    }


def test_offline_is_told_numbers_of_tokens_alone(tmp_path: Path) -> None:
    spec = spec_of(Scenario.OFFLINE, accuracy_log_sampling_target=30)
    assert not spec.first_tokens
    store = SampleStore(load, 4)
    (tmp_path / USER_CONF).write_text("")
    run_test(spec, tmp_path, InlineSut(store, BatchLimits(4), Meter(), texts), TOTAL)
    detail, kept = told(tmp_path)
    assert not broken(detail) and set(token_figures(detail)) == {"answer_tokens_per_second"}
    assert [(each.first, each.count) for each in kept] == [(None, TOKENS)] * len(kept)


def test_an_engine_that_tells_no_first_token_fails_the_run(tmp_path: Path) -> None:
    sut = drive(tmp_path, spec_of(Scenario.SERVER), lambda samples, tell: texts(samples))
    assert isinstance(sut.failure, RunFailedError) and "does not tell the first token" in sut.failure.what
    assert sut.failed_queries > 0 and sut.meter.read().issued == 30


def test_an_answer_without_tokens_is_no_fault_of_the_engine(tmp_path: Path) -> None:
    nothing = lambda samples, tell: Counted([np.empty(0, np.int64)] * len(samples[0]), [0] * len(samples[0]))  # noqa: E731
    sut = drive(tmp_path, spec_of(Scenario.SERVER), nothing)
    assert sut.failure is None
    detail, _ = told(tmp_path)
    assert broken(detail) == {"n_tokens argument missing or attempted to record 0 as number of tokens"}


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("scenario", [Scenario.SERVER, Scenario.SINGLE_STREAM])
def test_a_broken_engine_lets_loadgen_end(tmp_path: Path, scenario: Scenario, mode: Mode) -> None:
    """LoadGen that logs an answer whose first token was never told reads what is not there: every one is told."""
    calls = iter(range(1000))

    def breaks(samples: Samples, tell: TellToken) -> Responses:
        if next(calls) >= 3:
            tell(0, np.zeros(1, np.int64))
            raise RuntimeError("the engine broke")
        return talk(samples, tell)

    sut = drive(tmp_path, spec_of(scenario, mode), breaks)
    assert isinstance(sut.failure, RuntimeError)
    assert "power_end" in read_detail(tmp_path / DETAIL).values
