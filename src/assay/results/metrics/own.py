"""Metric files of one's own: checked beside all others, tested by their examples, put into the user's folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.base.files import write_atomic
from assay.base.settings import Settings
from assay.errors import AssayError, InvalidInputError, UsageError
from assay.results.metrics.catalogue import FOLDER, BrokenMetric, Metrics, arranged, files_read, load_metrics
from assay.results.metrics.examples import Outcome, outcomes
from assay.results.metrics.model import Metric, Origin
from assay.results.metrics.reader import read_metric


@dataclass(frozen=True, slots=True)
class Added:
    """What adding a file did, or would do.

    Attributes:
        metric: that the file gives.
        path: where it lies in the user's folder.
        written: whether it was written.
        same: it lay there already, letter by letter.
        replaces: whose metric it goes before; None for a new name.
        breaks: metrics that cannot be reckoned any more because of it.
    """

    metric: Metric
    path: Path
    written: bool
    same: bool
    replaces: Origin | None
    breaks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A file that was tested.

    Attributes:
        name: of the metric.
        path: of the file.
        error: why there is no metric or an example cannot be reckoned; None when all is well.
        outcomes: of its examples.
    """

    name: str
    path: Path
    error: AssayError | None
    outcomes: tuple[Outcome, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether there is a metric, and every example of it comes out."""
        return self.error is None and all(each.passed for each in self.outcomes)


def add(settings: Settings, file: Path, *, force: bool = False, dry_run: bool = False) -> Added:
    """Check a metric file and put it into the user's folder.

    Args:
        settings: where the home is.
        file: to be added.
        force: replace the user's own metric of that name, and break what can no longer be reckoned.
        dry_run: check and write nothing.

    Raises:
        NotFoundError: when there is no file.
        InvalidInputError: when it gives no metric, or an example of it does not come out.
        UsageError: when the user has a metric of that name already, or others would break.
        MachineError: when it cannot be written.
    """
    before = load_metrics(settings)
    metric, after = _beside(settings, file)
    found = _report(metric, after)
    if found.error is not None:
        raise found.error
    for outcome in found.outcomes:
        if not outcome.passed:
            raise InvalidInputError(
                "the example does not come out", where=outcome.example.where, hint=f"assay metrics test {file}"
            )
    target = settings.home / FOLDER / f"{metric.name}.yaml"
    content = file.read_bytes()
    there = target.is_file()
    same = there and target.read_bytes() == content
    if there and not same and not force:
        raise UsageError(
            f"you have a metric {metric.name!r} already", where=target, hint=f"assay metrics add {file} --force"
        )
    broken = {each.name for each in after.broken} - {each.name for each in before.broken}
    breaks = tuple(sorted(broken & set(before.by_name)))
    if breaks and not force:
        raise UsageError(
            f"with it {', '.join(breaks)} could not be reckoned any more",
            where=file,
            hint=f"another name, or assay metrics add {file} --force",
        )
    if not (dry_run or same):
        write_atomic(target, content)
    old = before.by_name.get(metric.name)
    return Added(metric, target, not (dry_run or same), same, old.origin if old else None, breaks)


def examined(settings: Settings, files: Sequence[Path] = ()) -> list[Report]:
    """Check metrics and reckon their examples.

    Args:
        settings: where the home is.
        files: to be tested, each as if it lay in the user's folder; none for all metrics there are.
    """
    if files:
        return [_one(settings, file) for file in files]
    metrics = load_metrics(settings)
    broken = [Report(each.name, each.path, each.error) for each in metrics.broken]
    return [*(_report(each, metrics) for each in metrics.by_name.values()), *broken]


def _one(settings: Settings, file: Path) -> Report:
    try:
        metric, metrics = _beside(settings, file)
    except AssayError as error:
        return Report(file.stem, file, error)
    return _report(metric, metrics)


def _beside(settings: Settings, file: Path) -> tuple[Metric, Metrics]:
    """The metric of a file, and all metrics as they are with it."""
    read = read_metric(file)
    # The user's own of that name, which it would replace, is as good as gone.
    others = [each for each in files_read(settings) if not _same_place(each, read, settings)]
    metrics = arranged([read, *others])
    for each in metrics.broken:
        if each.path == file:
            raise each.error
    return metrics.by_name[read.name], metrics


def _same_place(each: Metric | BrokenMetric, read: Metric, settings: Settings) -> bool:
    return each.name == read.name and each.path.parent == settings.home / FOLDER


def _report(metric: Metric, metrics: Metrics) -> Report:
    try:
        return Report(metric.name, metric.path, None, tuple(outcomes(metric, metrics)))
    except AssayError as error:
        return Report(metric.name, metric.path, error)
