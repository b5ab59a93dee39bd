"""Metric files: YAML to :class:`~assay.results.metrics.model.Metric`, errors with file, line and key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from assay.base.yamlfile import Located, read_yaml, validate
from assay.errors import InvalidInputError
from assay.expressions import ExpressionError, Unit, parse, parse_unit
from assay.expressions.tree import Name
from assay.results.metrics.model import Better, Example, Metric, Origin, OriginKind, ParameterInfo, Value
from assay.results.metrics.quantity import as_text, quantity

_NAME = r"^[a-z][a-z0-9_]*$"
_Name = Annotated[str, Field(pattern=_NAME, max_length=60)]
_Text = Annotated[str, Field(min_length=1, max_length=2000)]
_Formula = Annotated[str, Field(min_length=1, max_length=4000)]
_UnitText = Annotated[str, Field(min_length=1, max_length=100)]
_Amount = Annotated[str, BeforeValidator(as_text), Field(min_length=1, max_length=100)]
_Row = dict[_Name, Value]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Parameter(_Form):
    unit: _UnitText = Field(description="Unit of the value, such as USD/h")
    description: _Text = Field(description="One sentence")
    default: _Amount | None = Field(None, description="Value without the user's, such as 0.4 kgCO2/kWh")


class _Example(_Form):
    given: _Row | list[_Row] = Field(description="Fields of a result, or of several")
    expect: Value | list[Value] = Field(description="Its figure; for several results a list; null is a figure too")
    parameters: dict[_Name, _Amount] = Field({}, description="Values of parameters, with units")
    baseline: str = Field("", max_length=4000, description="Condition that the baseline fulfils")


class MetricFile(_Form):
    """A metric file."""

    name: _Name = Field(description="What queries write; also the name of the file")
    title: _Text = Field(description="A few words")
    expression: _Formula = Field(description="The formula, in the language of filters")
    unit: _UnitText | None = Field(None, description="Unit of the figures; without it the one that comes out")
    better: Better = Field(Better.NEITHER, description="Which figures are the better ones")
    description: str = Field("", max_length=2000, description="What it means")
    caution: str = Field("", max_length=2000, description="When it misleads, and when it is null")
    source: str = Field("", max_length=2000, description="The convention that it follows")
    parameters: dict[_Name, _Parameter] = Field({}, description="Numbers that it needs from the user")
    examples: list[_Example] = Field([], description="Results with known figures", max_length=100)


def metric_schema() -> dict[str, Any]:
    """JSON Schema of a metric file."""
    return MetricFile.model_json_schema()


def read_metric(path: Path, origin: Origin | None = None) -> Metric:
    """Read a metric file. Its expression is not looked at: what it may speak of depends on the other metrics.

    Args:
        path: of the file.
        origin: whose it is; the user's own unless told.

    Raises:
        NotFoundError: when it is not there.
        InvalidInputError: when it is malformed; ``where`` says file, line and key.
    """
    document = read_yaml(path)
    form = validate(MetricFile, document)
    _check_name(form.name, document.where(("name",)))
    # Of a folded text that begins on the next line the first line is meant; it is near enough.
    where = document.where(("expression",)).rpartition(": ")[0]
    return Metric(
        name=form.name,
        title=form.title,
        expression=form.expression.strip(),
        unit=_unit(form.unit, document.where(("unit",))) if form.unit is not None else None,
        better=form.better,
        description=form.description.strip(),
        caution=form.caution.strip(),
        source=form.source.strip(),
        parameters={name: _parameter(name, each, document) for name, each in form.parameters.items()},
        examples=tuple(_example(number, each, document) for number, each in enumerate(form.examples)),
        origin=origin or Origin(OriginKind.OWN),
        path=path,
        where=where,
    )


def _check_name(name: str, where: str) -> None:
    """A name that the language takes for something else could never be used."""
    try:
        plain = isinstance(parse(name), Name)
    except ExpressionError:
        plain = False
    if not plain:
        raise InvalidInputError(f"{name!r} is a word of the language", where=where, expected="another name")


def _unit(text: str, where: str) -> Unit:
    try:
        return parse_unit(text)
    except InvalidInputError as error:
        raise InvalidInputError(error.what, where=where, expected=error.expected, hint=error.hint) from error


def _parameter(name: str, form: _Parameter, document: Located) -> ParameterInfo:
    key = ("parameters", name)
    unit = _unit(form.unit, document.where((*key, "unit")))
    default = None
    if form.default is not None:
        default = quantity(form.default, unit, document.where((*key, "default")), bare=True)
    return ParameterInfo(name, unit, form.description, default)


def _example(number: int, form: _Example, document: Located) -> Example:
    where = document.where(("examples", number))
    many = isinstance(form.given, list)
    expect = form.expect if isinstance(form.expect, list) else [form.expect]
    rows = form.given if isinstance(form.given, list) else [form.given]
    if many and not rows:
        raise InvalidInputError("an example needs a result", where=where)
    return Example(tuple(rows), tuple(expect), form.parameters, form.baseline, where)
