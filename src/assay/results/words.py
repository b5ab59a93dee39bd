"""A run's figures in words and with their units, the same in the terminal and in a report."""

from __future__ import annotations

from collections.abc import Mapping

from assay.base.units import format_count, format_duration, format_size
from assay.loadgen.record import Figures, Label, RunRecord, RunStatus
from assay.rules.words import metric_word

_SHORT_UNITS = {"Latency (ms)": "ms", "Samples/s": "samples/s", "Queries/s": "queries/s", "Tokens/s": "tokens/s"}
_TOKEN_TIMES = {"first_token": "time to first token", "next_token": "time per token"}
_USUAL = ("_mean_ns", "_p50_ns", "_p90_ns", "_p99_ns")
_TOKENS = ("prompt_tokens", "answer_tokens", *_TOKEN_TIMES)
_POWER_LABELS = (Label.SIMULATED_POWER, Label.UNOFFICIAL_POWER)
_HOST = {
    "cpu": "Processor",
    "cores": "Cores",
    "usable_cores": "Usable cores",
    "threads": "Hardware threads",
    "memory_bytes": "Memory",
    "os": "Operating system",
    "kernel": "Kernel",
    "machine": "Architecture",
    "governor": "Frequency governor",
    "virtualization": "Virtual machine",
    "container": "Container",
    "python": "Python",
}


def short_unit(unit: str | None) -> str:
    """An official unit as it stands behind a number: ``ms`` for ``Latency (ms)``."""
    return _SHORT_UNITS.get(unit or "", unit or "")


