"""How a search for a setting is shown: its plan, its trials, its confirmation, its winner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from assay.base.units import format_duration, format_size
from assay.results import words

if TYPE_CHECKING:
    from assay.campaign.tuning.aim import Measured
    from assay.campaign.tuning.confirm import Contender
    from assay.campaign.tuning.plan import TunePlan
    from assay.campaign.tuning.space import Candidate
    from assay.campaign.tuning.trial import Trial
    from assay.campaign.tuning.tune import Tuned
    from assay.cli.render import Output

_SETTING = ("backend", "format", "batch", "streams", "threads", "wait")
TRIALS = ("trial", *_SETTING, "probe", "figure", "p99", "memory", "watts", "ended", "why")
CONFIRMED = ("trial", *_SETTING, "median", "spread", "gain", "from", "to", "p99", "memory", "watts", "verdict")
_SOME = frozenset({"wait", "p99", "watts", "why"})
"""Columns that are left out where nothing stands in them."""
_BUSY = 0.15
"""Spread of a setting's runs that a quiet machine does not have."""
_WORDS = frozenset({"backend", "format", "ended", "why", "verdict"})


def show_plan(plan: TunePlan, out: Output) -> None:
    """Print what would be searched: as lines, or as one document."""
    if out.as_json:
        out.json(plan.to_dict())
        return
    for line in plan.lines():
        out.text(line)


def told_trial(trial: Trial, plan: TunePlan) -> str:
    """A trial in a line, as soon as it is over."""
    which = f"trial {trial.number}" if trial.number else "usual setting"
    figure = f"{_figure(trial.measured, plan)}, " if trial.measured else ""
    why = f": {trial.why}" if trial.why else ""
    return f"{which}: {trial.candidate}: {figure}{trial.ended.value}{why}"


def told_rerun(number: int, trial: Trial, measured: Measured, plan: TunePlan) -> str:
    """A run of the confirmation in a line."""
    which = f"trial {trial.number}" if trial.number else "usual setting"
    return f"pass {number + 1}, {which}: {_figure(measured, plan)}"


def show_trials(trials: Sequence[Trial], plan: TunePlan, out: Output) -> None:
    """Print trials as a table, the best figure first, those without one last."""
    low = plan.aim.lower_is_better

    def rank(trial: Trial) -> tuple[bool, float]:
        figure = trial.measured.figure if trial.measured else 0.0
        return trial.measured is None, figure if low else -figure

    _table(TRIALS, [_trial_row(each, plan) for each in sorted(trials, key=rank)], out)


def show_tuned(tuned: Tuned, out: Output) -> None:
    """Print a search that is over."""
    if out.as_json:
        out.json(tuned.to_dict())
        return
    plan = tuned.plan
    show_trials(tuned.trials, plan, out)
    for name, scored in tuned.accuracies.items():
        out.text(f"accuracy of {name}: {scored.line()}")
    if plan.aim.trade_off is not None:
        out.text()
        title = f"Nothing beats these in {plan.aim.unit} and {plan.aim.trade_off.value}:"
        _table(TRIALS[:-2], [_trial_row(each, plan)[:-2] for each in tuned.front], out, title)
    if tuned.confirmed:
        out.text()
        passes = len(tuned.confirmed[0].passes)
        length = format_duration(plan.request.confirm_ns)
        title = f"Run again beside the usual setting, {passes} {'pass' if passes == 1 else 'passes'} of {length}:"
        _table(CONFIRMED, [_confirmed_row(each, plan) for each in tuned.confirmed], out, title)
    out.text()
    out.text(_verdict(tuned))
    for path in tuned.files[:1]:
        out.text(f"  {path}")
        scenario = plan.request.scenario.value
        out.text(f"  assay run {plan.request.run.name} --scenario {scenario} --setting {path}")
    for note in _doubts(tuned):
        out.remark(f"note: {note}")
    out.remark(f"note: {tuned.ended}; records of all runs: assay runs list")


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], out: Output, title: str | None = None) -> None:
    """Print a table without the columns in which nothing stands."""
    kept = [at for at, name in enumerate(columns) if name not in _SOME or any(row[at] for row in rows)]
    names = [columns[at] for at in kept]
    numbers = [name for name in names if name not in _WORDS]
    whole = [name for name in names if name != "why"]
    out.table(names, [[row[at] for at in kept] for row in rows], title=title, right=numbers, whole=whole)


