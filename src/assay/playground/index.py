"""The index as a server reads it: always up to date, opened once for each audience, never in the way of a writer.

A thread compares the files with the index every few seconds; a request reads what is open already. A new index is opened
beside the old one, which goes when the last request that reads it is done.
"""

from __future__ import annotations

import bisect
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from assay.base.settings import Settings
from assay.errors import AssayError
from assay.expressions import Schema
from assay.results.audience import Audience
from assay.results.metrics import Metrics, load_metrics, load_values
from assay.results.store import Store, embargoes_of, open_seen, update

_AUDIENCES = 16
"""Audiences that are kept open; of others the index is opened anew."""


def utc_text(moment: datetime) -> str:
    """A moment as rows write it: UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class _Open:
    store: Store
    version: str


@dataclass(slots=True)
class Index:
    """What a server reads results from.

    Args:
        settings: say where the files are.
        clock: the time, in UTC.
        every_s: seconds between looks at the files.
    """

    settings: Settings
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    every_s: float = 2.0
    problem: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _open: OrderedDict[str, _Open] = field(default_factory=OrderedDict, repr=False)
    _path: Path | None = field(default=None, repr=False)
    _version: str = field(default="", repr=False)
    _embargoes: list[str] = field(default_factory=list, repr=False)
    _names: Schema | None = field(default=None, repr=False)
    _metrics: Metrics | None = field(default=None, repr=False)
    _stopping: threading.Event = field(default_factory=threading.Event, repr=False)
    _watching: threading.Thread | None = field(default=None, repr=False)

    def start(self) -> None:
        """Bring the index up to date and keep it so; once, however often it is called."""
        if self._watching is not None:
            return
        self.refresh()
        self._watching = threading.Thread(target=self._watch, name="assay-index", daemon=True)
        self._watching.start()

    def stop(self) -> None:
        """Look at the files no more."""
        self._stopping.set()
        if self._watching is not None:
            self._watching.join(timeout=10)
        with self._lock:
            self._open.clear()

    @property
    def version(self) -> str:
        """Another text when there may be something else to see: of files, of metrics, or because an embargo has ended."""
        ended = bisect.bisect_right(self._embargoes, utc_text(self.clock())) if self._embargoes else 0
        return f"{self._version}.{ended}"

    def age_s(self) -> float:
        """Seconds since the index was made; 0 before there is one."""
        return max(0.0, self.clock().timestamp() - self._path.stat().st_mtime) if self._path else 0.0

    def size(self) -> float:
        """Bytes of the index."""
        return float(self._path.stat().st_size) if self._path else 0.0

    @property
    def names(self) -> Schema:
        """Fields, metrics and the user's numbers that expressions may use."""
        if self._names is None:
            self.refresh()
        assert self._names is not None
        return self._names

    @property
    def metrics(self) -> Metrics:
        """The derived metrics."""
        if self._metrics is None:
            self.refresh()
        assert self._metrics is not None
        return self._metrics

    def refresh(self) -> None:
        """Take in what has changed in the files now.

        Raises:
            AssayError: when the index cannot be written, or a metric cannot be read.
        """
        path = update(self.settings)
        there = path.stat()
        version = f"{there.st_ino:x}-{there.st_mtime_ns:x}-{there.st_size:x}"
        metrics = load_metrics(self.settings)
        names = metrics.schema(load_values(self.settings, metrics.asked))
        version += f"-{zlib.crc32(repr(names).encode()):x}"
        if version == self._version:
            return
        embargoes = embargoes_of(path)
        with self._lock:
            self._open.clear()
            self._embargoes = embargoes
            self._path, self._version, self._names, self._metrics = path, version, names, metrics

    def seen_by(self, audience: Audience) -> Store:
        """The results that an audience may see, for one thread.

        Raises:
            MachineError: when the index cannot be opened.
        """
        version = self.version
        with self._lock:
            kept = self._open.get(audience.key)
            if kept is not None and (audience.everything or kept.version == version):
                self._open.move_to_end(audience.key)
                return kept.store.cursor()
        if self._path is None:
            self.refresh()
        path, files, version = self._path, self._version, self.version
        assert path is not None
        # After the version: what an embargo's end adds may be there too soon for it, and never too late.
        now = self.clock()
        store = open_seen(path, audience, utc_text(now))
        with self._lock:
            if files == self._version:
                self._open[audience.key] = _Open(store, version)
                while len(self._open) > _AUDIENCES:
                    self._open.popitem(last=False)
        return store.cursor()

    def _watch(self) -> None:
        while not self._stopping.wait(self.every_s):
            try:
                self.refresh()
            except (AssayError, OSError) as error:
                # Served from what is open; told on the health page. The next look may find the disk in order again.
                self.problem = str(error)
            else:
                self.problem = ""
