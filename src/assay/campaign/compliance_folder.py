"""The folder of a compliance test as a submission holds it, in the folder of its run.

``compliance/TEST01/`` holds ``verify_accuracy.txt``, ``verify_performance.txt``, ``accuracy/`` and
``performance/run_1/``: what submitters put under compliance/<system>/<benchmark>/<scenario>/.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from assay.base.files import machine_errors, sha256_file, write_atomic
from assay.base.progress import Progress
from assay.errors import InvalidInputError
from assay.harness.spec import RunSpec
from assay.harness.supply import open_dataset
from assay.loadgen.compliance import Verified
from assay.loadgen.compliance_answers import Answers, Scores
from assay.loadgen.names import ACCURACY, DETAIL, SUMMARY
from assay.loadgen.walk import walk_accuracy
from assay.tasks.protocol import Accuracy, Dataset, ScoresParts, Task
from assay.tasks.registry import tasks

FOLDER = "compliance"


@dataclass(frozen=True, slots=True)
class PartScores:
    """Accuracy over the samples that TEST01 kept: with the answers of the accuracy run, and with those kept."""

    baseline: Accuracy
    compliance: Accuracy

    @property
    def scores(self) -> Scores:
        """The metrics of both."""
        return Scores(self.baseline.metrics, self.compliance.metrics)


def score_kept(run: Path, reference: Path, answers: Answers, spec: RunSpec, progress: Progress) -> PartScores | None:
    """Score the samples whose answers TEST01 kept, once with each run's answers.

    Where a sample was answered more than once, an answer that differs from the accuracy run's counts.

    Args:
        run: folder of the test's run.
        reference: folder of the accuracy run.
        answers: as compared.
        spec: of the plain run.
        progress: told while samples are prepared.

    Returns:
        None where the task cannot score a part of its dataset, or there is nothing to score.
    """
    if spec.dataset is None or not answers.samples or answers.unknown:
        return None
    task = tasks().get(spec.task)
    dataset = open_dataset(spec, task, progress)
    if len(answers.samples) != dataset.count and not isinstance(task, ScoresParts):
        return None
    wanted = frozenset(answers.samples)
    baseline: dict[int, bytes] = {}
    for index, data in walk_accuracy(reference / ACCURACY):
        if index in wanted:
            baseline.setdefault(index, data)
    others = {index: data for index, data in walk_accuracy(run / ACCURACY) if data != baseline[index]}
    before = _score(task, dataset, spec, baseline, run)
    after = _score(task, dataset, spec, baseline | others, run)
    return PartScores(before, after) if before and after else None


def _score(task: Task, dataset: Dataset, spec: RunSpec, answers: Mapping[int, bytes], folder: Path) -> Accuracy | None:
    with tempfile.TemporaryDirectory(dir=folder, prefix=".scored-") as scratch:
        log = Path(scratch) / ACCURACY
        entries = (
            f'{{ "seq_id" : {number}, "qsl_idx" : {index}, "data" : "{data.hex().upper()}" }}'
            for number, (index, data) in enumerate(answers.items())
        )
        write_atomic(log, "[\n" + ",\n".join(entries) + "\n]\n")
        if len(answers) != dataset.count:
            assert isinstance(task, ScoresParts)
            return task.score_part(log, dataset, spec.recipe)
        return task.score(log, dataset, spec.recipe)


def write_folder(
    run: Path,
    test: str,
    speed: Verified | None,
    answers: Verified | None = None,
    scored: PartScores | None = None,
    *,
    exact: bool = True,
) -> Path:
    """Write the folder of a test from its run; returns it.

    Args:
        run: folder of the run, with LoadGen's logs.
        test: its name.
        speed: outcome of the comparison of speed; None for a test that needs none.
        answers: the same of the answers of TEST01.
        scored: both accuracies, where there are some.
        exact: the answers were equal, so that no accuracies have to be there.

    Raises:
        InvalidInputError: when a log of the run is missing.
        MachineError: when it cannot be written.
    """
    target = run / FOLDER / test
    with machine_errors(target):
        shutil.rmtree(target, ignore_errors=True)
        (target / "performance" / "run_1").mkdir(parents=True)
    _copy(run, target / "performance" / "run_1", (SUMMARY, DETAIL))
    if speed is not None:
        write_atomic(target / "verify_performance.txt", speed.text)
    if answers is not None:
        write_atomic(target / "verify_accuracy.txt", answers.text)
        _write_accuracy(run, target / "accuracy", scored, exact=exact)
    return target


def _write_accuracy(run: Path, target: Path, scored: PartScores | None, *, exact: bool) -> None:
    with machine_errors(target):
        target.mkdir()
    _copy(run, target, (ACCURACY,))
    hashed = f"hash={sha256_file(run / ACCURACY)}\n"
    write_atomic(target / "accuracy.txt", (f"{scored.compliance.text}\n" if scored else "") + hashed)
    if scored is not None and not exact:
        write_atomic(target / "baseline_accuracy.txt", f"{scored.baseline.text}\n")
        write_atomic(target / "compliance_accuracy.txt", f"{scored.compliance.text}\n")


def _copy(source: Path, target: Path, names: Iterable[str]) -> None:
    for name in names:
        if not (source / name).is_file():
            raise InvalidInputError("the run has no such log", where=source / name)
        with machine_errors(target):
            shutil.copyfile(source / name, target / name)