def _doubts(tuned: Tuned) -> list[str]:
    """What speaks against the confirmation."""
    found = []
    widest = max((each.spread for each in tuned.confirmed if each.passes), default=0.0)
    if widest > _BUSY:
        found.append(
            f"runs of one setting differed by up to {widest:.0%}: something else keeps this machine busy, and the figures "
            "are those of a busy machine; once it is quiet: --restart"
        )
    if any(each.trial.number == tuned.best.number and not each.middle.valid for each in tuned.confirmed if each.passes):
        found.append("not all runs of the winner were VALID; see why: assay runs list")
    return found


def _verdict(tuned: Tuned) -> str:
    """What to make of it, in a line or two."""
    best, gain = tuned.best, tuned.gain
    if not tuned.confirmed and not best.number:
        return "the usual setting stays: nothing that was tried is better"
    if not tuned.confirmed:
        return f"best of single runs, not confirmed: trial {best.number}, {best.candidate}"
    if gain is None:
        return "the usual setting stays: nothing was better when it was run again"
    range_ = f"{gain.least:.3f} to {gain.most:.3f} over the passes"
    if len(tuned.confirmed[0].passes) == 1:
        range_ = "in one pass, which says nothing of the spread"
    text = f"trial {best.number} is {gain.middle:.3f} times as good as the usual setting ({range_}): {best.candidate}"
    return text if gain.sure else f"{text}\nit was not better in every pass: hardly a difference"


def _trial_row(trial: Trial, plan: TunePlan) -> list[str]:
    measured = trial.measured
    return [
        str(trial.number) if trial.number else "usual",
        *_setting(trial.candidate),
        words.number(trial.promise.figure) if trial.promise else "",
        _figure(measured, plan) if measured else "",
        format_duration(measured.p99_ns) if measured and measured.p99_ns else "",
        format_size(measured.memory) if measured else "",
        _watts(measured) if measured else "",
        trial.ended.value,
        trial.why or ("" if measured is None or measured.valid else "LoadGen: INVALID"),
    ]


def _confirmed_row(each: Contender, plan: TunePlan) -> list[str]:
    head = [str(each.trial.number) if each.trial.number else "usual", *_setting(each.trial.candidate)]
    if not each.passes:
        return [*head, *[""] * (len(CONFIRMED) - len(head) - 1), each.failed]
    middle, gain = each.middle, each.gain
    return [
        *head,
        _figure(middle, plan),
        f"{each.spread:.1%}",
        f"{gain.middle:.3f}" if gain else "1",
        f"{gain.least:.3f}" if gain else "",
        f"{gain.most:.3f}" if gain else "",
        format_duration(middle.p99_ns) if middle.p99_ns else "",
        format_size(middle.memory),
        _watts(middle),
        plan.aim.misses(middle) or each.failed or ("VALID" if middle.valid else "INVALID"),
    ]


def _setting(candidate: Candidate) -> list[str]:
    return [
        candidate.backend,
        candidate.precision.value,
        str(candidate.batch_size),
        str(candidate.streams),
        str(candidate.threads) if candidate.threads else "own",
        format_duration(candidate.batch_wait_ns) if candidate.batch_wait_ns else "",
    ]


def _watts(measured: Measured) -> str:
    return "" if measured.watts is None else f"{measured.watts:.1f} W"


def _figure(measured: Measured, plan: TunePlan) -> str:
    return f"{words.number(measured.figure)} {words.short_unit(plan.aim.unit)}"
