"""A whole search: opened or taken up, carried out, confirmed, and its winner written as a setting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from assay.base.files import locked, machine_errors, read_json, write_json
from assay.base.progress import Progress
from assay.base.settings import Settings
from assay.campaign.setting import write_setting
from assay.campaign.tuning.accuracy import Scored, shortfall
from assay.campaign.tuning.aim import Measured
from assay.campaign.tuning.bench import Bench, LoadgenBench
from assay.campaign.tuning.confirm import Contender, Gain, confirm, contenders, winner
from assay.campaign.tuning.plan import WISH, TunePlan
from assay.campaign.tuning.search import Budget, Search, Told
from assay.campaign.tuning.study import JOURNAL, LOCK, open_study
from assay.campaign.tuning.trial import Ended, Trial
from assay.errors import AssayError, InvalidInputError
from assay.results import words

RESULT = "result.json"
SETTING = "setting.yaml"
OTHERS = "setting-*.yaml"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Tuned:
    """A search that is over.

    Attributes:
        ended: what ended it, for a person.
        front: trials that nothing beats, the best figure first.
        confirmed: the confirmation, the usual setting first; empty when none was made.
        best: the setting to take.
        files: settings that were written: the winner's first, then those of the other finalists.
    """

    plan: TunePlan
    ended: str
    trials: tuple[Trial, ...]
    accuracies: dict[str, Scored]
    front: tuple[Trial, ...]
    confirmed: tuple[Contender, ...]
    best: Trial
    gain: Gain | None
    files: tuple[Path, ...]

    def to_dict(self) -> dict[str, Any]:
        """The search as one JSON document."""
        return {
            "format": FORMAT,
            "name": self.plan.name,
            "unit": self.plan.aim.unit,
            "lower_is_better": self.plan.aim.lower_is_better,
            "ended": self.ended,
            "trials": [each.to_dict() for each in self.trials],
            "accuracies": {name: asdict(each) for name, each in self.accuracies.items()},
            "front": [each.number for each in self.front],
            "confirmed": [_confirmed_values(each) for each in self.confirmed],
            "winner": self.best.number,
            "setting": asdict(self.best.candidate),
            "gain": asdict(self.gain) if self.gain else None,
            "files": [str(path) for path in self.files],
        }


@dataclass(frozen=True, slots=True)
class Listener:
    """Told of what happens, as soon as it is kept.

    Attributes:
        trial: every trial.
        rerun: every run of the confirmation: its pass, the setting's trial, what it did.
    """

    trial: Told
    rerun: Callable[[int, Trial, Measured], None]


def tune(
    plan: TunePlan,
    settings: Settings,
    progress: Progress,
    listener: Listener,
    *,
    restart: bool = False,
    out: Path | None = None,
    bench: Bench | None = None,
) -> Tuned:
    """Search, or go on with a search that is kept; then confirm, and write the winner's setting.

    Args:
        plan: of the search.
        settings: where things are kept.
        progress: told while it goes on.
        listener: told of trials and runs.
        restart: forget what was measured before; the runs' records stay.
        out: further file for the winner's setting.
        bench: that tries settings; the real one unless given.

    Raises:
        AssayError: when the usual setting cannot be run, nothing holds what is asked, or the search is damaged.
        KeyboardInterrupt: after what was measured has been kept.
    """
    bench = bench or LoadgenBench(plan, settings, progress)
    request = plan.request
    _begin(plan, restart=restart)
    with open_study(plan.folder, plan.space, plan.aim, request.seed) as study:
        budget = Budget(request.trials, request.time_ns / 1e9 if request.time_ns else None, request.trial_ns / 1e9)
        search = Search(study, bench, budget, progress, listener.trial, _judge(plan))
        ended = search.run(plan.baseline)
        trials, front = study.trials, tuple(trial for trial, _ in study.best)
        if not front:
            raise AssayError(
                "no setting holds what is asked",
                found="; ".join(dict.fromkeys(trial.why for trial in trials if trial.ended is Ended.MISSED)) or None,
                hint="ask less, or try more: --trials",
            )
        runners = contenders(study, request.finalists)
        confirmed: list[Contender] = []
        if request.repeats and len(runners) > 1:
            confirmed = confirm(
                study, bench, runners, request.repeats, request.confirm_ns / 1e9, progress, listener.rerun
            )
        chosen = winner(plan.aim, confirmed) if confirmed else None
        best = chosen.trial if chosen else front[0]
        others = [trial for trial in runners[1:] if trial.number != best.number]
        tuned = Tuned(
            plan, ended, trials, study.accuracies(), front, tuple(confirmed), best, chosen.gain if chosen else None,
            tuple(_write(plan, [best, *others], chosen, out)),
        )  # fmt: skip
    write_json(plan.folder / RESULT, tuned.to_dict())
    return tuned


def _begin(plan: TunePlan, *, restart: bool) -> None:
    """The folder of a search: new, or one that asks the same."""
    wish = plan.folder / WISH
    if restart and plan.folder.exists():
        forget(plan.folder)
    what = {"what": plan.request.what(), "space": plan.space.to_dict()}
    if wish.exists():
        kept = read_json(wish, max_bytes=1 << 20)
        if not isinstance(kept, dict) or {key: kept.get(key) for key in what} != _plain(what):
            raise InvalidInputError(
                "a search of this name was about something else, or this machine's engines have changed since",
                where=plan.folder,
                hint="give another --name, or --restart to forget what was measured",
            )
    write_json(wish, {"format": FORMAT, **_plain(what), "request": plan.request.model_dump(mode="json")})


def forget(folder: Path) -> None:
    """Delete what a search wrote into its folder, and nothing else.

    Raises:
        MachineError: when another process has the search open.
    """
    with locked(folder / LOCK, timeout_s=0), machine_errors(folder):
        for path in (*(folder / name for name in (WISH, JOURNAL, RESULT, SETTING)), *folder.glob(OTHERS)):
            path.unlink(missing_ok=True)


def _plain(value: Any) -> Any:
    """A value as JSON gives it back: lists for tuples."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, (list, tuple)) else value


