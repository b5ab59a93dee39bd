"""A checked submission tree as rows: every figure from the raw logs, with both verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assay.results import clean
from assay.results.importers.source import Source
from assay.results.importers.system import SystemFields, system_fields
from assay.results.model import Method, Origin
from assay.results.quantities import quantities
from assay.results.row import Accuracy, Row, uid_of
from assay.rules.model import Benchmark, Round, Scenario
from assay.rules.submission import Level
from assay.submission.model import CheckReport, ResultReport

KIND = "submission"
PERCENTILES = {
    "latency_mean": "result_mean_latency_ns",
    "latency_p50": "result_50.00_percentile_latency_ns",
    "latency_p90": "result_90.00_percentile_latency_ns",
    "latency_p95": "result_95.00_percentile_latency_ns",
    "latency_p97": "result_97.00_percentile_latency_ns",
    "latency_p99": "result_99.00_percentile_latency_ns",
    "latency_p999": "result_99.90_percentile_latency_ns",
}


def rows_of(report: CheckReport, source: Source) -> list[Row]:
    """One row for each result of a report, in the order of the tree; a place without any figure gives none."""
    maker = _Maker(report.rules, source)
    return [maker.row(result) for result in report.results if result.value is not None or result.accuracies]


class _Maker:
    """Makes the rows of one tree; what all results of a system share is made once."""

    def __init__(self, round_: Round, source: Source) -> None:
        self._round = round_
        self._source = source
        self._systems: dict[str, SystemFields] = {}

    def row(self, result: ResultReport) -> Row:
        source, facts = self._source, result.facts
        benchmark = self._round.benchmarks[result.benchmark]
        system = self._system(result)
        value = clean.number(result.value)
        figures = quantities(
            result.scenario,
            value,
            power_value=result.power,
            power_unit=result.power_unit,
            watts=result.watts,
        )
        metrics = _accuracies(benchmark, result.accuracies)
        scenario = self._round.scenarios[Scenario(result.scenario)]
        return Row(
            uid=uid_of(self._round.name, result.path, result.benchmark, result.scenario),
            round=self._round.name,
            benchmark=result.benchmark,
            scenario=result.scenario,
            division=result.division,
            location=result.path,
            origin=Origin.OFFICIAL if source.official else Origin.LOCAL,
            method=Method.INFERRED if result.inferred else Method.MEASURED,
            task=benchmark.task,
            organisation_given=result.submitter,
            system=result.system,
            model=result.model,
            precision=clean.text(facts.get("weight_data_types")),
            value=value,
            unit=result.unit or None,
            lower_is_better=scenario.lower_is_better,
            samples_per_second=figures.samples_per_second,
            latency=figures.latency,
            **_latencies(result),
            latency_bound=_positive(facts.get("effective_target_latency_ns")) if result.scenario == "Server" else None,
            min_duration=_scaled(facts.get("effective_min_duration_ms"), 1e-3),
            queries=clean.whole(facts.get("result_query_count")),
            accuracy=metrics[0].value if metrics else None,
            accuracy_metric=metrics[0].metric if metrics else None,
            accuracy_unit=metrics[0].unit if metrics else None,
            accuracy_target=metrics[0].target if metrics else None,
            accuracy_met=all(each.met for each in metrics) if metrics else None,
            accuracies=metrics,
            power=result.has_power,
            watts=figures.watts,
            joules_per_query=figures.joules_per_query,
            joules_per_sample=figures.joules_per_sample,
            power_value=result.power,
            power_unit=result.power_unit if result.power is not None else None,
            **system.row,
            official=result.official,
            strict=result.strict,
            compliance=result.compliance,
            findings=_codes(result),
            source=source.name,
            source_kind=KIND,
            commit=source.commit,
            url=source.url(result.path),
            logs=dict(result.hashes),
            loadgen=clean.text(facts.get("loadgen_version")),
            qsl_seed=_seed(facts.get("effective_qsl_rng_seed")),
            sample_index_seed=_seed(facts.get("effective_sample_index_rng_seed")),
            schedule_seed=_seed(facts.get("effective_schedule_rng_seed")),
            created=clean.text(facts.get("test_datetime")),
        )

    def _system(self, result: ResultReport) -> SystemFields:
        key = f"{result.division}/{result.submitter}/{result.system}"
        found = self._systems.get(key)
        if found is None:
            found = self._systems[key] = system_fields(result.description, organisation=result.submitter)
        return found


def _accuracies(benchmark: Benchmark, figures: Mapping[str, str]) -> tuple[Accuracy, ...]:
    found: list[Accuracy] = []
    for target in benchmark.quality:
        value = clean.number(figures.get(target.metric))
        if value is not None:
            met = value >= target.target and (target.upper_limit is None or value <= target.upper_limit)
            found.append(Accuracy(target.metric, value, target.unit, target.target, met))
    return tuple(found)


def _latencies(result: ResultReport) -> dict[str, Any]:
    """Latencies of queries; none for Offline, whose one query lasts as long as the run, and none of another's run."""
    if result.scenario == "Offline" or result.facts.get("effective_scenario") != result.scenario:
        return {}
    return {name: _positive(result.facts.get(key)) for name, key in PERCENTILES.items()}


def _codes(result: ResultReport) -> tuple[str, ...]:
    """Codes of what one of the two verdicts holds against the result."""
    serious = (Level.REJECT, Level.FLAG)
    return tuple(sorted({each.code for each in result.findings if each.official in serious or each.strict in serious}))


def _positive(value: object) -> float | None:
    found = clean.number(value)
    return found if found is not None and found > 0 else None


def _scaled(value: object, scale: float) -> float | None:
    found = clean.number(value)
    return None if found is None else found * scale


def _seed(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**64 else None
