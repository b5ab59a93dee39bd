"""Numbers with units that people write: ``3.2 USD/h``, ``15 ms``."""

from __future__ import annotations

from assay.expressions import Definition, Expression, ExpressionError, Kind, Schema, Unit
from assay.expressions import compile as compile_text

# No field, since no field has a space in its name.
_NAME = "the value"


def as_text(value: object) -> object:
    """What YAML read as a number or a boolean, as the text that was written; anything else as it is."""
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, int | float) else value


def fitting(text: str, unit: Unit, where: str, schema: Schema, *, bare: bool = False) -> Expression:
    """A text as an expression in a unit.

    Args:
        text: what somebody wrote.
        unit: what its figure has to be in, or in something that can be converted to it.
        where: the place that it is written at, for errors.
        schema: the names that it may use.
        bare: whether a number without a unit is taken to be in the unit.

    Raises:
        ExpressionError: when it means nothing, or something in another unit, with the character.
    """
    try:
        alone = compile_text(text, schema, want=Kind.NUMBER)
    except ExpressionError as error:
        error.where = where
        raise
    assert alone.unit is not None
    # What is written without names and comes out without a unit is a bare number.
    if not alone.unit.compatible(unit) and not (bare and not alone.unit.powers and not alone.fields):
        raise ExpressionError(
            f"this is in {alone.unit.name if alone.unit.powers else 'no unit'}",
            text=text,
            position=0,
            length=len(text),
            where=where,
            expected=f"something in {unit.name}",
        )
    definition = Definition(_NAME, text, unit, where)
    return compile_text(f"`{_NAME}`", Schema(schema.fields, {_NAME: definition}))


def quantity(text: str, unit: Unit, where: str, *, bare: bool = False) -> float | None:
    """A number in a unit; None for one that is out of all bounds.

    Raises:
        ExpressionError: when it is no number, or in another unit, with the character.
    """
    value = fitting(text, unit, where, Schema(), bare=bare).evaluate({})
    return value if isinstance(value, float) else None
