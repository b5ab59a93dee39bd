"""What is the same of every task's recipe: how it is read, and how the key that is wrong is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from assay.errors import InvalidInputError, nearest

Form = TypeVar("Form", bound=BaseModel)


def read_form(form: type[Form], raw: Mapping[str, Any]) -> Form:
    """A mapping in the form of a recipe.

    Args:
        form: every key that there is, with its values.
        raw: from a manifest, or from the user.

    Raises:
        InvalidInputError: naming the key that is wrong, with the closest ones for an unknown key.
    """
    try:
        return form.model_validate(dict(raw))
    except ValidationError as error:
        raise _problem(form, error) from error


def _problem(form: type[BaseModel], error: ValidationError) -> InvalidInputError:
    first = error.errors()[0]
    path = [str(part) for part in first["loc"]]
    where = f"recipe: {'.'.join(path)}" if path else "recipe"
    if first["type"] == "extra_forbidden":
        known = _keys(form, path[:-1])
        return InvalidInputError(
            f"unknown key {path[-1]!r}",
            where=where,
            expected=" or ".join(nearest(path[-1], known)) or ", ".join(known),
        )
    message = first["msg"].removeprefix("Value error, ")
    return InvalidInputError(f"the recipe is wrong: {message}", where=where, found=repr(first.get("input"))[:60])


def _keys(form: type[BaseModel], path: Sequence[str]) -> list[str]:
    """The keys that there are at a place of a form."""
    for name in path:
        field = form.model_fields.get(name)
        inner = field.annotation if field is not None else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            break
        form = inner
    return list(form.model_fields)
