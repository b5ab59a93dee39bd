"""The READMEs of a tree, told from the records of its runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from assay.base.units import format_count, format_duration
from assay.loadgen.record import Label, RunRecord
from assay.rules.words import accuracy_text
from assay.submission.building.model import Entry, Taken, Wish
from assay.submission.building.power import power_rows

Row = tuple[str, object]
MANIFEST = "implementation.yaml"
"""The manifest of a program of others, in its run's folder and beside the page of its code."""


def rehearsal_line(labels: Iterable[str]) -> str:
    """What a rehearsal says of itself wherever it is read."""
    named = ", ".join(dict.fromkeys(labels)) or "none of its own"
    return f"REHEARSAL, NOT TO BE SUBMITTED. Labels of its runs: {named}."


def measurements_readme(entry: Entry, wish: Wish, implementation: str, files: Mapping[str, str]) -> str:
    """``measurements/<system>/<benchmark>/<scenario>/README.md``.

    Args:
        files: fields of the implementation's file.
    """
    lines = [f"# {entry.benchmark.name} {entry.scenario.value} on {wish.system}", ""]
    lines += _warning(entry.labels, wish)
    if entry.inferred_from is not None:
        lines += [
            f"This result is inferred: it was not run. Its figure follows from the {entry.inferred_from.value} run whose "
            "logs stand here too, as the rules allow for edge systems.",
            "",
        ]
    record = entry.performance.record
    lines += _table(
        (
            ("benchmark", f"{entry.benchmark.name} of MLPerf Inference {record.round}"),
            ("division", wish.division.value),
            ("model", _artefact(record.model.name, record.model.sha256)),
            ("data", f"{_artefact(record.dataset.name, record.dataset.sha256)}, {record.dataset.count} samples"),
            ("implementation", implementation),
            ("engine", _engine(record)),
            *_program(record),
            ("batch size, streams, threads", _parallel(record)),
            ("LoadGen", record.versions.get("loadgen", "unknown")),
        )
    )
    lines += ["", "## Weights", "", *_table(sorted(files.items()))]
    lines += ["", "## Performance run", "", *_performance(record)]
    if entry.accuracy is not None:
        lines += ["", "## Accuracy run", "", *_accuracy(entry.accuracy.record)]
    lines += ["", "## To run it again", "", *_commands(entry.runs)]
    lines += ["", "## Software", "", *_table(sorted(record.versions.items()))]
    return "\n".join(lines) + "\n"


def code_readme(benchmark: str, implementation: str, entries: list[Entry], wish: Wish) -> str:
    """``code/<benchmark>/<implementation>/README.md``."""
    first = entries[0].performance.record
    labels = [label for entry in entries for label in entry.labels]
    lines = [f"# {benchmark}: {implementation}", "", *_warning(labels, wish)]
    lines += _of_others(first) if "implementation" in first.backend else _of_assay(first)
    lines += ["", "## Run", ""]
    runs = {run.record.id: run for entry in entries for run in entry.runs}
    lines += _commands(runs.values())
    return "\n".join(lines) + "\n"


def _of_assay(record: RunRecord) -> list[str]:
    version = record.versions.get("assay", "unknown")
    return [
        f"The implementation is assay {version} with {_engine(record)}. LoadGen is the package mlcommons-loadgen "
        f"{record.versions.get('mlcommons-loadgen', 'unknown')}, unchanged.",
        "",
        "## Install",
        "",
        "```",
        f'pip install "assay[all]=={version}"',
        "```",
    ]


def _of_others(record: RunRecord) -> list[str]:
    """A program that is not assay's: what it is, and that assay started it."""
    version = record.versions.get("assay", "unknown")
    return [
        f"The implementation is {_engine(record)}, with its own LoadGen ({record.versions.get('loadgen', 'unknown')}). It "
        f"was started by assay {version} from its manifest, {MANIFEST} beside this page.",
        "",
        *_table([*_program(record), ("started as", record.backend.get("command", "unknown"))]),
        "",
        "## Install",
        "",
        "Get the program from its source as the manifest says (`build`, `needs`), and what starts it:",
        "",
        "```",
        f'pip install "assay=={version}"',
        "```",
    ]


