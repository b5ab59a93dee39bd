from __future__ import annotations

import pytest

from assay.expressions import Definition, Field, Kind, Parameter, Schema, parse_unit


def number(name: str, unit: str | None = None, description: str = "") -> Field:
    return Field(name, Kind.NUMBER, f'"{name}"', parse_unit(unit) if unit else None, description)


def metric(name: str, text: str, unit: str | None = None, where: str = "") -> Definition:
    return Definition(name, text, parse_unit(unit) if unit else None, where)


FIELDS = (
    number("watts", "W", "Average power"),
    number("samples_per_second", "samples/s"),
    number("latency", "ns"),
    number("accuracy", "percent"),
    number("cores", "core"),
    number("x"),
    number("y"),
    number("n"),
    Field("scenario", Kind.TEXT, '"scenario"'),
    Field("accelerator", Kind.TEXT, '"accelerator"'),
    Field("valid", Kind.BOOLEAN, '"valid"'),
    Field("power", Kind.BOOLEAN, '"power"'),
    Field("labels", Kind.TEXTS, '"labels"'),
    Field("odd name", Kind.NUMBER, '"odd ""name"""'),
)
METRICS = (
    metric("efficiency", "samples_per_second / watts", "samples/J", "metrics/efficiency.yaml:3"),
    metric("per_core", "samples_per_second / cores"),
    metric("twice", "efficiency * 2"),
    metric("fast", "latency < 15 ms"),
    metric("carbon", "watts / samples_per_second * grid", "gCO2/Msample"),
    metric("cost", "price * watts / samples_per_second", "USD/Msample"),
    metric("speedup", "samples_per_second / baseline(samples_per_second)"),
    metric("average", "mean(efficiency)"),
)
PARAMETERS = (
    Parameter("grid", parse_unit("kgCO2/kWh"), 0.4, "Carbon of the grid"),
    Parameter("price", parse_unit("USD/kWh")),
    Parameter("share", None, 0.5),
)


def schema_of(*definitions: Definition) -> Schema:
    return Schema(
        {field.name: field for field in FIELDS},
        {definition.name: definition for definition in (*METRICS, *definitions)},
        {parameter.name: parameter for parameter in PARAMETERS},
        frozenset({"Fr"}),
    )


@pytest.fixture(scope="session")
def schema() -> Schema:
    return schema_of()
