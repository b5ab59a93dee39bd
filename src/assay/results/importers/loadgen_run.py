"""The folder of one LoadGen execution, whoever made it, as a row: judged by its own log and the round."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assay.base.files import read_json, sha256_file
from assay.errors import InvalidInputError, UsageError
from assay.loadgen.logs import DetailLog, read_detail
from assay.loadgen.names import DETAIL
from assay.loadgen.verdict import judge
from assay.results import clean
from assay.results.importers.submission import PERCENTILES, seed_of
from assay.results.importers.system import system_fields
from assay.results.model import Method, Origin
from assay.results.quantities import quantities
from assay.results.row import Row, uid_of
from assay.rules.model import Mode, Round, Scenario

KIND = "run"


def run_row(
    folder: Path,
    round_: Round,
    benchmark: str | None,
    *,
    division: str = "open",
    organisation: str | None = None,
    system: Path | None = None,
) -> Row:
    """The row of a performance run.

    Args:
        folder: with ``mlperf_log_detail.txt`` in it.
        round_: whose rules it is judged by.
        benchmark: which benchmark was run; LoadGen does not log it.
        division: that it was run for.
        organisation: who ran it.
        system: a system description in the official fields.

    Raises:
        NotFoundError: when there is no log, or the benchmark is unknown.
        UsageError: when no benchmark is given.
        InvalidInputError: when the log is damaged, or is no performance run.
    """
    if benchmark is None:
        raise UsageError(
            "LoadGen's log does not say which benchmark was run", hint="assay results import DIR --benchmark resnet50"
        )
    entry = round_.benchmark(benchmark)
    log = read_detail(folder / DETAIL)
    scenario = _scenario(log, folder)
    if scenario not in entry.limits:
        known = ", ".join(each.value for each in entry.limits)
        raise InvalidInputError(
            f"{entry.name} has no {scenario.value} in {round_.name}", where=folder / DETAIL, expected=known
        )
    verdict = judge(log, round_, entry, scenario, Mode.PERFORMANCE)
    given = _description(system)
    fields = system_fields(given, organisation=organisation)
    facts = round_.scenarios[scenario]
    official = entry.figure(facts)
    value, plain = (
        logged / facts.divide_by if logged is not None else None
        for logged in (log.number(official.result_field), log.number(facts.result_field))
    )
    figures = quantities(scenario.value, plain)
    latencies: dict[str, Any] = (
        {} if scenario is Scenario.OFFLINE else {name: log.number(key) for name, key in PERCENTILES.items()}
    )
    location, digest = clean.encodable(str(folder.resolve())), sha256_file(folder / DETAIL)
    return Row(
        uid=uid_of(round_.name, digest, entry.name, scenario.value),
        round=round_.name,
        benchmark=entry.name,
        scenario=scenario.value,
        division=division,
        location=location,
        origin=Origin.LOCAL,
        method=Method.MEASURED,
        task=entry.task,
        organisation_given=clean.text(organisation),
        system=clean.text(system.stem) if system else None,
        value=value,
        unit=official.unit,
        lower_is_better=facts.lower_is_better,
        samples_per_second=figures.samples_per_second,
        latency=figures.latency,
        **latencies,
        latency_bound=log.number("effective_target_latency_ns") if scenario is Scenario.SERVER else None,
        min_duration=_seconds(log),
        queries=clean.whole(log.values.get("result_query_count")),
        power=False,
        **fields.row,
        strict=verdict.accepted,
        findings=tuple(each.name for each in verdict.constraints if not each.met),
        source=clean.encodable(folder.resolve().name),
        source_kind=KIND,
        logs={DETAIL: digest},
        loadgen=clean.text(log.loadgen_version),
        qsl_seed=seed_of(log.integer("effective_qsl_rng_seed")),
        sample_index_seed=seed_of(log.integer("effective_sample_index_rng_seed")),
        schedule_seed=seed_of(log.integer("effective_schedule_rng_seed")),
        created=clean.text(log.text("test_datetime")),
    )


def _scenario(log: DetailLog, folder: Path) -> Scenario:
    name, mode = log.text("effective_scenario"), log.text("effective_test_mode")
    try:
        scenario = Scenario(name or "")
    except ValueError:
        raise InvalidInputError(
            "the log names no scenario", where=f"{folder / DETAIL}: effective_scenario", found=repr(name)
        ) from None
    if mode not in ("PerformanceOnly", "SubmissionRun"):
        raise InvalidInputError(
            "the run measured no performance",
            where=f"{folder / DETAIL}: effective_test_mode",
            expected="PerformanceOnly",
            found=repr(mode),
        )
    return scenario


def _description(path: Path | None) -> Mapping[str, object]:
    if path is None:
        return {}
    found = read_json(path, max_bytes=8 << 20)
    if not isinstance(found, dict):
        raise InvalidInputError("a system description is a JSON object", where=path, found=json.dumps(found)[:80])
    return found


def _seconds(log: DetailLog) -> float | None:
    found = log.number("effective_min_duration_ms")
    return None if found is None else found / 1000


def is_run(folder: Path) -> bool:
    """Whether a folder is that of a LoadGen execution."""
    return (folder / DETAIL).is_file()
