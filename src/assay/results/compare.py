"""Runs beside each other: figures with their ratio to the first, and the settings in which they differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from assay.errors import UsageError
from assay.loadgen.record import RunRecord, RunStatus
from assay.results import words

SAME_WITHIN = 0.01
_LATENCIES = ("p50", "p90", "p95", "p97", "p99", "p99.9", "mean", "max")


class Change(StrEnum):
    """What became of a figure, whichever way it counts."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class ComparedFigure:
    """One figure of every run.

    Attributes:
        name: such as ``p99``.
        unit: of all values.
        values: one a run, None where it has none.
        lower_is_better: direction; None for a figure that is neither good nor bad.
    """

    name: str
    unit: str
    values: tuple[float | None, ...]
    lower_is_better: bool | None

    def ratio(self, index: int) -> float | None:
        """A run's figure over the first run's; None where there is none."""
        first, value = self.values[0], self.values[index]
        return None if not first or value is None else value / first

    def change(self, index: int) -> Change | None:
        """Better or worse than the first run; the same when within 1%. None for what cannot be said."""
        ratio = self.ratio(index)
        if ratio is None or self.lower_is_better is None:
            return None
        if abs(ratio - 1) < SAME_WITHIN:
            return Change.SAME
        return Change.BETTER if (ratio < 1) == self.lower_is_better else Change.WORSE


