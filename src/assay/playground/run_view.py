"""A run as a page shows it: cut to what fits, in words, with everything that says what its figures are."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

from assay.loadgen.live import Snapshot
from assay.loadgen.logs import LogMessage
from assay.loadgen.names import TRACE
from assay.loadgen.record import RunRecord, RunStatus
from assay.loadgen.runs import RunFolder
from assay.playground import run_files
from assay.playground.page import PageModel
from assay.playground.run_files import POWER, PROGRESS, Stamp
from assay.results import words
from assay.results.figures import Drawing, power_drawings, run_drawings
from assay.results.from_run import uid_of
from assay.results.report import run_facts, run_tiles

_LONGEST = 300
_MOST = 200
_LARGEST_TRACE = 64 << 20

Pair = tuple[str, str]


class RunLine(PageModel):
    """A run in a list."""

    id: str
    subject: str
    benchmark: str
    scenario: str
    mode: str
    created: str
    state: str
    kind: str
    figure: str
    accuracy: str
    standing: str
    labels: tuple[str, ...]
    problem: str
    share: float | None = None
    eta_s: float | None = None


class Look(PageModel):
    """A running test at one moment: seconds, samples, samples a second, nanoseconds."""

    elapsed_s: float
    issued: float
    done: float
    rate: float
    p50_ns: float | None
    p90_ns: float | None
    p99_ns: float | None
    eta_s: float | None


class LivePage(PageModel):
    """How a run is doing, from a place in its progress file on."""

    id: str
    state: str
    running: bool
    phase: str
    share: float | None
    latest: Look | None
    looks: tuple[Look, ...]
    log: str
    tail: tuple[str, ...]
    offset: int


class ConstraintLine(PageModel):
    """One thing that a run has to hold."""

    name: str
    met: bool
    limit: str
    measured: str
    source: str
    fix: str
    asked_by: str


class MessageLine(PageModel):
    """A warning or an error of LoadGen, explained."""

    text: str
    meaning: str
    line: int
    error: bool


class Label(PageModel):
    """A label with what it says."""

    name: str
    meaning: str


class ChartLine(PageModel):
    """A chart: its name in addresses, and what it shows."""

    name: str
    title: str
    text: str


class FileLine(PageModel):
    """A file of the run."""

    name: str
    size: int
    sha256: str
    changed: bool


class RunPage(PageModel):
    """A run in full."""

    run: RunLine
    failure: str
    reported: bool | None
    valid: bool | None
    accepted: bool | None
    tiles: tuple[Pair, ...]
    constraints: tuple[ConstraintLine, ...]
    reasons: tuple[str, ...]
    advice: tuple[str, ...]
    labels: tuple[Label, ...]
    deviations: tuple[tuple[str, str, str], ...]
    messages: tuple[MessageLine, ...]
    charts: tuple[ChartLine, ...]
    facts: tuple[Pair, ...]
    machine: tuple[Pair, ...]
    versions: tuple[Pair, ...]
    settings: tuple[Pair, ...]
    files: tuple[FileLine, ...]
    group: tuple[RunLine, ...]
    command: str
    result: str
    live: LivePage


def run_line(run: run_files.ListedRun, folder: Path | None = None) -> RunLine:
    """A run for a list; with its folder a running one says how far it is."""
    record = run.record
    if record is None:
        return RunLine(
            id=run.id, subject="", benchmark="", scenario="", mode="", created="", state="unreadable", kind="bad",
            figure="", accuracy="", standing="", labels=(), problem=run.problem,
        )  # fmt: skip
    share = eta_s = None
    if record.status is RunStatus.RUNNING and folder is not None:
        latest = _latest(run_files.progress(folder / run.id).snapshots)
        share, eta_s = _share(latest), latest.eta_s if latest else None
    return RunLine(
        id=run.id,
        subject=cut(f"{Path(record.model.name).name}, {words.engine(record)}"),
        benchmark=cut(record.benchmark),
        scenario=cut(record.scenario),
        mode=cut(record.mode),
        created=cut(record.created),
        state=words.state(record),
        kind=_kind(record),
        figure=cut(words.figure(record.figures)),
        accuracy=cut(words.accuracy(record.figures)),
        standing=words.standing(record),
        labels=tuple(label.value for label in record.labels),
        problem=cut(record.failure or ""),
        share=share,
        eta_s=eta_s,
    )


def _kind(record: RunRecord) -> str:
    """The colour of a state."""
    if record.status is RunStatus.RUNNING:
        return "note"
    if record.status is not RunStatus.FINISHED:
        return "warn" if record.status is RunStatus.INTERRUPTED else "bad"
    return "" if record.verdict is None else "good" if record.verdict.valid else "bad"


def live_page(path: Path, record: RunRecord, offset: int = 0) -> LivePage:
    """How a run is doing, from a place in its progress file on."""
    found = run_files.progress(path, offset)
    log, lines = run_files.tail(path)
    latest = _latest(found.snapshots)
    running = record.status is RunStatus.RUNNING
    return LivePage(
        id=path.name,
        state=words.state(record),
        running=running,
        phase=cut(found.phase.text()) if found.phase else "",
        share=_share(latest) if running else 1.0,
        latest=latest,
        looks=tuple(Look(**asdict(each)) for each in found.snapshots[-_MOST:]),
        log=log,
        tail=lines,
        offset=found.offset,
    )


def _latest(snapshots: tuple[Snapshot, ...]) -> Look | None:
    return Look(**asdict(snapshots[-1])) if snapshots else None


def _share(look: Look | None) -> float | None:
    """How much of the test is over, from 0 to 1; None while nobody knows."""
    if look is None or look.eta_s is None or look.eta_s < 0 or look.elapsed_s < 0:
        return None
    whole = look.elapsed_s + look.eta_s
    return look.elapsed_s / whole if whole > 0 else None


def run_page(path: Path, record: RunRecord, group: Iterable[run_files.ListedRun], result: str) -> RunPage:
    """A run in full.

    Args:
        path: of the run.
        record: of the run.
        group: the other runs of the same command.
        result: uid of the result that it became; empty for none.
    """
    verdict = record.verdict
    done = record.status is not RunStatus.RUNNING
    errors, warnings = run_files.messages(path) if done else ((), ())
    return RunPage(
        run=run_line(run_files.ListedRun(path.name, record), path.parent),
        failure=cut(record.failure or "", 2000),
        reported=verdict.reported if verdict else None,
        valid=verdict.valid if verdict else None,
        accepted=verdict.accepted if verdict else None,
        tiles=_pairs(run_tiles(record)),
        constraints=tuple(
            ConstraintLine(
                name=cut(each.name),
                met=each.met,
                limit=cut(each.limit),
                measured=cut(each.measured),
                source=cut(each.source),
                fix=cut(each.fix),
                asked_by="LoadGen" if each.scope == "loadgen" else f"round {cut(record.round)}",
            )
            for each in (verdict.constraints if verdict else ())[:_MOST]
        ),
        reasons=tuple(cut(each, 500) for each in (verdict.reasons if verdict else ())[:_MOST]),
        advice=tuple(cut(each, 500) for each in (verdict.advice if verdict else ())[:_MOST]),
        labels=tuple(Label(name=each.value, meaning=each.meaning) for each in record.labels),
        deviations=tuple((cut(each.name), cut(each.rule), cut(each.used)) for each in record.deviations[:_MOST]),
        messages=(*_messages(errors, error=True), *_messages(warnings, error=False)),
        charts=tuple(
            ChartLine(name=each.name, title=each.title, text=each.text) for each in drawings(path, record) if done
        ),
        facts=_pairs(run_facts(record)),
        machine=_pairs(words.host_facts(record.host)),
        versions=_pairs(_sorted(record.versions)),
        settings=_pairs(_sorted(record.settings)),
        files=tuple(FileLine(**asdict(each)) for each in run_files.files_of(path, record.logs)),
        group=tuple(run_line(each) for each in group),
        command=cut(record.command, 4000),
        result=result,
        live=live_page(path, record),
    )


def candidates(run_id: str, group: Iterable[run_files.ListedRun]) -> list[str]:
    """Uids of results that a run may have become a part of: that of the first run of its command names them all."""
    return [uid_of(run_id), *(uid_of(each.id) for each in group)]


def drawings(path: Path, record: RunRecord) -> tuple[Drawing, ...]:
    """The charts of a run, drawn once for each state of its files."""
    if record.status is RunStatus.RUNNING:
        return ()
    return _drawings(path, _Hashed(record), run_files.stamps(path, (TRACE, PROGRESS, POWER)))


class _Hashed:
    """A record as a key: its id and when it was made say which one it is."""

    def __init__(self, record: RunRecord) -> None:
        self.record = record
        self._key = (record.id, record.created, record.status, record.mode, record.scenario)

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Hashed) and self._key == other._key


@functools.lru_cache(32)
def _drawings(path: Path, key: _Hashed, stamps: tuple[Stamp | None, ...]) -> tuple[Drawing, ...]:
    trace, progress, power = stamps
    found: list[Drawing] = []
    # Files that are links or pipes have no stamp, and are never opened.
    if progress is not None and (trace is not None or key.record.scenario == "Offline"):
        found += run_drawings(RunFolder(path), key.record, most_bytes=_LARGEST_TRACE)
    if power is not None:
        found += power_drawings(RunFolder(path), key.record)
    return tuple(found)


_MEANINGS = (
    ("ran out of generated queries", "The answers came faster than LoadGen was told to expect, and it had no more to ask."),
    ("max query count reached", "An upper bound of the query count ended the test before its shortest duration."),
    ("max test duration reached", "An upper bound of the duration ended the test before it had all its queries."),
    ("too many outstanding queries", "Queries came faster than they were answered, and LoadGen gave up."),
    ("perfclock", "LoadGen's two clocks disagree: times of this machine cannot be relied on."),
    ("multiple performance samples", "The library of samples did not fit, and was loaded in parts."),
    ("sample set", "Fewer samples were loaded than the library holds."),
    ("unused", "A setting was given that this scenario does not use."),
    ("user.conf", "A file of settings changed what LoadGen was told."),
    ("mlperf.conf", "The official file of settings was missing, or something else stood in it."),
)  # fmt: skip


def meaning_of(text: str) -> str:
    """What a message of LoadGen means, in words; empty where it speaks for itself."""
    low = text.casefold()
    return next((meaning for part, meaning in _MEANINGS if part in low), "")


def _messages(found: Iterable[LogMessage], *, error: bool) -> tuple[MessageLine, ...]:
    return tuple(
        MessageLine(text=cut(each.text, 500), meaning=meaning_of(each.text), line=each.line, error=error)
        for each in found
    )


def _sorted(values: Mapping[str, object]) -> list[Pair]:
    return [(name, str(value)) for name, value in sorted(values.items())]


def _pairs(pairs: Iterable[Pair]) -> tuple[Pair, ...]:
    return tuple((cut(name), cut(value, 1000)) for name, value in list(pairs)[:_MOST])


def cut(text: str, longest: int = _LONGEST) -> str:
    """A text of a stranger, no longer than fits."""
    return text if len(text) <= longest else f"{text[:longest]}…"
