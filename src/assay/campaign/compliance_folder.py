"""The folder of a compliance test as a submission holds it, in the folder of its run.

``compliance/TEST01/`` holds ``verify_accuracy.txt``, ``verify_performance.txt``, ``accuracy/`` and
``performance/run_1/``: what submitters put under compliance/<system>/<benchmark>/<scenario>/.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from assay.base.files import machine_errors, sha256_file, write_atomic
from assay.campaign.compliance_scores import PartScores
from assay.errors import InvalidInputError
from assay.loadgen.compliance import Verified
from assay.loadgen.names import ACCURACY, DETAIL, SUMMARY

FOLDER = "compliance"
_MADE = ".compliance-"


def write_folder(
    run: Path,
    test: str,
    speed: Verified | None,
    answers: Verified | None = None,
    scored: PartScores | None = None,
    *,
    exact: bool = True,
    timed: bool = True,
) -> Path:
    """Write the folder of a test from its run; returns it. It is there as a whole, or not at all.

    Args:
        run: folder of the run, with LoadGen's logs.
        test: its name.
        speed: outcome of the comparison of speed; None for a test that has none.
        answers: the same of the answers of TEST01.
        scored: both accuracies, where there are some.
        exact: the answers were equal, so that no accuracies have to be there.
        timed: it holds the performance run; the folder of TEST06 has responses only.

    Raises:
        InvalidInputError: when a log of the run is missing.
        MachineError: when it cannot be written.
    """
    target = run / FOLDER / test
    with machine_errors(target):
        for left in run.glob(f"{_MADE}*"):  # of a process that was killed
            shutil.rmtree(left, ignore_errors=True)
        target.parent.mkdir(exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=_MADE, dir=run))
        old = made.with_name(f"{made.name}.old")
        try:
            if timed:
                _write_performance(run, made, speed)
            if answers is not None:
                _write_answers(run, made, answers)
            if answers is not None and timed:
                _write_accuracy(run, made / "accuracy", scored, exact=exact)
            made.chmod(0o755)
            # Nobody may meet a half: between the two renames there is none, and then the whole.
            if target.exists():
                target.rename(old)
            made.rename(target)
        finally:
            for left in (made, old):
                shutil.rmtree(left, ignore_errors=True)
    return target


def _write_performance(run: Path, target: Path, speed: Verified | None) -> None:
    (target / "performance" / "run_1").mkdir(parents=True)
    _copy(run, target / "performance" / "run_1", (SUMMARY, DETAIL))
    if speed is not None:
        write_atomic(target / "verify_performance.txt", speed.text)


def _write_answers(run: Path, target: Path, answers: Verified) -> None:
    write_atomic(target / "verify_accuracy.txt", answers.text)
    (target / "accuracy").mkdir()
    _copy(run, target / "accuracy", (ACCURACY,))


def _write_accuracy(run: Path, target: Path, scored: PartScores | None, *, exact: bool) -> None:
    hashed = f"hash={sha256_file(run / ACCURACY)}\n"
    write_atomic(target / "accuracy.txt", (f"{scored.compliance.text}\n" if scored else "") + hashed)
    if scored is not None and not exact:
        write_atomic(target / "baseline_accuracy.txt", f"{scored.baseline.text}\n")
        write_atomic(target / "compliance_accuracy.txt", f"{scored.compliance.text}\n")


def _copy(source: Path, target: Path, names: Iterable[str]) -> None:
    for name in names:
        if not (source / name).is_file():
            raise InvalidInputError("the run has no such log", where=source / name)
        shutil.copyfile(source / name, target / name)
