from __future__ import annotations

import pytest

from assay.errors import InvalidInputError, UsageError
from assay.expressions.schema import ROWS, Context, Definition, Field, Kind, Parameter, Schema


def test_a_name_stands_for_one_thing() -> None:
    field = Field("watts", Kind.NUMBER, '"watts"')
    with pytest.raises(InvalidInputError, match="m.yaml:3: the name 'watts' stands for two things"):
        Schema({"watts": field}, {"watts": Definition("watts", "1", where="m.yaml:3")})
    with pytest.raises(InvalidInputError, match="the name 'watts' stands for two things"):
        Schema({"watts": field}, {}, {"watts": Parameter("watts")})


def test_a_name_is_filed_under_itself() -> None:
    with pytest.raises(InvalidInputError, match="the field 'watts' is filed under 'power'"):
        Schema({"power": Field("watts", Kind.NUMBER, '"watts"')})


@pytest.mark.parametrize("name", ["", "a`b", "a\nb", "x" * 101])
def test_a_name_can_be_written(name: str) -> None:
    with pytest.raises(InvalidInputError, match="is no name of a parameter"):
        Schema(parameters={name: Parameter(name)})


def test_all_names() -> None:
    schema = Schema(
        {"watts": Field("watts", Kind.NUMBER, '"watts"')}, {"m": Definition("m", "1")}, {"p": Parameter("p")}
    )
    assert schema.names() == ["watts", "m", "p"]
    assert Schema().names() == []
    assert (schema.resolved("Watts"), schema.resolved("P"), schema.resolved("m"), schema.resolved("x")) == (
        "watts",
        "p",
        "m",
        None,
    )


def test_the_place_of_a_metric() -> None:
    assert Definition("m", "1").place == "metric m"
    assert Definition("m", "1", where="m.yaml:3").place == "m.yaml:3: m"


def test_a_context_is_of_groups_or_of_neighbours() -> None:
    assert Context() == ROWS
    with pytest.raises(UsageError, match="not both"):
        Context(aggregates=True, windows=True)