@dataclass(frozen=True, slots=True)
class ComparedSetting:
    """One setting of every run; None where a run does not have it."""

    name: str
    values: tuple[str | None, ...]

    @property
    def differs(self) -> bool:
        """Whether the runs do not all have the same."""
        return len(set(self.values)) > 1


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs beside each other.

    Attributes:
        runs: the runs; the first is what the others are held against.
        figures: figures that at least one run has.
        settings: every setting, differing or not.
        cautions: why a ratio may not say what it seems to say.
    """

    runs: tuple[RunRecord, ...]
    figures: tuple[ComparedFigure, ...]
    settings: tuple[ComparedSetting, ...]
    cautions: tuple[str, ...]


def compare(records: Sequence[RunRecord]) -> Comparison:
    """Put runs beside each other.

    Raises:
        UsageError: for fewer than two.
    """
    if len(records) < 2:
        raise UsageError("a comparison needs two runs or more", hint="assay runs list")
    runs = tuple(records)
    figures = (*_performance(runs), *_accuracies(runs), *_costs(runs))
    return Comparison(
        runs=runs,
        figures=tuple(figure for figure in figures if any(value is not None for value in figure.values)),
        settings=tuple(_settings(runs)),
        cautions=tuple(_cautions(runs)),
    )


def _performance(runs: tuple[RunRecord, ...]) -> list[ComparedFigure]:
    """The official figure where all runs have the same unit, throughput, and latencies in milliseconds."""

    def of(name: str, unit: str, read: Callable[[RunRecord], float | None], *, lower: bool) -> ComparedFigure:
        return ComparedFigure(name, unit, tuple(read(run) for run in runs), lower)

    found: list[ComparedFigure] = []
    units = {run.figures.unit for run in runs if run.figures.unit}
    if len(units) == 1:
        lower = any(run.figures.lower_is_better for run in runs)
        found.append(of("result", words.short_unit(units.pop()), lambda run: run.figures.value, lower=lower))
    found.append(of("throughput", "samples/s", lambda run: run.figures.samples_per_second, lower=False))
    if len({run.scenario for run in runs}) == 1:
        found += [of(name, "ms", partial(_milliseconds, name), lower=True) for name in _LATENCIES]
    return found


def _milliseconds(name: str, run: RunRecord) -> float | None:
    value = run.figures.latency_ns.get(name)
    return None if value is None else value / 1e6


def _accuracies(runs: tuple[RunRecord, ...]) -> list[ComparedFigure]:
    names = dict.fromkeys(name for run in runs for name in run.figures.accuracy)
    found = []
    for name in names:
        units = {run.figures.accuracy_units.get(name, "") for run in runs if name in run.figures.accuracy}
        if len(units) == 1:
            values = tuple(run.figures.accuracy.get(name) for run in runs)
            found.append(ComparedFigure(name, units.pop(), values, lower_is_better=False))
    return found


def _costs(runs: tuple[RunRecord, ...]) -> list[ComparedFigure]:
    memory = tuple(run.peak_memory / 1e6 if run.peak_memory else None for run in runs)
    return [
        ComparedFigure("peak memory", "MB", memory, lower_is_better=True),
        ComparedFigure("length", "s", tuple(run.figures.duration_s for run in runs), lower_is_better=None),
        *_powers(runs),
    ]


def _powers(runs: tuple[RunRecord, ...]) -> list[ComparedFigure]:
    """Power and efficiency, where all that have them have the same kind: a simulation says nothing beside a meter."""
    if len({words.power_kind(run) for run in runs if run.power is not None}) != 1:
        return []
    kind = next(words.power_kind(run) for run in runs if run.power is not None)
    suffix = f", {kind}" if kind else ""
    watts = tuple(run.power.watts if run.power else None for run in runs)
    efficiency = tuple(run.power.samples_per_joule if run.power else None for run in runs)
    return [
        ComparedFigure(f"power{suffix}", "W", watts, lower_is_better=True),
        ComparedFigure(f"efficiency{suffix}", "samples/J", efficiency, lower_is_better=False),
    ]


def _settings(runs: tuple[RunRecord, ...]) -> list[ComparedSetting]:
    columns = [_flat(run) for run in runs]
    names = dict.fromkeys(name for column in columns for name in column)
    return [ComparedSetting(name, tuple(column.get(name) for column in columns)) for name in names]


def _flat(run: RunRecord) -> dict[str, str]:
    """Everything that was chosen or found about a run, as text, by name."""
    flat: dict[str, object] = {
        "round": run.round,
        "benchmark": run.benchmark,
        "scenario": run.scenario,
        "mode": run.mode,
        "category": run.category,
        "division": run.division,
        "model": run.model.name,
        "model sha256": (run.model.sha256 or "none")[:16],
        "data": run.dataset.name,
        "data sha256": (run.dataset.sha256 or "none")[:16],
        "samples": run.dataset.count,
        "engine": run.backend_name,
        "precision": run.precision,
        "batch size": run.batch_size,
        "streams": run.streams,
        "threads": run.threads or "all",
        "labels": ", ".join(label.value for label in run.labels),
    }
    for group, values in (("engine", run.backend), ("loadgen", run.settings), ("version", run.versions)):
        flat |= {f"{group}: {key}": value for key, value in values.items()}
    flat |= {f"machine: {name}": value for name, value in words.host_facts(run.host)}
    return {name: str(value) for name, value in flat.items()}


def _cautions(runs: tuple[RunRecord, ...]) -> list[str]:
    """What has to be known before a ratio is believed."""
    found: list[str] = []

    def differ(what: Callable[[RunRecord], object]) -> bool:
        return len({what(run) for run in runs}) > 1

    if differ(lambda run: run.mode):
        found.append("performance and accuracy runs have no figures in common")
    if differ(lambda run: run.scenario):
        found.append("the scenarios differ: only throughput is put in relation")
    if differ(lambda run: (run.round, run.benchmark)):
        found.append("the benchmarks differ")
    if differ(lambda run: (run.model.name, run.model.sha256)):
        found.append("the models differ")
    if differ(lambda run: (run.dataset.name, run.dataset.sha256, run.dataset.count)):
        found.append("the data differ")
    if differ(lambda run: tuple(words.host_facts(run.host))):
        found.append("the machines differ")
    for run in runs:
        if run.status is not RunStatus.FINISHED:
            found.append(f"{run.id} is {run.status.value}: it has no figures")
        elif run.verdict is not None and not run.verdict.valid:
            found.append(f"{run.id} is INVALID: its figures do not hold")
    return found
