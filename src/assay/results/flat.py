"""A result of this machine as a row: the nested record of a run, flat, beside published results."""

from __future__ import annotations

from assay.results.model import Result
from assay.results.names import name_tables
from assay.results.quantities import quantities
from assay.results.row import Accuracy, Row

KIND = "run"


def flat(result: Result, *, location: str) -> Row:
    """The row of a result.

    Args:
        result: what a run of this machine, or of another's, gave.
        location: where its logs are, relative to assay's home.
    """
    performance, system = result.performance, result.system
    names = name_tables()
    main = result.source("performance") or (result.sources[0] if result.sources else None)
    value = performance.value if performance else None
    power = result.power
    figures = quantities(
        result.scenario,
        value,
        power_value=power.figure if power else None,
        power_unit=power.unit if power else None,
        watts=power.watts if power else None,
    )
    accuracies = tuple(Accuracy(a.metric, a.value, a.unit or None, a.target, a.met) for a in result.accuracy)
    first = accuracies[0] if accuracies else None
    met = [each.met for each in accuracies if each.met is not None]
    latency = performance.latency_ns if performance else {}
    seeds = main.seeds if main else {}
    nodes, per_node = system.nodes, system.accelerators_per_node
    return Row(
        uid=result.uid,
        round=result.round,
        benchmark=result.benchmark,
        scenario=result.scenario,
        division=result.division,
        location=location,
        origin=result.origin,
        method=result.method,
        task=result.task,
        category=(result.category,) if result.category else (),
        organisation=names.organisations.name(system.organisation),
        organisation_given=system.organisation,
        system=system.name,
        system_name=system.name,
        model=result.model,
        precision=result.precision,
        backend=result.backend,
        value=value,
        unit=performance.unit if performance else None,
        lower_is_better=performance.lower_is_better if performance else None,
        # LoadGen's own throughput where the run has one: it counts what was answered, not the inverse of a latency.
        samples_per_second=(performance.samples_per_second if performance else None) or figures.samples_per_second,
        latency=figures.latency,
        latency_mean=latency.get("mean"),
        latency_p50=latency.get("p50"),
        latency_p90=latency.get("p90"),
        latency_p95=latency.get("p95"),
        latency_p97=latency.get("p97"),
        latency_p99=latency.get("p99"),
        latency_p999=latency.get("p99.9"),
        accuracy=first.value if first else None,
        accuracy_metric=first.metric if first else None,
        accuracy_unit=first.unit if first else None,
        accuracy_target=first.target if first else None,
        accuracy_met=all(met) if met else None,
        accuracies=accuracies,
        power=power is not None,
        watts=power.watts if power else None,
        joules_per_query=figures.joules_per_query if power else None,
        joules_per_sample=figures.joules_per_sample if power else None,
        power_value=power.figure if power else None,
        power_unit=power.unit if power else None,
        accelerator=names.accelerators.name(system.accelerator),
        accelerator_vendor=names.accelerator_vendors.found(system.accelerator),
        accelerator_given=system.accelerator,
        accelerators_per_node=per_node,
        accelerators=per_node * nodes if per_node is not None and nodes is not None else None,
        processor=names.processors.name(system.processor),
        processor_given=system.processor,
        processors_per_node=system.processors_per_node,
        cores=system.cores,
        nodes=nodes,
        memory=system.memory_bytes,
        operating_system=system.operating_system,
        framework=names.frameworks.name(system.framework),
        framework_given=system.framework,
        strict=_accepted(result),
        labels=result.labels,
        source=main.run if main else None,
        source_kind=KIND,
        logs=dict(main.logs) if main else {},
        loadgen=result.versions.get("loadgen") or result.versions.get("mlperf_loadgen"),
        qsl_seed=seeds.get("qsl_rng_seed"),
        sample_index_seed=seeds.get("sample_index_rng_seed"),
        schedule_seed=seeds.get("schedule_rng_seed"),
        created=main.created if main else None,
    )


def _accepted(result: Result) -> bool | None:
    """Whether the round would take every run behind it; None where one was not judged."""
    verdicts = [source.verdict for source in result.sources]
    if not verdicts or any(verdict is None for verdict in verdicts):
        return None
    return all(verdict is not None and verdict.accepted for verdict in verdicts)
