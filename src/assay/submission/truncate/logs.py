"""Which accuracy logs a tree has, and which of them need work.

Source: ``tools/submission/truncate_accuracy_log.py``, tags v2.0 to v3.1: logs of all results, and of TEST01 below
``compliance``; one with a hash in ``accuracy.txt`` and below the limit is done.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assay.base.files import open_regular
from assay.submission.tree import Folder, TreeReader
from assay.submission.truncate.cut import LOG, MAX_TEXT, TEXT, looks_cut, recorded_hash
from assay.submission.truncate.model import State

_OUT = "a link leads out of the submitter's folder, to nowhere or in a circle"


@dataclass(frozen=True, slots=True)
class AccuracyLog:
    """A log and what is to be done with it.

    Attributes:
        path: of the log, relative to the root.
        log: its real path, with links followed.
        text: real path of its ``accuracy.txt``, there or not.
        size: in bytes.
        state: KEPT, MISSING, REFUSED, or CUT where there is work.
        note: why it is refused.
    """

    path: str
    log: str
    text: str
    size: int
    state: State
    note: str = ""


def find_logs(reader: TreeReader, parts: Sequence[str], limit: int) -> list[AccuracyLog]:
    """All accuracy logs below the submitters' folders, in the order of the disk.

    Args:
        parts: the submitters' folders, such as ``closed/Acme``.
        limit: size in bytes from which a log has to be cut.
    """
    found: list[AccuracyLog] = []
    for part in parts:
        finder = _Finder(reader, part, limit)
        found += finder.results(reader.read(f"{part}/results"))
        found += finder.compliance(reader.read(f"{part}/compliance"))
    return found


def read_text(path: str) -> bytes | None:
    """``accuracy.txt``; None when it is not there.

    Raises:
        OSError: when it cannot be read, or is larger than 64 MiB.
    """
    try:
        with open_regular(path) as file:
            if os.fstat(file.fileno()).st_size > MAX_TEXT:
                raise OSError(errno.EFBIG, "larger than 64 MiB", path)
            return file.readall()
    except FileNotFoundError:
        return None


class _Finder:
    """Finds the logs of one submitter."""

    def __init__(self, reader: TreeReader, part: str, limit: int) -> None:
        self._root = reader.root
        self._part = part
        self._limit = limit
        self._real = os.path.realpath(os.path.join(reader.root, part))

    def results(self, results: Folder) -> Iterator[AccuracyLog]:
        """Logs of ``results/<system>/<model>/<scenario>/accuracy``."""
        for path, scenario in self._scenarios(results, f"{self._part}/results"):
            if scenario is None:
                yield self._refused(path, _OUT)
            elif scenario.folders or scenario.outside:
                yield self._log(path, scenario, compliance=False)

    def compliance(self, compliance: Folder) -> Iterator[AccuracyLog]:
        """Logs of ``compliance/<system>/<model>/<scenario>/TEST01/accuracy``."""
        for path, scenario in self._scenarios(compliance, f"{self._part}/compliance"):
            if scenario is None or "TEST01" in scenario.outside:
                yield self._refused(path, _OUT)
            elif "TEST01" in scenario.folders:
                yield self._log(f"{path}/TEST01", scenario.folders["TEST01"], compliance=True)

    def _scenarios(self, top: Folder, path: str) -> Iterator[tuple[str, Folder | None]]:
        """Scenario directories; None for the links on the way that lead out."""
        level: list[tuple[str, Folder]] = [(path, top)]
        for _ in range(3):
            below: list[tuple[str, Folder]] = []
            for here, folder in level:
                outside = [f"{here}/{name}" for name in folder.outside]
                yield from ((each, None) for each in outside if os.path.isdir(os.path.join(self._root, each)))
                below += [(f"{here}/{name}", inner) for name, inner in folder.folders.items()]
            level = below
        yield from level

    def _log(self, path: str, folder: Folder, *, compliance: bool) -> AccuracyLog:
        accuracy, log = folder.folders.get("accuracy"), f"{path}/accuracy/{LOG}"
        if "accuracy" in folder.outside or (accuracy is not None and {LOG, TEXT} & {*accuracy.outside}):
            return self._refused(log, _OUT)
        if accuracy is None or LOG not in accuracy.files:
            return AccuracyLog(log, "", "", 0, State.MISSING, "there is no accuracy log")
        real = os.path.realpath(os.path.join(self._root, log))
        text = os.path.realpath(os.path.join(self._root, path, "accuracy", TEXT))
        if not all(each.startswith(self._real + os.sep) for each in (real, text)):
            return self._refused(log, _OUT)
        size = accuracy.files[LOG][0]
        try:
            state, note = self._judge(real, text, size, compliance=compliance)
        except OSError as error:
            state, note = State.REFUSED, f"it cannot be read: {error.strerror or error}"
        return AccuracyLog(log, real, text, size, state, note)

    def _judge(self, log: str, text: str, size: int, *, compliance: bool) -> tuple[State, str]:
        said = read_text(text)
        if said is None and not compliance:
            return State.REFUSED, f"{TEXT} is missing; the accuracy script of the benchmark writes it"
        if said is not None and recorded_hash(said) is not None and size < self._limit:
            return State.KEPT, ""
        if looks_cut(log, self._limit):
            return State.REFUSED, f"it was cut before and {TEXT} has no hash; put the original back"
        return State.CUT, ""

    def _refused(self, path: str, why: str) -> AccuracyLog:
        return AccuracyLog(path, "", "", 0, State.REFUSED, why)