def _program(record: RunRecord) -> list[Row]:
    """What is known of a program of others."""
    named = {
        "source": "source",
        "revision": "commit",
        "options": "options",
        "container": "container",
        "image": "image of the container",
        "manifest_sha256": "SHA-256 of its manifest",
    }
    return [(word, record.backend[key]) for key, word in named.items() if record.backend.get(key)]


def _parallel(record: RunRecord) -> str:
    batch = record.batch_size or "its own"
    return f"{batch}, {record.streams}, {record.threads or 'automatic'}"


def calibration_page(texts: Iterable[str], labels: Iterable[str], wish: Wish, title: str = "Calibration") -> str:
    """``documentation/calibration.md`` of all models, or ``calibration.md`` beside one result."""
    return "\n".join([f"# {title}", "", *_warning(labels, wish), *dict.fromkeys(texts)])


def _warning(labels: Iterable[str], wish: Wish) -> list[str]:
    return [f"**{rehearsal_line(labels)}**", ""] if wish.rehearsal else []


def _performance(record: RunRecord) -> list[str]:
    figures = record.figures
    rows: list[Row] = [("run", record.id), ("begun", record.created)]
    if figures.value is not None:
        rows.append(("figure", f"{figures.value:.10g} {figures.unit or ''}".rstrip()))
    if figures.queries is not None:
        rows.append(("queries", format_count(figures.queries)))
    if figures.duration_s is not None:
        rows.append(("duration", format_duration(figures.duration_s * 1e9)))
    rows += [(f"latency {name}", format_duration(value)) for name, value in sorted(figures.latency_ns.items())]
    if record.verdict is not None:
        rows.append(("verdict", record.verdict.word))
        rows += [("not met", reason) for reason in record.verdict.reasons]
    rows += power_rows(record)
    rows += [("setting under the round's", f"{d.name}: {d.used}, {d.rule} asked") for d in record.deviations]
    rows += [("label", f"{label.value}: {label.meaning}") for label in record.labels]
    return _table([*rows, *_host(record), *_hashes(record)])


def _accuracy(record: RunRecord) -> list[str]:
    figures = record.figures
    rows: list[Row] = [("run", record.id), ("begun", record.created)]
    for name, value in sorted(figures.accuracy.items()):
        rows.append((name, accuracy_text(value, figures.accuracy_units.get(name, ""))))
    if figures.samples_scored is not None:
        rows.append(("samples scored", format_count(figures.samples_scored)))
    rows += [("label", f"{label.value}: {label.meaning}") for label in record.labels if label is not Label.SHORT_RUN]
    return _table([*rows, *_hashes(record)])


def _host(record: RunRecord) -> list[Row]:
    named = {
        "cpu": "processor",
        "cores": "cores",
        "memory_bytes": "memory in bytes",
        "os": "system",
        "kernel": "kernel",
    }
    return [(word, record.host[key]) for key, word in named.items() if record.host.get(key) is not None]


def _hashes(record: RunRecord) -> list[Row]:
    return [(f"SHA-256 of {name}", digest) for name, digest in sorted(record.logs.items())]


def _artefact(name: str, sha256: str | None) -> str:
    return f"{name} (SHA-256 {sha256})" if sha256 else name


def _engine(record: RunRecord) -> str:
    told = dict(record.backend)
    own = told.get("name", "") if "implementation" in told else ""
    name = f"{own or told.pop('engine', record.backend_name)} {told.pop('version', '')}".rstrip()
    more = ", ".join(f"{key} {told[key]}" for key in ("device", "precision") if told.get(key))
    return f"{name} ({more})" if more else name


def _commands(runs: Iterable[Taken]) -> list[str]:
    return ["```", *dict.fromkeys(run.record.command for run in runs), "```"]


def _table(rows: Iterable[Row]) -> list[str]:
    """A table of Markdown; a bar in a value would end its cell."""
    return ["| | |", "|---|---|", *(f"| {name} | {str(value).replace('|', '/')} |" for name, value in rows)]
