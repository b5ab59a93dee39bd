"""Accuracy over the samples that TEST01 kept: once with the answers of the accuracy run, and once with those kept.

Source: compliance/nvidia/TEST01/create_accuracy_baseline.sh of mlcommons/inference, v2.0 to v3.1, which cuts the accuracy
run's log down to these samples; the accuracy script of the benchmark then scores both logs.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from assay.base.files import machine_errors
from assay.base.progress import Progress
from assay.errors import InvalidInputError
from assay.harness.spec import RunSpec
from assay.harness.supply import open_dataset
from assay.loadgen.compliance_answers import Answers, Scores
from assay.loadgen.names import ACCURACY
from assay.loadgen.walk import walk_accuracy
from assay.tasks.protocol import Accuracy, Dataset, ScoresParts, Task
from assay.tasks.registry import tasks

_SCRATCH = ".scored-"
Entry = tuple[int, bytes]


@dataclass(frozen=True, slots=True)
class PartScores:
    """Both accuracies."""

    baseline: Accuracy
    compliance: Accuracy

    @property
    def scores(self) -> Scores:
        """The metrics of both."""
        return Scores(self.baseline.metrics, self.compliance.metrics)


@dataclass(frozen=True, slots=True)
class Unscored:
    """There are no accuracies.

    Attributes:
        why: what is in the way, in words that follow "and".
    """

    why: str


def score_kept(
    run: Path, reference: Path, answers: Answers, spec: RunSpec, progress: Progress
) -> PartScores | Unscored:
    """Score the samples whose answers TEST01 kept, once with each run's answers.

    Where a sample was answered more than once, an answer that differs from the accuracy run's counts. One response is in
    memory at a time: a volume has millions of bytes.

    Args:
        run: folder of the test's run.
        reference: folder of the accuracy run.
        answers: as compared.
        spec: of the plain run.
        progress: told while samples are prepared.
    """
    if spec.dataset is None:
        return Unscored("there is no dataset to score them with")
    if not answers.samples or answers.unknown:
        return Unscored("they are not those of the accuracy run's samples")
    task = tasks().get(spec.task)
    dataset = open_dataset(spec, task, progress)
    if len(answers.samples) != dataset.count and not isinstance(task, ScoresParts):
        return Unscored("there is no accuracy of a part of the dataset for this task")
    for left in run.glob(f"{_SCRATCH}*"):  # of a process that was killed
        shutil.rmtree(left, ignore_errors=True)
    whole = len(answers.samples) == dataset.count
    with machine_errors(run), tempfile.TemporaryDirectory(dir=run, prefix=_SCRATCH) as scratch:
        before = _score(task, dataset, spec, _baseline(reference, answers), Path(scratch), whole=whole)
        after = _score(task, dataset, spec, _kept(run, reference), Path(scratch), whole=whole)
    if isinstance(before, str) or isinstance(after, str):
        which, why = ("of the accuracy run", before) if isinstance(before, str) else ("that were kept", after)
        return Unscored(f"the answers {which} cannot be scored: {why}")
    return PartScores(before, after)


def _score(
    task: Task, dataset: Dataset, spec: RunSpec, entries: Iterable[Entry], scratch: Path, *, whole: bool
) -> Accuracy | str:
    """The accuracy of some responses; why there is none where they are none of the task's."""
    log = scratch / ACCURACY
    _write(log, entries)
    try:
        if whole:
            return task.score(log, dataset, spec.recipe)
        assert isinstance(task, ScoresParts)
        return task.score_part(log, dataset, spec.recipe) or "the dataset has no accuracy of a part"
    except InvalidInputError as error:
        # A program may answer with anything where it thinks that nobody looks.
        return f"{error.what} ({error.found})" if error.found else error.what


def _baseline(reference: Path, answers: Answers) -> Iterator[Entry]:
    """The first answer of the accuracy run to each sample that was kept, in the order of its log."""
    wanted = set(answers.samples)
    for index, data in walk_accuracy(reference / ACCURACY):
        if index in wanted:
            wanted.remove(index)
            yield index, data


def _kept(run: Path, reference: Path) -> Iterator[Entry]:
    """One answer to each sample that was kept: the first that differs from the accuracy run's, else the first."""
    marks: dict[int, bytes] = {}
    for index, data in walk_accuracy(reference / ACCURACY):
        marks.setdefault(index, _mark(data))
    chosen: dict[int, tuple[int, bool]] = {}
    for number, (index, data) in enumerate(walk_accuracy(run / ACCURACY)):
        differs = _mark(data) != marks[index]
        if index not in chosen or (differs and not chosen[index][1]):
            chosen[index] = number, differs
    numbers = {number for number, _ in chosen.values()}
    for number, entry in enumerate(walk_accuracy(run / ACCURACY)):
        if number in numbers:
            yield entry


def _mark(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _write(log: Path, entries: Iterable[Entry]) -> None:
    """A log of LoadGen's form."""
    with log.open("w", encoding="ascii") as stream:
        stream.write("[\n")
        for number, (index, data) in enumerate(entries):
            comma = ",\n" if number else ""
            stream.write(f'{comma}{{ "seq_id" : {number}, "qsl_idx" : {index}, "data" : "{data.hex().upper()}" }}')
        stream.write("\n]\n")
