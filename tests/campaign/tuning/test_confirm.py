"""The best are run again beside the usual setting, in turn; the gain has a spread, and luck does not win."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.backends.protocol import Precision
from assay.base.progress import SILENT
from assay.campaign.tuning.aim import Aim, Measured, TradeOff
from assay.campaign.tuning.bench import Look, Promise
from assay.campaign.tuning.confirm import Contender, Gain, confirm, contenders, winner
from assay.campaign.tuning.space import Candidate
from assay.campaign.tuning.study import Study, open_study
from assay.campaign.tuning.trial import Ended, Trial
from assay.errors import RunFailedError

from .fakes import AIM, BEST, SPACE, USUAL, FakeBench, aim_for, memory, rate

SECOND = Candidate("quick", Precision.FP32, 16, 4, 2)
THIRD = Candidate("plain", Precision.FP32, 32, 4, 2)
SLOW = Candidate("plain", Precision.FP32, 1)


def fill(study: Study, *candidates: Candidate) -> None:
    for number, candidate in enumerate((USUAL, *candidates)):
        figure = 1000 / rate(candidate) if study.aim.lower_is_better else rate(candidate)
        measured = Measured(figure, None, memory(candidate), None, True, (f"first-{number}",))
        trial = Trial(number, candidate, Ended.MEASURED, Promise(figure, 1, figure / 2), measured)
        if number == 0:
            study.keep_usual(trial)
        else:
            study.propose(candidate)
            study.tell(study.ask(), trial)


def again(study: Study, bench: FakeBench, *, repeats: int = 3, finalists: int = 2) -> list[Contender]:
    runners = contenders(study, finalists)
    return confirm(study, bench, runners, repeats, 20.0, SILENT, lambda number, trial, measured: None)


def test_the_best_and_the_usual_setting_run_in_turn_and_each_begins_once(tmp_path: Path) -> None:
    bench = FakeBench()
    with open_study(tmp_path, SPACE, AIM, 1) as study:
        fill(study, SLOW, SECOND, BEST, THIRD)
        found = again(study, bench)
    one, two, three = USUAL, BEST, SECOND
    assert bench.runs() == [one, two, three, two, three, one, three, one, two]
    assert [each.trial.candidate for each in found] == [one, two, three]
    assert found[0].gain is None and found[1].gain == Gain(*[pytest.approx(rate(BEST) / rate(USUAL))] * 3)
    assert winner(AIM, found) is found[1]


def test_a_gain_is_that_of_each_pass_so_that_a_slow_moment_meets_both(tmp_path: Path) -> None:
    # In the second pass the machine has half its speed.
    slow = {each: [1.0, 0.5, 1.0] for each in (USUAL, BEST)}
    with open_study(tmp_path, SPACE, AIM, 1) as study:
        fill(study, BEST)
        found = again(study, FakeBench(noise=slow), finalists=1)
    ratio = rate(BEST) / rate(USUAL)
    assert found[1].gain == Gain(*[pytest.approx(ratio)] * 3)
    assert found[1].spread == pytest.approx(0.5) and found[1].middle.figure == pytest.approx(rate(BEST))


def test_a_lucky_trial_does_not_win(tmp_path: Path) -> None:
    lucky = {BEST: [0.5, 0.4, 0.45], SECOND: [1.0, 0.9, 1.1]}
    with open_study(tmp_path, SPACE, AIM, 1) as study:
        fill(study, BEST, SECOND)
        found = again(study, FakeBench(noise=lucky))
    chosen = winner(AIM, found)
    assert chosen.trial.candidate == SECOND and chosen.gain is not None
    ratio = rate(SECOND) / rate(USUAL)
    assert (chosen.gain.least, chosen.gain.most) == pytest.approx((0.9 * ratio, 1.1 * ratio)) and chosen.gain.sure


def test_when_nothing_is_better_again_the_usual_setting_stays(tmp_path: Path) -> None:
    with open_study(tmp_path, SPACE, AIM, 1) as study:
        fill(study, BEST)
        found = again(study, FakeBench(noise={BEST: [0.1] * 3}))
    assert winner(AIM, found).trial.candidate == USUAL and not (found[1].gain or Gain(2, 2, 2)).sure


def test_one_that_holds_what_is_asked_wins_over_a_usual_setting_that_does_not(tmp_path: Path) -> None:
    aim = aim_for(max_memory=110_000_000)
    with open_study(tmp_path, SPACE, aim, 1) as study:
        fill(study, SLOW, BEST)
        found = again(study, FakeBench())
    assert [each.trial.candidate for each in found] == [USUAL, SLOW], "what misses is not run again"
    assert winner(aim, found).trial.candidate == SLOW


def test_of_a_front_both_ends_are_run_again(tmp_path: Path) -> None:
    sizes = [Candidate("quick", Precision.FP32, batch, 4, 2) for batch in (1, 2, 4, 8, 16, 32)]
    with open_study(tmp_path, SPACE, aim_for(TradeOff.MEMORY), 1) as study:
        fill(study, *sizes)
        assert [each.candidate.batch_size for each in contenders(study, 3)[1:]] == [32, 8, 1]
        assert [each.candidate.batch_size for each in contenders(study, 1)[1:]] == [32]


def test_latencies_gain_downwards(tmp_path: Path) -> None:
    from assay.rules.model import Scenario

    aim = Aim(Scenario.SINGLE_STREAM, True, "Latency (ms)")
    with open_study(tmp_path, SPACE, aim, 1) as study:
        fill(study, SLOW, BEST)
        found = again(study, FakeBench(lower_is_better=True))
    chosen = winner(aim, found)
    assert chosen.trial.candidate == BEST and chosen.gain is not None and chosen.gain.middle > 1


def test_runs_before_an_interruption_are_not_made_again(tmp_path: Path) -> None:
    bench = FakeBench(interrupt=4)
    with open_study(tmp_path, SPACE, AIM, 1) as study:
        fill(study, BEST, SECOND)
        with pytest.raises(KeyboardInterrupt):
            again(study, bench)
    after = FakeBench()
    with open_study(tmp_path, SPACE, AIM, 1) as study:
        found = again(study, after)
    assert len(after.runs()) == 9 - 4 and all(len(each.passes) == 3 for each in found)


def test_a_finalist_that_breaks_is_out_and_the_others_go_on(tmp_path: Path) -> None:
    class Broken(FakeBench):
        def measure(self, candidate: Candidate, promise: Promise, seconds: float, look: Look) -> Measured:
            if candidate == BEST and len(self.runs()) > 3:
                raise RunFailedError("out of memory")
            return super().measure(candidate, promise, seconds, look)

    with open_study(tmp_path, SPACE, AIM, 1) as study:
        fill(study, BEST, SECOND)
        found = again(study, Broken())
    assert found[1].failed == "out of memory" and found[1].gain is None
    assert winner(AIM, found).trial.candidate == SECOND and len(found[0].passes) == 3


def test_a_run_is_planned_with_what_the_trial_did(tmp_path: Path) -> None:
    seen: list[float] = []

    class Seeing(FakeBench):
        def measure(self, candidate: Candidate, promise: Promise, seconds: float, look: Look) -> Measured:
            seen.append(promise.target / rate(candidate))
            assert look.start == rate(candidate) and look.beat is None
            return super().measure(candidate, promise, seconds, look)

    with open_study(tmp_path, SPACE, AIM, 1) as study:
        fill(study, BEST)
        again(study, Seeing(), repeats=1)
    # The probe had promised half: LoadGen would run out of samples.
    assert seen == pytest.approx([1.05, 1.05])
