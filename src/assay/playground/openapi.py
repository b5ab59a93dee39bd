"""The application's description (OpenAPI): what is true of every operation, added to what each says of itself.

How a request is refused, which kinds of files come back, and the parameters of the explorer, whose names are the
fields': pages say none of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI

from assay.playground.page import PageModel
from assay.playground.view_parameters import PARAMETERS

_KINDS = {
    "json": "application/json", "svg": "image/svg+xml", "png": "image/png", "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet", "ndjson": "application/x-ndjson",
}  # fmt: skip
_JSON = "application/json"
_REFUSED = {"$ref": "#/components/schemas/Refused"}
_OF_VIEWS = ("/explorer.json", "/explorer.{form}", "/explorer/chart.json")


class RefusedAnswer(PageModel):
    """Why a request was refused."""

    error: str
    what: str
    where: str | None = None
    expected: str | None = None
    found: str | None = None
    hint: str | None = None
    exit_code: int
    status: int


class Application(FastAPI):
    """An application that describes itself whole."""

    def openapi(self) -> dict[str, Any]:
        """The description; made once."""
        if self.openapi_schema is None:
            self.openapi_schema = completed(super().openapi())
        return self.openapi_schema


def completed(description: dict[str, Any]) -> dict[str, Any]:
    """A description with what all operations share.

    Args:
        description: as it was made of the routes; it is changed.
    """
    schemas = description.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Refused"] = RefusedAnswer.model_json_schema()
    for path, methods in description.get("paths", {}).items():
        for operation in methods.values():
            _complete(path, operation)
    return description


def _complete(path: str, operation: dict[str, Any]) -> None:
    if path in _OF_VIEWS:
        operation["parameters"] = [*operation.get("parameters", []), *PARAMETERS]
    answers: dict[str, Any] = operation.setdefault("responses", {})
    kinds = list(_kinds(path, operation))
    if kinds and "200" in answers and kinds != [_JSON]:
        answers["200"]["content"] = {kind: {} for kind in kinds}
    answers.pop("422", None)
    schemas: list[Mapping[str, Any]] = [_REFUSED]
    # A page that shows the mistake in its place is the answer, too.
    own = answers.pop("400", {}).get("content", {}).get(_JSON, {}).get("schema")
    schemas += [own] if own else []
    content: dict[str, Any] = {_JSON: {"schema": schemas[0] if len(schemas) == 1 else {"anyOf": schemas}}}
    if not path.endswith(".json") and not path.startswith("/api/"):
        content["text/html"] = {"schema": {"type": "string"}}
    answers["4XX"] = {"description": "Refused", "content": content}


def _kinds(path: str, operation: Mapping[str, Any]) -> Iterator[str]:
    """What kinds of files an operation gives, by the end of its address."""
    ending = path.rpartition(".")[2]
    if ending != "{form}":
        yield from [_KINDS[ending]] if ending in _KINDS else []
        return
    for parameter in operation.get("parameters", []):
        if parameter["name"] == "form":
            yield from (_KINDS[form] for form in parameter["schema"]["enum"])
