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
from assay.rules.model import Benchmark, Scenario
from assay.rules.submission import Level
from assay.submission.model import CheckReport, Finding, ResultReport

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
    maker = _Maker(report, source)
    return [maker.row(result) for result in report.results if result.value is not None or result.accuracies]


class _Maker:
    """Makes the rows of one tree; what all results of a system share is made once."""

    def __init__(self, report: CheckReport, source: Source) -> None:
        self._round = report.rules
        self._source = source
        # What is held against a tree, a submitter, a system or a model is held against each of its results.
        self._above: dict[str, set[str]] = {}
        for finding in report.findings:
            if _serious(finding):
                self._above.setdefault(finding.result, set()).add(finding.code)
        self._systems: dict[str, SystemFields] = {}

    def row(self, result: ResultReport) -> Row:
        source, facts = self._source, result.facts
        location = clean.encodable(result.path)
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
            uid=uid_of(self._round.name, location, result.benchmark, result.scenario),
            round=self._round.name,
            benchmark=result.benchmark,
            scenario=result.scenario,
            division=result.division,
            location=location,
            origin=Origin.OFFICIAL if source.official else Origin.LOCAL,
            method=Method.INFERRED if result.inferred else Method.MEASURED,
            task=benchmark.task,
            organisation_given=clean.text(result.submitter),
            system=clean.text(result.system),
            model=clean.text(result.model),
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
            findings=self._codes(result.path),
            source=source.name,
            source_kind=KIND,
            commit=source.commit,
            url=source.url(location),
            logs={clean.encodable(name): digest for name, digest in result.hashes.items()},
            loadgen=clean.text(facts.get("loadgen_version")),
            qsl_seed=seed_of(facts.get("effective_qsl_rng_seed")),
            sample_index_seed=seed_of(facts.get("effective_sample_index_rng_seed")),
            schedule_seed=seed_of(facts.get("effective_schedule_rng_seed")),
            created=clean.text(facts.get("test_datetime")),
        )

    def _codes(self, path: str) -> tuple[str, ...]:
        """Codes of what one of the two verdicts holds against a result."""
        parts = path.split("/")
        places = ["", *("/".join(parts[: number + 1]) for number in range(len(parts)))]
        return tuple(sorted({code for place in places for code in self._above.get(place, ())}))

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


def _serious(finding: Finding) -> bool:
    return not {finding.official, finding.strict}.isdisjoint((Level.REJECT, Level.FLAG))


def _positive(value: object) -> float | None:
    found = clean.number(value)
    return found if found is not None and found > 0 else None


def _scaled(value: object, scale: float) -> float | None:
    found = clean.number(value)
    return None if found is None else found * scale


def seed_of(value: object) -> int | None:
    """A seed of LoadGen: 64 bits without a sign; None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**64 else None
