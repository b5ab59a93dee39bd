"""Rows and words of a search for people."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from assay.backends.protocol import Precision
from assay.campaign.tuning.aim import Aim, Measured
from assay.campaign.tuning.bench import Promise
from assay.campaign.tuning.confirm import Contender, Gain
from assay.campaign.tuning.plan import TunePlan
from assay.campaign.tuning.space import Candidate
from assay.campaign.tuning.trial import Ended, Trial
from assay.campaign.tuning.tune import Tuned
from assay.cli.render import Output
from assay.cli.tune_view import show_trials, show_tuned, told_rerun, told_trial
from assay.rules.model import Scenario

AIM = Aim(Scenario.SERVER, False, "Queries/s", max_p99_ns=15_000_000)
PLAN = cast(
    "TunePlan",
    SimpleNamespace(
        aim=AIM,
        name="made-up",
        request=SimpleNamespace(
            confirm_ns=20 * 10**9, scenario=Scenario.SERVER, run=SimpleNamespace(name="mobilenet-v2")
        ),
    ),
)
USUAL = Trial(
    0, Candidate("onnxruntime", Precision.FP32, 1), Ended.MEASURED, Promise(120.0, 1, 1.0),
    Measured(100.0, 9e6, 10**8, None, True, ("a",)),
)  # fmt: skip
QUICK = Trial(
    4, Candidate("openvino", Precision.BF16, 8, 2, 1, 2 * 10**6), Ended.MEASURED, Promise(300.0, 1, 1.0),
    Measured(180.0, 12e6, 2 * 10**8, None, False, ("b",)),
)  # fmt: skip
GONE = Trial(5, Candidate("openvino", Precision.FP32, 64), Ended.PRUNED, Promise(20.0, 1, 1.0), None, "well behind")


def tuned(gain: Gain | None, best: Trial = QUICK, *contenders: Contender) -> Tuned:
    return Tuned(
        PLAN, "5 trials were made", (USUAL, QUICK, GONE), {}, (QUICK,), contenders, best, gain, (Path("x.yaml"),)
    )


def test_trials_are_ranked_and_those_without_a_figure_are_last(capsys: pytest.CaptureFixture[str]) -> None:
    show_trials((GONE, USUAL, QUICK), PLAN, Output())
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:8] == ["4", "openvino", "bf16", "8", "2", "1", "2.00", "ms"]
    assert "180 queries/s" in lines[1] and "LoadGen: INVALID" in lines[1]
    assert lines[2].startswith("usual") and " own " in lines[2] and lines[3].rstrip().endswith("well behind")


def test_a_trial_in_a_line() -> None:
    assert told_trial(USUAL, PLAN).startswith("usual setting: onnxruntime fp32, batch 1")
    assert told_trial(GONE, PLAN).endswith("its own threads: pruned: well behind")
    measured: Any = QUICK.measured
    assert told_rerun(0, QUICK, measured, PLAN) == "pass 1, trial 4: 180 queries/s"


def test_the_gain_is_told_with_its_spread(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = cast("Measured", USUAL.measured), cast("Measured", QUICK.measured)
    gain = Gain(1.8, 1.6, 1.9)
    usual = Contender(USUAL, (first, first))
    quick = Contender(QUICK, (second, replace(second, figure=160.0)), gain)
    broken = Contender(GONE, (), None, "out of memory")
    show_tuned(tuned(gain, QUICK, usual, quick, broken), Output())
    out = capsys.readouterr().out
    assert "trial 4 is 1.800 times as good as the usual setting (1.600 to 1.900 over the passes)" in out
    assert "assay run mobilenet-v2 --scenario Server --setting x.yaml" in out
    assert "11.8%" in out and "out of memory" in out and "hardly a difference" not in out


def test_a_busy_machine_and_invalid_runs_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = cast("Measured", USUAL.measured), cast("Measured", QUICK.measured)
    usual = Contender(USUAL, (first, replace(first, figure=70.0)))
    quick = Contender(QUICK, (second, second), Gain(1.8, 1.6, 1.9))
    show_tuned(tuned(quick.gain, QUICK, usual, quick), Output())
    err = capsys.readouterr().err
    assert "differed by up to 35%: something else keeps this machine busy" in err
    assert "not all runs of the winner were VALID" in err
    show_tuned(tuned(None, USUAL, Contender(USUAL, (first, first))), Output())
    assert "busy" not in capsys.readouterr().err


def test_an_unsure_gain_and_none_are_told_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    usual = Contender(USUAL, (cast("Measured", USUAL.measured),))
    show_tuned(tuned(Gain(1.01, 0.98, 1.03), QUICK, usual), Output())
    assert "it was not better in every pass: hardly a difference" in capsys.readouterr().out
    show_tuned(tuned(None, USUAL, usual), Output())
    assert "the usual setting stays" in capsys.readouterr().out
    show_tuned(tuned(None, USUAL), Output())
    assert "nothing that was tried is better" in capsys.readouterr().out
    show_tuned(tuned(None, QUICK), Output())
    assert "best of single runs, not confirmed" in capsys.readouterr().out
