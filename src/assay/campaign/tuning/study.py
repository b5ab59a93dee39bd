"""The search's memory and its proposals: an Optuna study in a journal on disk. The only module that imports Optuna.

The journal holds every trial, the accuracies and the confirmation, each on disk before the next begins. A killed process
can leave a torn last line, which is cut off, and a trial under way, which is proposed again.
"""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.base.files import locked, machine_errors
from assay.campaign.tuning.accuracy import Scored
from assay.campaign.tuning.aim import Aim, Measured, front
from assay.campaign.tuning.space import Candidate, Space
from assay.campaign.tuning.trial import Ended, Trial, kept
from assay.errors import InvalidInputError, MissingDependencyError

if TYPE_CHECKING:
    import optuna

JOURNAL = "journal.jsonl"
LOCK = "tune.lock"
_MAX_BYTES = 64 << 20
_TRIAL, _USUAL, _ACCURACY, _RERUN = "assay", "usual", "accuracy", "rerun"
_STARTUP = 8
"""Trials that are drawn at random before what was measured guides the proposals, and the median the pruning."""


@dataclass(slots=True)
class Asked:
    """A proposal.

    Attributes:
        candidate: the setting.
    """

    candidate: Candidate
    _trial: optuna.Trial = field(repr=False)


class Study:
    """A search on disk, open in this process alone.

    Args:
        folder: of the search.
        space: what is searched.
        aim: what for.
        seed: of the proposals.
        study: Optuna's.
    """

    def __init__(self, folder: Path, space: Space, aim: Aim, seed: int, study: optuna.Study) -> None:
        self.path = folder / JOURNAL
        self.space, self.aim, self._seed, self._study = space, aim, seed, study
        usual = study.user_attrs.get(_USUAL)
        raw = [usual] if usual is not None else []
        raw += [
            trial.user_attrs[_TRIAL]
            for trial in study.get_trials(deepcopy=False)
            if _TRIAL in trial.user_attrs and trial.state.is_finished()
        ]
        self._trials = [kept(each, Trial, where=str(self.path)) for each in raw]
        self._random = random.Random(f"{seed}:{len(self._trials)}")

    @property
    def trials(self) -> tuple[Trial, ...]:
        """Everything that was tried, the usual setting first."""
        return tuple(self._trials)

    @property
    def best(self) -> list[tuple[Trial, Measured]]:
        """The trials that nothing beats, the best figure first."""
        held = [
            (trial, trial.measured)
            for trial in self._trials
            if trial.ended is Ended.MEASURED and trial.measured is not None
        ]
        return front(self.aim, held)

    def accuracies(self) -> dict[str, Scored]:
        """The accuracy of engines and formats, by their names."""
        raw = self._study.user_attrs
        return {
            name.partition(":")[2]: kept(value, Scored, where=str(self.path))
            for name, value in raw.items()
            if name.startswith(f"{_ACCURACY}:")
        }

    def keep_accuracy(self, engine: str, scored: Scored) -> None:
        """Keep the accuracy of an engine and a format."""
        self._study.set_user_attr(f"{_ACCURACY}:{engine}", asdict(scored))

    def rerun(self, key: str) -> Measured | None:
        """A run of the confirmation; None when it was not made yet."""
        raw = self._study.user_attrs.get(f"{_RERUN}:{key}")
        return None if raw is None else kept(raw, Measured, where=str(self.path))

    def keep_rerun(self, key: str, measured: Measured) -> None:
        """Keep a run of the confirmation."""
        self._study.set_user_attr(f"{_RERUN}:{key}", asdict(measured))

    def ask(self) -> Asked:
        """The next proposal."""
        trial = self._study.ask()

        def one(name: str, words: tuple[str, ...], ordered: bool) -> int:
            if ordered:
                return trial.suggest_int(name, 0, len(words) - 1)
            return words.index(trial.suggest_categorical(name, words))

        return Asked(self.space.pick(one), trial)

    def propose(self, candidate: Candidate) -> None:
        """Have a setting of the space proposed next."""
        choice = self.space.choice(candidate)
        assert choice is not None
        params: dict[str, Any] = {**choice}
        if "engine" in params:
            params["engine"] = self.space.words("engine")[params["engine"]]
        self._study.enqueue_trial(params)

    def fresh(self, barred: set[Candidate]) -> Candidate | None:
        """A setting at random that is not barred; None when there is none left."""
        left = [candidate for candidate in self.space.candidates() if candidate not in barred]
        return self._random.choice(left) if left else None

    def prune(self, asked: Asked, promise: float) -> bool:
        """Whether the probes of the trials before say that this one is not worth a run; never where two things count."""
        if self.aim.trade_off is not None:
            return False
        asked._trial.report(promise, 0)
        return asked._trial.should_prune()

    def tell(self, asked: Asked, trial: Trial) -> None:
        """Keep what came of a proposal."""
        from optuna.trial import TrialState

        handle = asked._trial
        handle.set_user_attr(_TRIAL, trial.to_dict())
        if trial.measured is None:
            self._study.tell(handle, state=TrialState.PRUNED)
        else:
            for name, share in self.aim.excess(trial.measured).items():
                handle.set_constraint(name, share)
            self._study.tell(handle, self.aim.values(trial.measured))
        self._trials.append(trial)

    def pass_over(self, asked: Asked) -> None:
        """Leave a proposal that says nothing new."""
        from optuna.trial import TrialState

        self._study.tell(asked._trial, state=TrialState.FAIL)

    def take_back(self, asked: Asked) -> None:
        """Leave a proposal that was interrupted; it comes again."""
        self.pass_over(asked)
        self.propose(asked.candidate)

    def keep_usual(self, trial: Trial) -> None:
        """Keep what came of the usual setting: as a trial, or apart where it is not in the space."""
        if self.space.choice(trial.candidate) is None:
            # As a trial without the space's dimensions it would keep Optuna from seeing them together.
            self._study.set_user_attr(_USUAL, trial.to_dict())
            self._trials.append(trial)
            return
        self.propose(trial.candidate)
        self.tell(self.ask(), trial)


