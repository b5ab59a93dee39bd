"""Runs as one HTML file that needs nothing else: no script, no request, pictures inline, light and dark.

Everything that came out of a run is escaped by the template engine; the page forbids itself every source but
its own style sheet, so that even a hostile name in a record stays text.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from assay import __version__
from assay.base.files import write_atomic
from assay.base.progress import SILENT, Progress
from assay.base.units import format_duration, format_size
from assay.errors import UsageError
from assay.loadgen.record import RunRecord, RunStatus
from assay.loadgen.runs import RunFolder
from assay.results import words
from assay.results.figures import Figure, comparison_figure, run_figures
from assay.results.from_run import results_of
from assay.results.model import Result
from assay.results.templating import html_templates, page_style
from assay.rules.words import metric_word

_MAX_RUNS = 200


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """One line of the table at the top."""

    scenario: str
    subject: str
    anchor: str
    value: str
    unit: str
    better: str
    p50: str
    p90: str
    p99: str
    throughput: str
    accuracy: str
    target: str
    verdicts: tuple[tuple[str, str], ...]
    standing: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One run in full."""

    record: RunRecord
    title: str
    anchor: str
    state: str
    standing: str
    value: str
    unit: str
    better: str
    tiles: tuple[tuple[str, str], ...]
    figures: tuple[Figure, ...]
    facts: tuple[tuple[str, str], ...]
    machine: tuple[tuple[str, str], ...]


def write_report(runs: Sequence[Path], target: Path, *, title: str | None = None, progress: Progress = SILENT) -> None:
    """Write a report on runs, finished or not.

    Args:
        runs: folders of runs, in the order they are shown.
        target: the HTML file.
        title: of the page; made from the runs unless given.
        progress: told of every picture.

    Raises:
        UsageError: for no runs, or more than 200.
        NotFoundError: when a run has no record.
        InvalidInputError: when a record or a trace cannot be read.
        MachineError: when the file cannot be written.
    """
    if not runs:
        raise UsageError("a report needs at least one run", hint="assay runs list")
    if len(runs) > _MAX_RUNS:
        raise UsageError(f"{len(runs)} runs are too many for one page", expected=f"at most {_MAX_RUNS}")
    folders = [RunFolder(path) for path in runs]
    records = [folder.read() for folder in folders]
    step = progress.start("draw the report", total=len(records), unit="runs")
    sections: list[Section] = []
    try:
        for number, (folder, record) in enumerate(zip(folders, records, strict=True)):
            sections.append(_section(folder, record, number))
            step.advance()
    finally:
        step.finish()
    write_atomic(target, render(records, sections, title or _title(records)))


def render(records: Sequence[RunRecord], sections: Sequence[Section], title: str) -> str:
    """The page as text."""
    environment = html_templates()
    style = page_style()
    results = results_of(list(records))
    anchors = {section.record.id: section.anchor for section in sections}
    machines = list(dict.fromkeys(section.machine for section in sections))
    labels = tuple(dict.fromkeys(label for record in records for label in record.labels))
    return environment.get_template("report.html.j2").render(
        title=title,
        style=style,
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        version=__version__,
        written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        subjects=_subjects(records),
        machines=machines,
        labels=[(label.value, label.meaning) for label in labels],
        comparable=bool(results) and all(result.comparable for result in results),
        rows=[_summary(result, anchors) for result in results],
        several=len({(r.model, r.backend, r.precision) for r in results}) > 1,
        comparison=comparison_figure(results),
        sections=sections,
    )


def _title(records: Sequence[RunRecord]) -> str:
    models = list(dict.fromkeys(Path(record.model.name).name for record in records))
    shown = ", ".join(models[:3]) + (f" and {len(models) - 3} more" if len(models) > 3 else "")
    engines = list(dict.fromkeys(record.backend_name for record in records))
    return f"{shown} on {', '.join(engines)}"


def _subjects(records: Sequence[RunRecord]) -> list[tuple[str, str]]:
    """What was measured, each thing once."""

    def once(values: list[str]) -> str:
        return "; ".join(dict.fromkeys(values))

    return [
        ("Benchmark", once([f"{r.benchmark} of round {r.round}" for r in records])),
        ("Category", f"{once([r.category for r in records])}; {once([r.division for r in records])} division"),
        ("Model", once([Path(r.model.name).name for r in records])),
        ("Data", once([f"{r.dataset.name}, {r.dataset.count:,} samples" for r in records])),
        ("Engine", once([words.engine(r) for r in records])),
    ]


