"""Values that the user gives to the parameters of metrics: a price, the carbon of the grid.

They stand in ``$ASSAY_HOME/parameters.yaml`` and on the command line, which goes before the file. A value is a number
with its unit, a formula over the fields of a result (``2.5 USD/h/accelerator * accelerators``), or a list of cases of
which the first holds. Formulas are metrics as far as expressions are concerned, so SQL and Python know them already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, RootModel

from assay.base.settings import Settings
from assay.base.yamlfile import Located, read_yaml, validate
from assay.errors import InvalidInputError, NotFoundError, unknown
from assay.expressions import Definition, ExpressionError, Kind
from assay.expressions import compile as compile_text
from assay.results import fields
from assay.results.metrics.model import ParameterInfo
from assay.results.metrics.quantity import as_text, fitting

FILE = "parameters.yaml"
# Each case is a level of the expression, of which there may be fifty.
_MAX_CASES = 40
_Formula = Annotated[str, BeforeValidator(as_text), Field(min_length=1, max_length=1000)]


@dataclass(frozen=True, slots=True)
class Values:
    """What the user gave, checked.

    Attributes:
        numbers: in the parameter's unit, by name.
        formulas: values that follow from the fields of a result, by name.
        texts: what was written, and where, by name.
        unused: names in the user's file that no metric asks for.
    """

    numbers: Mapping[str, float] = field(default_factory=dict)
    formulas: Mapping[str, Definition] = field(default_factory=dict)
    texts: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    unused: tuple[str, ...] = ()


NO_VALUES = Values()


class _Case(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    when: _Formula
    value: _Formula


class _Texts(RootModel[dict[str, _Formula]]):
    pass


class _Tables(RootModel[dict[str, Annotated[list[_Case], Field(min_length=1, max_length=_MAX_CASES)]]]):
    pass


@dataclass(slots=True)
class _Making:
    """Values while they are read."""

    parameters: Mapping[str, ParameterInfo]
    numbers: dict[str, float] = field(default_factory=dict)
    formulas: dict[str, Definition] = field(default_factory=dict)
    texts: dict[str, tuple[str, str]] = field(default_factory=dict)

    def take(self, name: str, text: str, where: str) -> None:
        unit = self.parameters[name].unit
        expression = fitting(text, unit, where, fields.schema())
        self._forget(name)
        self.texts[name] = (text, where)
        if expression.fields:
            self.formulas[name] = Definition(name, text, unit, where, self.parameters[name].description)
            return
        value = expression.evaluate({})
        if not isinstance(value, float):
            raise InvalidInputError(f"the value of {name} is no number to reckon with", where=where, found=text)
        self.numbers[name] = value

    def take_cases(self, name: str, cases: list[_Case], document: Located) -> None:
        unit = self.parameters[name].unit
        text = "null"
        for number, case in reversed(list(enumerate(cases))):
            at = document.where((name, number, "when"))
            try:
                compile_text(case.when, fields.schema(), want=Kind.BOOLEAN)
            except ExpressionError as error:
                error.where = at
                raise
            fitting(case.value, unit, document.where((name, number, "value")), fields.schema())
            text = f"if({case.when}, {case.value}, {text})"
        where = document.where((name,))
        fitting(text, unit, where, fields.schema())
        self._forget(name)
        self.texts[name] = (f"{len(cases)} cases", where)
        self.formulas[name] = Definition(name, text, unit, where, self.parameters[name].description)

    def _forget(self, name: str) -> None:
        self.numbers.pop(name, None)
        self.formulas.pop(name, None)


def load_values(
    settings: Settings,
    parameters: Mapping[str, ParameterInfo],
    given: Mapping[str, str] | None = None,
    *,
    option: str = "--set",
) -> Values:
    """Values of the user's file, and over them those that are given here.

    Args:
        settings: where the home is.
        parameters: those that metrics ask for (``metrics.asked``).
        given: texts by name of the parameter, such as ``{"price": "3.2 USD/h"}``.
        option: how the user gave them, for errors.

    Raises:
        NotFoundError: for a given name that no metric asks for.
        InvalidInputError: for a malformed file.
        ExpressionError: for a value that means nothing or is in another unit, with the character.
    """
    making = _Making(parameters)
    path = settings.home / FILE
    unused = _read_file(path, making)
    for name, text in (given or {}).items():
        if name not in parameters:
            raise unknown("parameter", name, parameters, hint="assay metrics list")
        making.take(name, text, f"{option} {name}")
    return Values(making.numbers, making.formulas, making.texts, unused)


def given_values(parameters: Mapping[str, ParameterInfo], given: Mapping[str, str], where: str) -> Values:
    """Values from texts alone, without the user's file; errors as of :func:`load_values`."""
    making = _Making(parameters)
    for name, text in given.items():
        if name not in parameters:
            raise unknown("parameter", name, parameters)
        making.take(name, text, f"{where}: {name}")
    return Values(making.numbers, making.formulas, making.texts)


def _read_file(path: Path, making: _Making) -> tuple[str, ...]:
    try:
        document = read_yaml(path)
    except NotFoundError:
        return ()
    lists = {name: value for name, value in document.value.items() if isinstance(value, list)}
    others = {name: value for name, value in document.value.items() if name not in lists}
    for name, text in validate(_Texts, replace(document, value=others)).root.items():
        if name in making.parameters:
            making.take(name, text, document.where((name,)))
    for name, cases in validate(_Tables, replace(document, value=lists)).root.items():
        if name in making.parameters:
            making.take_cases(name, cases, document)
    # It may belong to a repository that is not registered today.
    return tuple(name for name in document.value if name not in making.parameters)


def unit_example(parameter: ParameterInfo) -> str:
    """How a value of a parameter is written."""
    return f"--set {parameter.name}='1 {parameter.unit.name}'"
