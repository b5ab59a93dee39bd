"""The search finds the best setting of a machine that is made up, gives hopeless ones up, and goes on where it stopped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from assay.backends.protocol import Precision
from assay.base.progress import SILENT
from assay.campaign.tuning.accuracy import shortfall
from assay.campaign.tuning.aim import Aim, TradeOff
from assay.campaign.tuning.bench import Promise
from assay.campaign.tuning.search import Budget, Search
from assay.campaign.tuning.space import Candidate, Engine, Space
from assay.campaign.tuning.study import open_study
from assay.campaign.tuning.trial import Ended, Trial
from assay.errors import RunFailedError
from assay.rules.model import Scenario

from .fakes import AIM, BEST, SPACE, USUAL, FakeBench, aim_for, memory, rate

GOOD = sorted(
    rate(each) for each in SPACE.candidates() if str(each.engine) in ("plain fp32", "plain bf16", "quick fp32")
)


def search(
    folder: Path, bench: FakeBench, trials: int, *, aim: Aim = AIM, space: Space = SPACE, seed: int = 1,
    seconds: float | None = None, judged: bool = True,
) -> tuple[str, tuple[Trial, ...], list[Trial]]:  # fmt: skip
    """Search in a folder: what ended it, all trials, the best."""
    told: list[Trial] = []
    with open_study(folder, space, aim, seed) as study:
        judge = (lambda scored, usual: shortfall(scored, usual, (), None)) if judged else None
        budget = Budget(trials, seconds, 5.0)
        before = len(study.trials)
        ended = Search(study, bench, budget, SILENT, told.append, judge, clock=lambda: bench.now).run(USUAL)
        assert tuple(told) == study.trials[before:], "everything is told once it is kept"
        return ended, study.trials, [trial for trial, _ in study.best]


@pytest.mark.parametrize("seed", [1, 2])
def test_the_best_setting_is_found_and_hopeless_ones_are_given_up(tmp_path: Path, seed: int) -> None:
    bench = FakeBench()
    _, trials, (best,) = search(tmp_path, bench, 50, seed=seed)
    # Among 480 settings, within the best three of the 288 that answer well.
    assert rate(best.candidate) >= GOOD[-3], best
    pruned = [trial for trial in trials if trial.ended is Ended.PRUNED]
    assert len(pruned) >= 20
    # Nothing was given up that would have won.
    assert all(rate(trial.candidate) < rate(best.candidate) for trial in pruned)
    assert not {trial.candidate for trial in pruned} & set(bench.runs())
    assert len({trial.candidate for trial in trials}) == len(trials) == 51


def test_a_fast_format_that_answers_badly_is_measured_once_and_left(tmp_path: Path) -> None:
    bench = FakeBench()
    _, trials, (best,) = search(tmp_path, bench, 40)
    bad = [trial for trial in trials if trial.candidate.precision is Precision.INT8]
    assert (
        len(bad) == 1 and bad[0].ended is Ended.INACCURATE and "misses 99.0% of the usual setting's 90%" in bad[0].why
    )
    assert best.candidate.precision is not Precision.INT8
    scored = [str(candidate.engine) for what, candidate in bench.asked if what == "accuracy"]
    assert scored[0] == "plain fp32" and len(scored) == len(set(scored)) <= 4
    assert "accuracy" not in {what for what, candidate in bench.asked if candidate.backend == "broken"}


def test_without_a_judge_nobody_looks_at_the_accuracy(tmp_path: Path) -> None:
    bench = FakeBench()
    _, _, (best,) = search(tmp_path, bench, 40, judged=False)
    assert best.candidate.precision is Precision.INT8 and "accuracy" not in {what for what, _ in bench.asked}


def test_an_engine_that_never_works_is_left_after_two_failures(tmp_path: Path) -> None:
    _, trials, _ = search(tmp_path, FakeBench(), 40)
    failed = [trial for trial in trials if trial.candidate.backend == "broken"]
    assert len(failed) == 2 and all(trial.why == "this engine does not read the model" for trial in failed)


def test_a_bound_is_held(tmp_path: Path) -> None:
    aim = aim_for(max_memory=200_000_000)
    bench = FakeBench()
    _, trials, (best,) = search(tmp_path, bench, 60, aim=aim)
    assert memory(best.candidate) <= 200_000_000
    fits = [
        rate(each) for each in SPACE.candidates() if str(each.engine) == "quick fp32" and memory(each) <= 200_000_000
    ]
    assert rate(best.candidate) >= sorted(fits)[-5]
    large = [trial for trial in trials if memory(trial.candidate) > 202_000_000]
    assert large and all(trial.measured is None for trial in large if trial.number), (
        "the probe tells before the run does"
    )


def test_a_usual_setting_that_misses_is_not_the_best(tmp_path: Path) -> None:
    _, trials, best = search(tmp_path, FakeBench(), 25, aim=aim_for(max_memory=115_000_000))
    assert trials[0].ended is Ended.MISSED and "116.0 MB of memory" in trials[0].why
    assert all(trial.number for trial in best)


def test_where_two_things_count_the_front_is_found(tmp_path: Path) -> None:
    _, _, best = search(tmp_path, FakeBench(), 80, aim=aim_for(TradeOff.MEMORY))
    assert len(best) >= 3
    rates, sizes = [rate(each.candidate) for each in best], [memory(each.candidate) for each in best]
    assert rates == sorted(rates, reverse=True) and sizes == sorted(sizes, reverse=True)
    assert rates[0] >= GOOD[-10] and sizes[-1] <= 110_000_000


def test_latency_is_searched_downwards(tmp_path: Path) -> None:
    bench = FakeBench(lower_is_better=True)
    _, _, (best,) = search(tmp_path, bench, 50, aim=Aim(Scenario.SINGLE_STREAM, True, "Latency (ms)"))
    assert rate(best.candidate) >= GOOD[-6]


def test_a_disturbed_probe_is_made_again(tmp_path: Path) -> None:
    class Disturbed(FakeBench):
        """The first probe of the best setting sees two thirds of it, and that of slow ones what they are."""

        def probe(self, candidate: Candidate) -> Promise:
            promise = super().probe(candidate)
            if candidate == fast and self.asked.count(("probe", candidate)) == 1:
                return replace(promise, figure=promise.figure * 0.6)
            return promise

    fast = Candidate("quick", Precision.FP32, 32)
    space = Space((Engine("quick", Precision.FP32), Engine("plain", Precision.FP32)), (1, 8, 16, 32), processors=8)
    bench = Disturbed()
    _, _, (best,) = search(tmp_path, bench, 20, space=space)
    assert best.candidate == fast and bench.asked.count(("probe", fast)) == 2
    slow = Candidate("plain", Precision.FP32, 1)
    assert bench.asked.count(("probe", slow)) == 1, "far behind is far behind"


def test_a_small_space_is_tried_to_its_end(tmp_path: Path) -> None:
    space = Space((Engine("plain", Precision.FP32), Engine("quick", Precision.FP32)), (1, 8), processors=8)
    ended, trials, (best,) = search(tmp_path, FakeBench(), 100, space=space)
    assert ended == "all settings were tried or ruled out, 3 beside the usual one"
    assert {trial.candidate for trial in trials} == set(space.candidates())
    assert best.candidate == Candidate("quick", Precision.FP32, 8)


def test_the_time_is_kept(tmp_path: Path) -> None:
    bench = FakeBench()
    ended, trials, _ = search(tmp_path, bench, 1000, seconds=60.0)
    assert ended.startswith("the time of 1m 00s was over after") and 8 <= len(trials) <= 21


def test_an_interrupted_search_goes_on_with_what_it_has(tmp_path: Path) -> None:
    bench = FakeBench(interrupt=5)
    with pytest.raises(KeyboardInterrupt):
        search(tmp_path, bench, 40)
    left = bench.runs()[-1]
    again = FakeBench()
    _, trials, (best,) = search(tmp_path, again, 40)
    assert USUAL not in again.runs() and again.asked[0] == ("probe", left)
    assert len(trials) == 41 and rate(best.candidate) >= GOOD[-12]
    scored = [str(candidate.engine) for what, candidate in (*bench.asked, *again.asked) if what == "accuracy"]
    assert len(scored) == len(set(scored)), "no accuracy is measured twice"


def test_more_trials_go_on_from_those_before(tmp_path: Path) -> None:
    search(tmp_path, FakeBench(), 10)
    more = FakeBench()
    ended, trials, _ = search(tmp_path, more, 15)
    assert ended == "15 trials were made" and len(trials) == 16
    nothing = FakeBench()
    search(tmp_path, nothing, 15)
    assert nothing.asked == []


def test_the_same_seed_searches_the_same(tmp_path: Path) -> None:
    def order(folder: Path, seed: int) -> list[Candidate]:
        return [trial.candidate for trial in search(folder, FakeBench(), 20, seed=seed)[1]]

    first = order(tmp_path / "a", 3)
    assert order(tmp_path / "b", 3) == first and order(tmp_path / "c", 4) != first


def test_a_usual_setting_that_breaks_ends_the_search(tmp_path: Path) -> None:
    class Broken(FakeBench):
        def probe(self, candidate: Candidate) -> object:  # type: ignore[override]
            raise RunFailedError("no model")

    with pytest.raises(RunFailedError, match="no model"):
        search(tmp_path, Broken(), 10)


def test_when_nothing_works_any_more_the_search_ends(tmp_path: Path) -> None:
    class Full(FakeBench):
        def measure(self, *arguments: object) -> object:  # type: ignore[override]
            if self.runs():
                self.asked.append(("measure", USUAL))
                raise RunFailedError("no space left on the disk")
            return super().measure(*arguments)  # type: ignore[arg-type]

        def probe(self, candidate: Candidate) -> object:  # type: ignore[override]
            if self.runs():
                raise RunFailedError("no space left on the disk")
            return super().probe(candidate)

    with pytest.raises(RunFailedError, match="6 settings in a row") as caught:
        search(tmp_path, Full(), 30)
    assert caught.value.found == "no space left on the disk"


def test_the_best_of_the_formula_is_what_the_tests_say() -> None:
    assert rate(BEST) == max(GOOD)