def _summary(result: Result, anchors: dict[str, str]) -> SummaryRow:
    performance = result.performance
    main = result.source("performance") or result.sources[0]
    latency = performance.latency_ns if performance else {}
    return SummaryRow(
        scenario=result.scenario,
        subject=f"{Path(result.model).name}, {result.backend} {result.precision}",
        anchor=anchors[main.run],
        value=words.number(performance.value) if performance and performance.value is not None else "",
        unit=words.short_unit(performance.unit) if performance else "",
        better=_better(performance.lower_is_better) if performance else "",
        p50=_latency(latency.get("p50")),
        p90=_latency(latency.get("p90")),
        p99=_latency(latency.get("p99")),
        throughput=words.number(performance.samples_per_second)
        if performance and performance.samples_per_second
        else "",
        accuracy=", ".join(f"{metric_word(m.metric)} {words.metric(m.value, m.unit)}" for m in result.accuracy),
        target=", ".join(_target(m.target, m.unit, m.met) for m in result.accuracy if m.target is not None),
        verdicts=tuple(
            (source.mode, "VALID" if source.verdict.valid else "INVALID") for source in result.sources if source.verdict
        ),
        standing="yes" if result.comparable else "no",
        labels=result.labels,
    )


def _target(target: float, unit: str, met: bool | None) -> str:
    shown = words.metric(target, unit)
    if met is None:
        return f"the benchmark's {shown} does not apply here"
    return f"target {shown} {'reached' if met else 'missed'}"


def _latency(value: float | None) -> str:
    return "" if value is None else format_duration(value)


def _better(lower: bool) -> str:
    return "lower is better" if lower else "higher is better"


def _section(folder: RunFolder, record: RunRecord, number: int) -> Section:
    figures, performance = record.figures, record.mode == "performance"
    return Section(
        record=record,
        title=f"{record.scenario}, {record.mode}",
        anchor=f"run-{number + 1}",
        state=words.state(record),
        standing=words.standing(record),
        value=words.number(figures.value) if figures.value is not None else "",
        unit=words.short_unit(figures.unit),
        better=_better(figures.lower_is_better) if performance and figures.value is not None else "",
        tiles=tuple(run_tiles(record)),
        figures=tuple(run_figures(folder, record, prefix=f"f{number}")) if record.status is RunStatus.FINISHED else (),
        facts=tuple(run_facts(record)),
        machine=tuple(words.host_facts(record.host)),
    )


def run_tiles(record: RunRecord) -> list[tuple[str, str]]:
    """The figures beside the official one; only those there are."""
    figures = record.figures
    tiles = [
        (metric_word(name), words.metric(value, figures.accuracy_units.get(name, "")))
        for name, value in figures.accuracy.items()
    ]
    tiles += [
        (name, words.metric(value, figures.accuracy_units.get(name, "percent")))
        for name, value in figures.accuracy_details.items()
    ]
    tiles += [(name, words.latency(figures, name)) for name in ("p50", "p90", "p99", "p99.9", "mean", "max")]
    if figures.samples_scored is not None:
        tiles.append(("samples scored", f"{figures.samples_scored:,}"))
    tiles += [("queries and samples", words.counts(figures)), ("length", words.seconds(figures))]
    tiles += words.token_figures(figures)
    tiles += words.power_figures(record)
    return [(name, value) for name, value in tiles if value]


def run_facts(record: RunRecord) -> list[tuple[str, str]]:
    """Where a run comes from, as name and value."""
    facts = [
        ("Run", record.id),
        ("Command group", record.group),
        ("Started", f"{record.created.replace('T', ' ').replace('+00:00', ' UTC')}"),
        ("Model", record.model.name),
        ("Model SHA-256", record.model.sha256 or "none"),
        ("Data", f"{record.dataset.name}, {record.dataset.count:,} samples"),
        ("Data SHA-256", record.dataset.sha256 or "none: random inputs"),
        (
            "Engine",
            ", ".join(f"{key} {value}" for key, value in record.backend.items()) or record.backend_name,
        ),
        ("Batch size", str(record.batch_size)),
        ("Streams", str(record.streams)),
        ("Peak memory", format_size(record.peak_memory) if record.peak_memory else ""),
        (
            "Phases",
            ", ".join(f"{name} {format_duration(value * 1e9)}" for name, value in record.timings_s.items()),
        ),
        ("Left out", ", ".join(f"{name} ({why})" for name, why in list(record.skipped.items())[:20])),
        *((f"{name[0].upper()}{name[1:]}", value) for name, value in words.power_facts(record)),
    ]
    return [(name, value) for name, value in facts if value]