def number(value: float) -> str:
    """A number with four significant digits, thousands separated."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def figure(figures: Figures) -> str:
    """The official figure with its unit; empty when there is none."""
    return "" if figures.value is None else f"{number(figures.value)} {short_unit(figures.unit)}"


def accuracy(figures: Figures) -> str:
    """Accuracy metrics, such as ``acc 75.7%``; empty when there are none."""
    return ", ".join(
        f"{metric_word(name)} {metric(value, figures.accuracy_units.get(name, ''))}"
        for name, value in figures.accuracy.items()
    )


def metric(value: float, unit: str) -> str:
    """One accuracy with its unit."""
    if unit == "percent":
        return f"{value:.3f}".rstrip("0").rstrip(".") + "%"
    return number(value) if unit in ("", "fraction") else f"{number(value)} {unit}"


def latency(figures: Figures, name: str) -> str:
    """A latency percentile, or ``mean``, ``min``, ``max``; empty when the scenario has none."""
    value = figures.latency_ns.get(name)
    return "" if value is None else format_duration(value)


def state(record: RunRecord) -> str:
    """``VALID``, ``INVALID``, or how far the run came."""
    if record.status is not RunStatus.FINISHED:
        return record.status.value
    return record.verdict.word if record.verdict else "not judged"


def standing(record: RunRecord) -> str:
    """Whether the round would take the run, in a few words; empty when it was not judged."""
    if record.verdict is None:
        return ""
    if record.verdict.accepted and not record.labels:
        return f"round {record.round} would take it"
    if record.verdict.accepted:
        return f"holds the limits of round {record.round}, but see its labels"
    return f"round {record.round} would not take it"


def when(record: RunRecord) -> str:
    """Date and time of a run, to the minute, UTC."""
    return record.created[:16].replace("T", " ")


def engine(record: RunRecord) -> str:
    """Engine, version and number format: ``onnxruntime 1.22.0, fp32``."""
    version = record.backend.get("version") or record.versions.get(record.backend_name)
    return (
        f"{record.backend_name} {version}, {record.precision}"
        if version
        else f"{record.backend_name}, {record.precision}"
    )


def host_facts(host: Mapping[str, str | int | float | None]) -> list[tuple[str, str]]:
    """Facts of a machine as name and value; unknown ones left out, those without a name by their key."""
    facts: list[tuple[str, str]] = []
    for key in (*(key for key in _HOST if key in host), *sorted(set(host) - set(_HOST))):
        value = host[key]
        if value is None or value == "":
            continue
        is_size = key.endswith("_bytes") and isinstance(value, (int, float))
        facts.append((_HOST.get(key, key), format_size(float(value)) if is_size else str(value)))
    return facts


def seconds(figures: Figures) -> str:
    """Length of the test; empty when not known."""
    return "" if figures.duration_s is None else format_duration(figures.duration_s * 1e9)


def counts(figures: Figures) -> str:
    """Queries and samples; empty when not known."""
    if figures.queries is None:
        return ""
    queries = f"{format_count(figures.queries)} {'query' if figures.queries == 1 else 'queries'}"
    if figures.samples is None or figures.samples == figures.queries:
        return queries
    return f"{queries}, {format_count(figures.samples)} samples"


def own_figures(figures: Figures) -> list[tuple[str, str]]:
    """What the task measured of its own, and beside it what LoadGen measured of the same; what LoadGen has alone is last."""
    names = dict.fromkeys((*figures.measured, *figures.tokens))
    return [_own_figure(name, figures.measured.get(name), figures.tokens.get(name)) for name in names]


def token_figures(figures: Figures) -> list[tuple[str, str]]:
    """Of :func:`own_figures` those of the tokens of texts, the usual ones."""
    known = dict.fromkeys((*figures.measured, *figures.tokens))
    names = [name for name in known if name.startswith(_TOKENS) and (name.endswith(_USUAL) or "_ns" not in name)]
    return [_own_figure(name, figures.measured.get(name), figures.tokens.get(name)) for name in names]


def _own_figure(name: str, own: float | None, loadgen: float | None) -> tuple[str, str]:
    told = [] if own is None else [_of_a_name(name, own)]
    told += [] if loadgen is None else [f"LoadGen {_of_a_name(name, loadgen)}"]
    return _title(name), ", ".join(told)


def _of_a_name(name: str, value: float) -> str:
    """Names that end in ``_ns`` are durations."""
    return format_duration(value) if name.endswith("_ns") else number(value)


def _title(name: str) -> str:
    words = name.removesuffix("_ns")
    for key, title in _TOKEN_TIMES.items():
        if words.startswith(f"{key}_"):
            return f"{title}, {words.removeprefix(f'{key}_')}"
    return words.replace("_", " ")


def power(record: RunRecord) -> str:
    """Average power with its unit; empty where none was measured."""
    return f"{number(record.power.watts)} W" if record.power is not None else ""


def power_kind(record: RunRecord) -> str:
    """What the run's figures of power must not be shown without; empty for official ones."""
    return ", ".join(label.value for label in _POWER_LABELS if label in record.labels)


def power_figures(record: RunRecord) -> list[tuple[str, str]]:
    """Figures of power as name and value, each name with the label of the power; none where none was measured."""
    found = record.power
    if found is None:
        return []
    pairs = [("power", power(record)), ("energy", f"{number(found.joules)} J")]
    if found.joules_per_sample is not None:
        pairs.append(("energy of a sample", f"{number(found.joules_per_sample)} J"))
    if found.samples_per_joule is not None:
        pairs.append(("efficiency", f"{number(found.samples_per_joule)} samples/J"))
    if found.figure is not None and found.unit != "Watts":
        pairs.append(("energy of a query", f"{number(found.figure)} {found.unit}"))
    kind = power_kind(record)
    return [(f"{name} ({kind})" if kind else name, value) for name, value in pairs]


def power_facts(record: RunRecord) -> list[tuple[str, str]]:
    """How power was measured and what speaks against it, as name and value."""
    found = record.power
    if found is None:
        return []
    pairs = [
        ("power told by", found.source),
        ("power read", f"{format_count(found.readings)} times in {format_duration(found.seconds * 1e9)}"),
        ("power session", found.session),
    ]
    pairs += [("against the power", problem) for problem in found.problems]
    return [(name, value) for name, value in pairs if value]
