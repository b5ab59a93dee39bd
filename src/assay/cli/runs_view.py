"""How runs look in the terminal: the list, one run in words, several beside each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from assay.base.units import format_duration, format_size
from assay.cli.render import Output
from assay.loadgen.names import SUMMARY
from assay.loadgen.record import RunRecord
from assay.results import words

if TYPE_CHECKING:
    from rich.text import Text

    from assay.results.compare import ComparedFigure, Comparison

_STYLES = {
    "VALID": "green",
    "INVALID": "bold red",
    "failed": "bold red",
    "interrupted": "yellow",
    "running": "cyan",
}
_CHANGES = {"better": "green", "worse": "red"}
_ASKED_BY = {"loadgen": "LoadGen", "compliance": "the test"}
_LATENCIES = ("p50", "p90", "p95", "p97", "p99", "p99.9", "mean", "min", "max")
_TAIL_BYTES = 16 << 10
_TAIL_LINES = 40


def summary_table(records: Sequence[RunRecord], all_ids: Sequence[str], out: Output) -> None:
    """Print runs as a table; their ids as short as they are still unique."""
    from rich.text import Text

    short = short_ids(all_ids)
    rows = [
        (
            short[record.id],
            words.when(record),
            Path(record.model.name).name,
            record.scenario,
            record.compliance or record.mode,
            f"{record.backend_name} {record.precision}",
            words.figure(record.figures),
            words.accuracy(record.figures),
            Text(words.state(record), style=_STYLES.get(words.state(record), "")),
            ", ".join(label.value for label in record.labels),
        )
        for record in records
    ]
    out.table(
        (
            "id",
            "when (UTC)",
            "model",
            "scenario",
            "mode",
            "engine",
            "result",
            "accuracy",
            "verdict",
            "labels",
        ),
        rows,
        right=("result", "accuracy"),
    )


def short_ids(ids: Sequence[str]) -> dict[str, str]:
    """The shortest endings of at least four characters that name one run each."""
    short: dict[str, str] = {}
    for length in range(4, max((len(name) for name in ids), default=0) + 1):
        endings: dict[str, list[str]] = {}
        for name in ids:
            endings.setdefault(name[-length:], []).append(name)
        short = {names[0]: ending for ending, names in endings.items() if len(names) == 1}
        # An ending that begins another id as well would be ambiguous to whoever types it.
        begins = Counter(name[:length] for name in ids)
        short = {name: end for name, end in short.items() if begins[end] == name.startswith(end)}
        if len(short) == len(ids):
            break
    return {name: short.get(name, name) for name in ids}


def show_run(record: RunRecord, folder: Path, out: Output) -> None:
    """Print everything about one run, the most important first."""
    _headline(record, out)
    _labels(record, out)
    _measured(record, out)
    _verdict(record, out)
    if record.deviations:
        _heading("Settings weaker than the round's", out)
        out.table(("setting", "the round asks", "used"), [(d.name, d.rule, d.used) for d in record.deviations])
    _heading("Where it comes from", out)
    out.fields(provenance(record, folder))
    _heading("LoadGen settings as used", out)
    out.fields(list(record.settings.items()))
    _heading("Do it again", out)
    out.text(f"  {record.command}")


def _headline(record: RunRecord, out: Output) -> None:
    out.text(
        f"{Path(record.model.name).name}, {record.scenario} {record.compliance or record.mode}: {words.state(record)}"
    )
    figure = words.figure(record.figures)
    if figure:
        out.text(f"{figure}, {'lower' if record.figures.lower_is_better else 'higher'} is better")
    if record.figures.accuracy:
        out.text(f"{words.accuracy(record.figures)} over {record.figures.samples_scored or 0:,} samples")
    if words.standing(record):
        out.text(words.standing(record))
    if record.failure:
        out.text(f"did not finish: {record.failure}")


def _labels(record: RunRecord, out: Output) -> None:
    if record.labels:
        _heading("Labels", out)
        out.fields([(label.value, label.meaning) for label in record.labels])


def _measured(record: RunRecord, out: Output) -> None:
    figures = record.figures
    known = figures.latency_ns
    order = [*(name for name in _LATENCIES if name in known), *(name for name in known if name not in _LATENCIES)]
    pairs: list[tuple[str, object]] = [(name, format_duration(known[name])) for name in order]
    if figures.samples_per_second:
        pairs.append(("throughput", f"{words.number(figures.samples_per_second)} samples/s"))
    pairs += [("answered", words.counts(figures)), ("length", words.seconds(figures))]
    pairs += [
        (name, words.metric(value, figures.accuracy_units.get(name, "percent")))
        for name, value in figures.accuracy_details.items()
    ]
    pairs += words.own_figures(figures)
    pairs += words.power_figures(record)
    pairs += [("failed queries", f"{record.failed_queries:,}")] if record.failed_queries else []
    shown = [(name, value) for name, value in pairs if value]
    if shown:
        _heading("Measured", out)
        out.fields(shown)


def _verdict(record: RunRecord, out: Output) -> None:
    from rich.text import Text

    if record.verdict is None:
        return
    if record.verdict.constraints:
        _heading("What it has to hold", out)
        rows = [
            (
                c.name, c.limit, c.measured, Text("yes", style="green") if c.met else Text("NO", style="bold red"),
                _ASKED_BY.get(c.scope, "the round"), c.source,
            )
            for c in record.verdict.constraints
        ]  # fmt: skip
        out.table(("constraint", "limit", "measured", "met", "asked by", "source"), rows)
    if record.verdict.advice:
        _heading("What to change", out)
        for number, line in enumerate(record.verdict.advice, 1):
            out.text(f"  {number}. {line}")


def provenance(record: RunRecord, folder: Path) -> list[tuple[str, object]]:
    """Where a run comes from, as name and value; what is not known is left out."""
    pairs: list[tuple[str, object]] = [
        ("id", record.id),
        ("folder", folder),
        ("started", record.created),
        *([("judged against", ", ".join(record.judged_against))] if record.judged_against else []),
        ("benchmark", f"{record.benchmark} of round {record.round}, {record.category}, {record.division}"),
        ("model", f"{record.model.name}  sha256 {record.model.sha256 or 'none'}"),
        (
            "data",
            f"{record.dataset.name}, {record.dataset.count:,} samples  sha256 {record.dataset.sha256 or 'none'}",
        ),
        (
            "engine",
            ", ".join(f"{key} {value}" for key, value in record.backend.items()) or record.backend_name,
        ),
        (
            "batches",
            f"up to {record.batch_size}, {record.streams} side by side, {record.threads or 'all'} threads",
        ),
        ("left out", ", ".join(f"{name} ({why})" for name, why in list(record.skipped.items())[:10])),
        ("machine", ", ".join(f"{name} {value}" for name, value in words.host_facts(record.host))),
        ("versions", ", ".join(f"{name} {value}" for name, value in record.versions.items())),
        (
            "phases",
            ", ".join(f"{name} {format_duration(value * 1e9)}" for name, value in record.timings_s.items()),
        ),
        ("peak memory", format_size(record.peak_memory) if record.peak_memory else ""),
        *words.power_facts(record),
        *((f"{name}", f"sha256 {digest}") for name, digest in record.logs.items()),
    ]
    return [(name, value) for name, value in pairs if value]


def log_tails(folder: Path) -> dict[str, list[str]]:
    """The last lines of LoadGen's summary and of the worker's log, as far as they are there."""
    tails: dict[str, list[str]] = {}
    for name in (SUMMARY, "worker.log"):
        try:
            with (folder / name).open("rb") as stream:
                stream.seek(0, 2)
                stream.seek(max(0, stream.tell() - _TAIL_BYTES))
                text = stream.read().decode("utf-8", errors="replace")
        except OSError:
            continue
        lines = [_printable(line) for line in text.splitlines()[-_TAIL_LINES:]]
        if lines:
            tails[name] = lines
    return tails


def comparison_lines(comparison: Comparison, out: Output, *, everything: bool) -> None:
    """Print runs beside each other."""
    runs = comparison.runs
    short = short_ids([run.id for run in runs])
    columns = [f"{short[run.id]} {Path(run.model.name).name} {run.scenario}" for run in runs]
    for caution in comparison.cautions:
        out.remark(f"note: {caution}")
    _heading("Figures, in relation to the first", out, first=not comparison.cautions)
    out.table(
        ("", *columns),
        [
            (f"{figure.name} ({figure.unit})", *(_cell(figure, index) for index in range(len(runs))))
            for figure in comparison.figures
        ],
        right=columns,
    )
    settings = [setting for setting in comparison.settings if everything or setting.differs]
    _heading("Settings" if everything else "Settings that differ", out)
    if not settings:
        out.text("none")
        return
    out.table(
        ("", *columns) if not everything else ("", *columns, "differs"),
        [
            (
                s.name,
                *("" if value is None else value for value in s.values),
                *(["yes" if s.differs else ""] if everything else []),
            )
            for s in settings
        ],
    )


def _cell(figure: ComparedFigure, index: int) -> Text:
    from rich.text import Text

    value = figure.values[index]
    if value is None:
        return Text("-", style="dim")
    text = Text(words.number(value))
    ratio, change = figure.ratio(index), figure.change(index)
    if index and ratio is not None:
        word = f", {change.value}" if change is not None else ""
        text.append(f"  x{ratio:.3f}{word}", style=_CHANGES.get(change.value if change else "", ""))
    return text


def comparison_to_dict(comparison: Comparison) -> dict[str, object]:
    """A comparison as one JSON document."""
    indices = range(len(comparison.runs))
    changes = [[figure.change(index) for index in indices] for figure in comparison.figures]
    return {
        "runs": [run.id for run in comparison.runs],
        "cautions": list(comparison.cautions),
        "figures": [
            {
                "name": figure.name,
                "unit": figure.unit,
                "lower_is_better": figure.lower_is_better,
                "values": list(figure.values),
                "ratios": [figure.ratio(index) for index in indices],
                "changes": [change.value if change else None for change in row],
            }
            for figure, row in zip(comparison.figures, changes, strict=True)
        ],
        "settings": [{"name": s.name, "values": list(s.values), "differs": s.differs} for s in comparison.settings],
    }


def _heading(text: str, out: Output, *, first: bool = False) -> None:
    if not first:
        out.text()
    out.text(text)


def _printable(line: str) -> str:
    """A line of a foreign log without what could steer the terminal."""
    return "".join(character if character.isprintable() or character == "\t" else "·" for character in line)
