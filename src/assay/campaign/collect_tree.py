"""All the finished LoadGen logs below a folder: found, told apart, adopted; what cannot be taken is told with its reason."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from assay.base.progress import Progress
from assay.base.settings import Settings
from assay.campaign.collect import AlreadyHereError, Collection, adopted, collect
from assay.errors import AssayError, InvalidInputError, MachineError, NotFoundError, UsageError
from assay.loadgen.names import ACCURACY, DETAIL, SUMMARY
from assay.loadgen.record import RunRecord
from assay.loadgen.runs import RunCatalogue
from assay.rules.load import load_round
from assay.rules.model import Round

_SIGNS = frozenset({SUMMARY, DETAIL, ACCURACY})
_DEPTH, _MOST_FOLDERS, _MOST_RUNS = 16, 100_000, 5_000
_TEST = re.compile(r"TEST\d\d(?:-[AB])?", re.IGNORECASE)
_PART = re.compile(r"accuracy|performance|power|run_\d+", re.IGNORECASE)
"""Folders below that of a result in the official layout."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Logs that were not adopted.

    Attributes:
        folder: where they are.
        why: in words.
        error: what was wrong with them; None where they were left out on purpose.
        known: the run that they are already; empty when they are none.
    """

    folder: Path
    why: str
    error: AssayError | None = None
    known: str = ""


@dataclass(slots=True)
class Adopted:
    """What came of a tree."""

    records: list[RunRecord] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    @property
    def refused(self) -> list[LeftOut]:
        """Logs that were wrong."""
        return [each for each in self.left_out if each.error is not None]


def collect_all(
    given: Collection, benchmark: str | None, folders: tuple[Path, ...], settings: Settings, progress: Progress
) -> Adopted:
    """Adopt the logs in each folder, or else all below it.

    A folder that holds logs itself is taken or refused as :func:`collect` does. Below any other one every set of logs is
    taken that can be; one that is damaged, partial or known does not keep the others back.

    Args:
        given: what is said of all of them; its folder and benchmark are those of each.
        benchmark: that was run; where it is None, the path has to name it.
        folders: that the user names.
        settings: where runs are kept.
        progress: told while it goes on.

    Raises:
        NotFoundError: for a folder without logs, or an unknown name.
        InvalidInputError: for logs in a named folder that are damaged; a tree that is too large.
        UsageError: for what the round does not have, or logs in a named folder that were adopted before.
    """
    collector = _Collector(given, benchmark, settings, progress)
    for folder in folders:
        whole = folder.expanduser().absolute()
        if has_logs(whole):
            collector.named(whole)
        else:
            collector.below(whole)
    return collector.found


def has_logs(folder: Path) -> bool:
    """Whether a folder itself holds logs, whole or in part."""
    return any((folder / name).is_file() for name in _SIGNS)


def named_by(folder: Path, round_: Round) -> str:
    """The benchmark that a path names, the part nearest to its end.

    Raises:
        UsageError: when it names none of the round.
    """
    names = {
        name.casefold(): benchmark.name
        for benchmark in round_.benchmarks.values()
        for name in (benchmark.name, *benchmark.aliases)
    }
    for part in reversed(folder.parts):
        if part.casefold() in names:
            return names[part.casefold()]
    raise UsageError(
        "LoadGen's logs do not say what was run, and no folder of the path is named after a benchmark",
        where=folder,
        expected=f"--benchmark, one of round {round_.name}: assay benchmarks --round {round_.name}",
    )


class _Collector:
    """Adopts one set of logs after another."""

    def __init__(self, given: Collection, benchmark: str | None, settings: Settings, progress: Progress) -> None:
        self._given = given
        self._benchmark = benchmark
        self._settings = settings
        self._progress = progress
        self._round = load_round(given.round)
        self._runs = RunCatalogue(settings.runs_dir)
        self._known = adopted(self._runs)
        self._together = given.group or self._runs.new_group()
        self._groups: dict[tuple[str, Path], str] = {}
        self.found = Adopted()

    def named(self, folder: Path) -> None:
        """Adopt the logs of a folder that the user named; all of these are one result."""
        self._adopt(folder, self._benchmark_of(folder), self._together)

    def below(self, root: Path) -> None:
        """Adopt what can be of all logs below a folder."""
        places = list(_places(root, self._settings.runs_dir, self.found))
        step = self._progress.start(f"logs below {root.name}", total=len(places), unit="runs")
        try:
            for number, place in enumerate(places, 1):
                self._take(place)
                step.update(done=number)
        finally:
            step.finish()

    def _take(self, place: Path) -> None:
        if why := _on_purpose(place):
            self.found.left_out.append(LeftOut(place, why))
            return
        try:
            name = self._benchmark_of(place)
            self._adopt(place, name, self._groups.setdefault((name, _result(place)), self._runs.new_group()))
        except AlreadyHereError as error:
            self.found.left_out.append(LeftOut(place, "a run here already", known=error.found or ""))
        except (UsageError, NotFoundError, InvalidInputError) as error:
            self.found.left_out.append(LeftOut(place, error.what, error))

    def _benchmark_of(self, folder: Path) -> str:
        return self._benchmark or named_by(folder, self._round)

    def _adopt(self, folder: Path, benchmark: str, group: str) -> None:
        given = replace(self._given, folder=folder, benchmark=benchmark, group=group)
        record = collect(given, self._settings, self._progress, self._known)
        self.found.records.append(record)
        self._known[record.logs[DETAIL]] = record.id


def _on_purpose(place: Path) -> str:
    """Why logs are no run of their own, by the folders they lie in; empty for all others."""
    for part in place.parts:
        if _TEST.fullmatch(part):
            return f"of compliance test {part.upper()}, which is judged beside the run that it belongs to"
    if any(part.casefold() == "ranging" for part in place.parts[-3:]):
        return "the ranging run of a power measurement, which is no result"
    return ""


def _result(place: Path) -> Path:
    """The folder of the result that logs belong to: an accuracy run and a performance run beside it are one."""
    while _PART.fullmatch(place.name):
        place = place.parent
    return place


def _places(root: Path, home: Path, found: Adopted) -> Iterator[Path]:
    """Folders below that hold logs, sorted, but for the runs of the home itself; links are not followed.

    Raises:
        NotFoundError: for a folder that is not there, or has no logs below.
        InvalidInputError: for a tree that is too large to be meant.
    """
    if not root.is_dir():
        raise NotFoundError("there is no such folder", where=root)
    there = 0

    def closed(error: OSError) -> None:
        refusal = MachineError(f"cannot be read: {error.strerror}", where=error.filename)
        found.left_out.append(LeftOut(Path(error.filename), refusal.what, refusal))

    for seen, (path, folders, files) in enumerate(os.walk(root, followlinks=False, onerror=closed), 1):
        folders[:] = sorted(name for name in folders if Path(path, name) != home)
        if len(Path(path).relative_to(root).parts) >= _DEPTH:
            folders.clear()
        if _SIGNS.intersection(files):
            there += 1
            yield Path(path)
        if seen > _MOST_FOLDERS or there > _MOST_RUNS:
            raise InvalidInputError(
                "the tree is too large",
                where=root,
                expected=f"at most {_MOST_FOLDERS:,} folders and {_MOST_RUNS:,} runs",
                hint="name the folders below it that you mean",
            )
    if not there and not found.left_out:
        raise NotFoundError("no LoadGen logs", where=root, expected=f"{SUMMARY} and {DETAIL} in it or below")