@contextlib.contextmanager
def open_study(folder: Path, space: Space, aim: Aim, seed: int) -> Iterator[Study]:
    """Open a search, new or kept, for this process alone.

    Raises:
        MissingDependencyError: when Optuna is not installed.
        MachineError: when another process has it open.
        InvalidInputError: when its journal is damaged.
    """
    try:
        import optuna
        from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock, JournalStorage
    except ImportError as error:
        raise MissingDependencyError("Optuna is not installed", hint='pip install "assay[tune]"') from error

    class Held(JournalFileOpenLock):
        """A lock that is held already: by the one on the folder."""

        def acquire(self) -> bool:
            return True

        def release(self) -> None:
            return

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    path = folder / JOURNAL
    with machine_errors(path):
        folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / LOCK, timeout_s=0):
        _mend(path)
        towards = optuna.study.StudyDirection
        directions = [towards.MINIMIZE if aim.lower_is_better else towards.MAXIMIZE]
        directions += [towards.MINIMIZE] if aim.trade_off else []
        with _damage(path):
            study = optuna.create_study(
                storage=JournalStorage(JournalFileBackend(str(path), Held(str(path)))),
                study_name="assay",
                directions=directions,
                load_if_exists=True,
                pruner=optuna.pruners.MedianPruner(n_startup_trials=_STARTUP),
            )
            opened = Study(folder, space, aim, seed, study)
        # As many numbers are drawn again as were drawn before, were the seed the same after each interruption.
        study.sampler = optuna.samplers.TPESampler(
            n_startup_trials=_STARTUP, seed=seed + len(opened.trials), multivariate=True
        )
        _take_up(opened, study)
        yield opened


def _take_up(opened: Study, study: optuna.Study) -> None:
    """A trial that a killed process left under way is over; the loop finds its setting again as one not tried."""
    from optuna.trial import TrialState

    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
        if trial.params and opened.trials:
            study.enqueue_trial(trial.params)


@contextlib.contextmanager
def _damage(path: Path) -> Iterator[None]:
    """What Optuna raises for a journal that is none."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, AssertionError, RecursionError) as error:
        raise InvalidInputError(
            f"the journal of the search is damaged: {type(error).__name__}: {error}",
            where=path,
            hint="begin it again with --restart",
        ) from error


def _mend(path: Path) -> None:
    """Cut off a last line that a killed process did not finish.

    Raises:
        InvalidInputError: for a journal that no search writes.
    """
    if not path.exists():
        return
    with machine_errors(path), path.open("r+b") as stream:
        size = stream.seek(0, os.SEEK_END)
        if size > _MAX_BYTES:
            raise InvalidInputError("the journal of the search is too large", where=path, hint="--restart")
        stream.seek(0)
        whole = stream.read().rfind(b"\n") + 1
        if whole < size:
            stream.truncate(whole)
