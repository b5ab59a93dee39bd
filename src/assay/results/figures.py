"""The pictures of a report: drawn from a run's own files, coloured by the page, with a sentence for each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from assay.errors import AssayError, InvalidInputError
from assay.loadgen.live import ProgressReader, Snapshot
from assay.loadgen.logs import read_trace
from assay.loadgen.names import TRACE
from assay.loadgen.record import RunRecord
from assay.loadgen.runs import RunFolder
from assay.results import charts
from assay.results.model import Result
from assay.results.power_log import power_over_time, read_watts
from assay.results.words import power_kind

_PROGRESS = "progress.jsonl"
_POWER = "spl.txt"
_MAX_TRACE = 512 << 20
_COLOURS = {
    charts.PALETTE.ink: "var(--ink-2)",
    charts.PALETTE.faint: "var(--line)",
    charts.PALETTE.first: "var(--plot-1)",
    charts.PALETTE.second: "var(--plot-2)",
    charts.PALETTE.band: "var(--plot-band)",
    charts.PALETTE.limit: "var(--bad)",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture.

    Attributes:
        title: what it shows.
        text: the same in one sentence.
        svg: the picture; safe to stand in a page.
    """

    title: str
    text: str
    svg: Markup


@dataclass(frozen=True, slots=True)
class Drawing:
    """What a picture is drawn from.

    Attributes:
        name: short, of letters and hyphens.
        title: what it shows.
        text: the same in one sentence.
        spec: Vega-Lite, with its data in it.
    """

    name: str
    title: str
    text: str
    spec: charts.Spec


def run_figures(folder: RunFolder, record: RunRecord, *, prefix: str) -> list[Figure]:
    """Pictures of one performance run, as far as its files give any.

    Args:
        folder: with LoadGen's trace and the run's progress.
        record: of the run.
        prefix: makes the ids inside the pictures unique in the page.
    """
    return [
        drawn(each.title, each.text, each.spec, f"{prefix}{_LETTERS[each.name]}")
        for each in (*run_drawings(folder, record), *power_drawings(folder, record))
    ]


_LETTERS = {"histogram": "h", "percentiles": "p", "timeline": "o", "throughput": "t", "power": "w"}


def run_drawings(folder: RunFolder, record: RunRecord, *, most_bytes: int = _MAX_TRACE) -> list[Drawing]:
    """What pictures of one performance run are drawn from, as far as its files give any.

    Args:
        folder: with LoadGen's trace and the run's progress.
        record: of the run.
        most_bytes: a longer trace is not read.
    """
    if record.mode != "performance":
        return []
    drawings: list[Drawing] = []
    if record.scenario != "Offline":
        drawings += _latency_drawings(folder, record, most_bytes)
    snapshots = [item for item in ProgressReader(folder.path / _PROGRESS).new() if isinstance(item, Snapshot)]
    try:
        spec = charts.throughput_over_time(snapshots)
    except InvalidInputError:
        return drawings
    text = f"Throughput at {len(snapshots) - 1} moments of the run, in samples per second."
    return [*drawings, Drawing("throughput", "Throughput over time", text, spec)]


def power_drawings(folder: RunFolder, record: RunRecord) -> list[Drawing]:
    """Power while a run went on, where it was measured; its label is in the title."""
    try:
        samples = read_watts(folder.path / _POWER)
    except AssayError:
        return []
    watts = [each for _, each in samples]
    text = f"Power from {min(watts):.4g} to {max(watts):.4g} W, {sum(watts) / len(watts):.4g} W on average."
    kind = power_kind(record)
    title = f"Power over time ({kind})" if kind else "Power over time"
    return [Drawing("power", title, text, power_over_time(samples))]


def _latency_drawings(folder: RunFolder, record: RunRecord, most_bytes: int) -> list[Drawing]:
    path = folder.path / TRACE
    try:
        if path.stat().st_size > most_bytes:
            return []
        trace = read_trace(path)
        text = charts.describe(trace.latency_ns)
    except (OSError, AssayError):
        # The trace is an extra: a run without one has no pictures, and its figures all the same.
        return []
    bound = record.settings.get("server_target_latency_ns")
    limit = float(bound) if isinstance(bound, (int, float)) and not isinstance(bound, bool) else None
    return [
        Drawing(
            "histogram",
            "How often each latency came",
            text,
            charts.latency_histogram(trace.latency_ns, limit),
        ),
        Drawing("percentiles", "Latency by percentile", text, charts.latency_percentiles(trace.latency_ns, limit)),
        Drawing(
            "timeline",
            "Latency over time: median, p90, fastest to slowest",
            text,
            charts.latency_over_time(trace, limit),
        ),
    ]


def comparison_figure(results: Sequence[Result]) -> Figure | None:
    """Throughput of several results beside each other; None for fewer than two."""
    several = len({(r.model, r.backend, r.precision) for r in results}) > 1
    rates: dict[str, float] = {}
    for result in results:
        if result.performance and result.performance.samples_per_second:
            name = f"{result.scenario} · {result.backend} {result.precision}" if several else result.scenario
            while name in rates:
                name += " "
            rates[name] = result.performance.samples_per_second
    if len(rates) < 2:
        return None
    text = "; ".join(f"{name.strip()} {rate:,.1f} samples/s" for name, rate in rates.items())
    return drawn("Throughput by scenario", text, charts.throughput_bars(rates), "cmp")


def drawn(title: str, text: str, spec: charts.Spec, prefix: str) -> Figure:
    """A specification as a picture whose colours the page decides."""
    svg = charts.to_svg(spec)
    for colour, variable in _COLOURS.items():
        svg = svg.replace(f'"{colour}"', f'"{variable}"')
    svg = re.sub(r'id="([\w-]+)"', rf'id="{prefix}-\1"', svg)
    svg = re.sub(r"url\(#([\w-]+)\)", rf"url(#{prefix}-\1)", svg)
    # Only the page's own words are read out; sizes follow the column.
    svg = re.sub(r' (?:class|role|aria-[a-z]+)="[\w ./-]*"', "", svg)
    svg = re.sub(r'^<svg([^>]*?) width="[\d.]+" height="[\d.]+"', r'<svg\1 aria-hidden="true" focusable="false"', svg)
    return Figure(title, text, Markup(svg))  # noqa: S704 - drawn here; the renderer escapes texts, which a test proves