def _judge(plan: TunePlan) -> Callable[[Scored, Scored], str] | None:
    share = plan.request.accuracy
    if share == 0 or plan.usual.subject.synthetic:
        return None
    targets = plan.usual.subject.benchmark.quality
    return lambda scored, usual: shortfall(scored, usual, targets, share)


def _write(plan: TunePlan, best: list[Trial], chosen: Contender | None, out: Path | None) -> list[Path]:
    """The winner's setting, and those of the other finalists beside it, by the number of their trials."""
    request = plan.request
    paths = [plan.folder / SETTING, *(plan.folder / f"setting-{trial.number}.yaml" for trial in best[1:])]
    for stale in plan.folder.glob(OTHERS):
        stale.unlink(missing_ok=True)
    for path, trial in zip(paths, best, strict=True):
        form = trial.candidate.form(request.scenario, dict(request.run.backend_options))
        about = _about(plan, trial, chosen if trial is best[0] else None)
        write_setting(path, form, about=about)
        if out is not None and trial is best[0]:
            write_setting(out, form, about=about)
    return ([out] if out is not None else []) + paths


def _about(plan: TunePlan, trial: Trial, chosen: Contender | None) -> str:
    subject, request = plan.usual.subject, plan.request
    head = f"assay tune {plan.name}, trial {trial.number}: {subject.model.name}, {request.scenario.value}, round {subject.round.name}."
    if chosen is None or not chosen.passes:
        assert trial.measured is not None
        return f"{head} {words.number(trial.measured.figure)} {plan.aim.unit} in one run, not confirmed."
    text = f"{head} {words.number(chosen.middle.figure)} {plan.aim.unit}, median of {len(chosen.passes)} runs"
    return f"{text}; {gain_words(chosen.gain)}." if chosen.gain else f"{text}; the usual setting, which nothing beat."


def gain_words(gain: Gain) -> str:
    """A gain for a person, with its spread."""
    return f"{gain.middle:.2f} times as good as the usual setting ({gain.least:.2f} to {gain.most:.2f} over the passes)"


def _confirmed_values(each: Contender) -> dict[str, Any]:
    return {
        "trial": each.trial.number,
        "setting": asdict(each.trial.candidate),
        "passes": [asdict(one) for one in each.passes],
        "median": asdict(each.middle) if each.passes else None,
        "spread": each.spread if each.passes else None,
        "gain": asdict(each.gain) if each.gain else None,
        "failed": each.failed or None,
    }
