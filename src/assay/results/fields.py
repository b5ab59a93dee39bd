"""What each field of a row is: kind, unit, one sentence. The one table that queries, metrics, exports and pages read.

Field names are those of :class:`assay.results.row.Row`. A field whose kind is ``texts`` holds several words;
``category == "edge"`` asks whether one of them is it.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from assay.errors import unknown
from assay.expressions import Definition, Field, Kind, Parameter, Schema, parse_unit


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """A field of a row.

    Attributes:
        name: what queries write.
        kind: of its values; None for what is kept and not queried (``accuracies``, ``logs``).
        unit: of a number, as text; empty for a pure number and for what is in another field's unit.
        sql: type of its column in DuckDB.
        description: one sentence.
    """

    name: str
    kind: Kind | None
    unit: str
    sql: str
    description: str


_T, _N, _W, _B, _L = "VARCHAR", "DOUBLE", "BIGINT", "BOOLEAN", "VARCHAR[]"


def _text(name: str, description: str) -> FieldInfo:
    return FieldInfo(name, Kind.TEXT, "", _T, description)


def _texts(name: str, description: str) -> FieldInfo:
    return FieldInfo(name, Kind.TEXTS, "", _L, description)


def _number(name: str, unit: str, description: str, sql: str = _N) -> FieldInfo:
    return FieldInfo(name, Kind.NUMBER, unit, sql, description)


def _flag(name: str, description: str) -> FieldInfo:
    return FieldInfo(name, Kind.BOOLEAN, "", _B, description)


FIELDS: tuple[FieldInfo, ...] = (
    _text("uid", "16 hexadecimal digits that name the result; they follow from round, location, benchmark, scenario."),
    _text("round", "Round whose rules it was taken under, such as v3.0."),
    _text("benchmark", "Official name of the benchmark, such as bert-99.9."),
    _text("scenario", "SingleStream, MultiStream, Server or Offline."),
    _text("division", "closed, open or network."),
    _text("location", "Path in its tree, or in assay's home for a run of this machine."),
    _number("format", "", "Version of the row's form.", "INTEGER"),
    _text("origin", "official: MLCommons published it; local: somebody's own, never an official result."),
    _text("method", "measured, or inferred: computed from another scenario's run."),
    _text("cm_uid", "The uid that CM's repositories gave it."),
    _text("task", "Kind of problem, such as image-classification."),
    _texts("category", "edge, datacenter, or both."),
    _text("availability", "available, preview or rdi (research, development or internal)."),
    _text("organisation", "Who submitted it, in one spelling."),
    _text("organisation_given", "The submitter as the tree spells it."),
    _text("system", "Name of the system's folder."),
    _text("system_name", "The system as its description calls it."),
    _text("model", "Name of the submitted model, which in the open division may be any."),
    _text("precision", "Data types of the weights, as the submitter says."),
    _text("backend", "Engine that answered, where assay ran it."),
    _number("value", "", "The official figure, in the scenario's official unit."),
    _text("unit", "Official unit of the figure: Samples/s, Queries/s or Latency (ms)."),
    _flag("lower_is_better", "Direction of the official figure."),
    _number("samples_per_second", "samples/s", "Throughput; of a stream the samples of a query over its latency."),
    _number("latency", "ns", "Official latency of a stream: 90th percentile (SingleStream), 99th (MultiStream)."),
    _number("latency_mean", "ns", "Mean latency of a query; none for Offline."),
    _number("latency_p50", "ns", "Median latency of a query."),
    _number("latency_p90", "ns", "90th percentile of the latency."),
    _number("latency_p95", "ns", "95th percentile of the latency."),
    _number("latency_p97", "ns", "97th percentile of the latency."),
    _number("latency_p99", "ns", "99th percentile of the latency."),
    _number("latency_p999", "ns", "99.9th percentile of the latency."),
    _number("latency_bound", "ns", "Bound that Server's latencies were held to."),
    _number("min_duration", "s", "Shortest run that LoadGen was told to make."),
    _number("queries", "queries", "Queries of the performance run.", _W),
    _number("accuracy", "", "First accuracy, in its metric's unit."),
    _text("accuracy_metric", "Official name of that metric."),
    _text("accuracy_unit", "percent, fraction or a noun."),
    _number("accuracy_target", "", "What the closed division asks of it, in the same unit."),
    _flag("accuracy_met", "All accuracies reach what the closed division asks."),
    FieldInfo(
        "accuracies",
        None,
        "",
        "STRUCT(metric VARCHAR, value DOUBLE, unit VARCHAR, target DOUBLE, met BOOLEAN)[]",
        "Every accuracy with its unit and target.",
    ),
    _flag("power", "Power was measured."),
    _number("watts", "W", "Average power while LoadGen ran."),
    _number("joules_per_query", "J/query", "Energy of a query (eight samples in MultiStream); none for Offline."),
    _number("joules_per_sample", "J/sample", "Energy of a sample."),
    _number("power_value", "", "The official power figure."),
    _text("power_unit", "Unit of the official power figure: Watts, millijoules or Joules."),
    _text(
        "accelerator", "Model of the accelerators, in one spelling and without the vendor; none for a system without."
    ),
    _text("accelerator_vendor", "Who makes the accelerators."),
    _text("accelerator_given", "The accelerator as the submitter spells it."),
    _number("accelerators_per_node", "accelerators", "Accelerators of one node.", _W),
    _number("accelerators", "accelerators", "Accelerators of all nodes.", _W),
    _text("processor", "Model of the host processor, in one spelling."),
    _text("processor_given", "The processor as the submitter spells it."),
    _number("processors_per_node", "", "Host processors of one node.", _W),
    _number("cores", "cores", "Cores of one host processor, as the submitter counts; some count all of the node.", _W),
    _number("nodes", "nodes", "Machines that the system is made of.", _W),
    _number("memory", "B", "Host memory of one node.", _W),
    _text("memory_given", "The memory as the submitter writes it."),
    _text("operating_system", "Operating system of the host."),
    _text("framework", "Engine, in one spelling."),
    _text("framework_given", "The framework as the submitter writes it, with versions."),
    _text("notes", "The submitter's notes on hardware and software."),
    _flag("official", "The round's official checker takes the result."),
    _flag("strict", "The written rules take the result."),
    _flag("compliance", "The official checker lets the compliance tests pass."),
    _texts("findings", "Codes of what a verdict holds against it; see assay explain."),
    _texts("labels", "What the figure must not be shown without, such as stand-in-model."),
    _text("source", "Repository, tree or run that it was taken from."),
    _text("source_kind", "submission (raw logs), cm, summary or run."),
    _text("commit", "Commit of the source."),
    _text("url", "Public address of the raw logs."),
    FieldInfo("logs", None, "", "MAP(VARCHAR, VARCHAR)", "SHA-256 of the files that the figures come from."),
    _text("loadgen", "Version of LoadGen."),
    FieldInfo("qsl_seed", None, "", "UBIGINT", "LoadGen's seed of the sample library."),
    FieldInfo("sample_index_seed", None, "", "UBIGINT", "LoadGen's seed of sample indices."),
    FieldInfo("schedule_seed", None, "", "UBIGINT", "LoadGen's seed of the schedule."),
    _text("created", "When the run was made."),
    _text("contributor", "Who pushed it to a playground."),
    _texts("challenges", "Uids of the challenges that it takes part in."),
    _text("accepted", "When a playground took it in, UTC."),
    _text("access", "Who alone may see it: challenge:UID or account:NAME; none for everybody."),
    _text("embargo", "When everybody may see it in spite of that, UTC, as 2026-12-01T00:00:00Z."),
)


@functools.cache
def by_name() -> Mapping[str, FieldInfo]:
    """Fields by name."""
    return {field.name: field for field in FIELDS}


def field_info(name: str) -> FieldInfo:
    """A field.

    Raises:
        NotFoundError: with the closest names.
    """
    found = by_name().get(name)
    if found is None:
        raise unknown("field", name, by_name(), hint="assay results fields")
    return found


@functools.cache
def _expression_fields() -> Mapping[str, Field]:
    return {
        field.name: Field(
            field.name,
            field.kind,
            f'"{field.name}"',
            parse_unit(field.unit) if field.unit else None,
            field.description,
        )
        for field in FIELDS
        if field.kind is not None
    }


def schema(
    definitions: Mapping[str, Definition] | None = None, parameters: Mapping[str, Parameter] | None = None
) -> Schema:
    """The names that expressions over results may use: fields, and the metrics and numbers that are handed in."""
    return Schema(_expression_fields(), definitions or {}, parameters or {})
