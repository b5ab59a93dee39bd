"""What a power measurement left behind, read once for all checks: hashes, LoadGen's windows, the daemon's logs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from io import FileIO

from assay.loadgen.names import DETAIL
from assay.submission.power import files
from assay.submission.power.record import MalformedError, Session, parse_session
from assay.submission.power.window import LoadWindow, WindowError, WindowScan
from assay.submission.tree import Folder

CLIENT, SERVER = "power/client.json", "power/server.json"
RANGING, TESTING = "ranging", "run_1"
SPL = "spl.txt"
PTD_LOG = "power/ptd_logs.txt"
_KEPT = frozenset({PTD_LOG, f"{RANGING}/{SPL}", f"{TESTING}/{SPL}"})


@dataclass(slots=True)
class _Read:
    """A file that was read once."""

    sha1: str = ""
    window: LoadWindow | WindowError | None = None
    raw: bytes | None = None


@dataclass(slots=True)
class Evidence:
    """The ``performance/`` folder of a result whose power was measured.

    Attributes:
        root: of the tree on the disk.
        relative: path of the folder, relative to the tree.
        folder: its listing.
    """

    root: str
    relative: str
    folder: Folder
    _read: dict[str, _Read] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Path of the folder on the disk."""
        return f"{self.root}/{self.relative}" if self.relative else self.root

    def place(self, name: str) -> str:
        """Path of a file relative to the tree."""
        return f"{self.relative}/{name}" if self.relative else name

    def listed(self) -> dict[str, str]:
        """Names of what the official checker opens below the folder, and why each cannot be opened (mostly empty)."""
        return files.listed(self.folder, self.path)

    def unreadable(self, name: str) -> str:
        """Why a file cannot be opened, in words; empty when it can."""
        return files.unreadable(self.path, self.folder, name)

    def sha1(self, name: str) -> str:
        """SHA-1 of a file of at most 4 GiB, 40 lower-case hex digits.

        Raises:
            OSError: when it cannot be read.
        """
        return self._load(name).sha1

    def small(self, name: str) -> bytes:
        """Content of a file of at most 16 MiB, read anew.

        Raises:
            OSError: when it cannot be read.
        """
        return files.read(self.path, self.folder, name)

    def raw(self, name: str) -> bytes:
        """Content of the daemon's log or of a run's samples, at most 16 MiB.

        Raises:
            MalformedError: when it cannot be read, or is larger.
        """
        try:
            raw = self._load(name).raw
        except OSError as error:
            raise MalformedError(self.place(name), "", files.problem(error)) from None
        if raw is None:
            raise MalformedError(self.place(name), "", f"larger than {files.MAX_TEXT >> 20} MiB")
        return raw

    def window(self, run: str) -> LoadWindow:
        """When LoadGen ran, from a run's detail log.

        Raises:
            WindowError: when the log does not say, or cannot be read.
        """
        name = f"{run}/{DETAIL}"
        try:
            window = self._load(name).window
        except OSError as error:
            raise WindowError(self.place(name), "", files.problem(error)) from None
        if isinstance(window, LoadWindow):
            return window
        assert window is not None
        raise window

    def session(self, name: str, required: Iterable[str]) -> Session:
        """One of the two session files, of at most 8 MiB.

        Raises:
            MalformedError: when it is not there, no JSON object, or lacks one of the ``required`` keys.
        """
        try:
            raw = files.read(self.path, self.folder, name, files.MAX_SESSION)
        except OSError as error:
            raise MalformedError(self.place(name), "", files.problem(error)) from None
        return parse_session(raw, self.place(name), required)

    def _load(self, name: str) -> _Read:
        if name not in self._read:
            with files.opened(self.path, self.folder, name) as file:
                self._read[name] = self._take(name, file)
        return self._read[name]

    def _take(self, name: str, file: FileIO) -> _Read:
        """Hash a file, and keep what is asked of it later: a window, or the content of a small one."""
        digest = hashlib.sha1(usedforsecurity=False)
        scan = WindowScan(self.place(name)) if name.endswith(f"/{DETAIL}") else None
        kept: list[bytes] | None = [] if name in _KEPT else None
        size = 0
        for piece in files.pieces(file):
            digest.update(piece)
            size += len(piece)
            if scan is not None:
                scan.feed(piece)
            if size > files.MAX_TEXT:
                kept = None
            elif kept is not None:
                kept.append(piece)
        raw = None if kept is None else b"".join(kept)
        return _Read(digest.hexdigest(), scan.finish() if scan is not None else None, raw)
