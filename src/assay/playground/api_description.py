"""The description of the interface (OpenAPI) as a page needs it: operations by tag, with parameters and what comes back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from assay.playground.page import PageModel

_METHODS = ("get", "post", "put", "patch", "delete")
_EXAMPLES = {
    "run_id": "RUN", "uid": "7a5cbe9a", "path": "tutorials/explore-results", "q": "h100", "round": "v3.0",
    "benchmark": "resnet", "filter": "watts < 50",
}  # fmt: skip
_DEPTH = 2


class Field(PageModel):
    """A field of an answer, or a parameter of a request."""

    name: str
    kind: str
    needed: bool
    description: str
    inside: tuple[Field, ...] = ()


class Operation(PageModel):
    """What can be asked: method, address, and how."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    parameters: tuple[Field, ...]
    answer: tuple[Field, ...]
    curl: str


class Tag(PageModel):
    """Operations of one kind."""

    name: str
    operations: tuple[Operation, ...]


def tags_of(description: Mapping[str, Any], address: str) -> tuple[Tag, ...]:
    """Operations by tag, in alphabetical order.

    Args:
        description: the OpenAPI document.
        address: of the server, for examples.
    """
    found: dict[str, list[Operation]] = {}
    for path, methods in description.get("paths", {}).items():
        for method in _METHODS:
            if method in methods:
                operation = methods[method]
                made = _operation(description, address, method, path, operation)
                found.setdefault((operation.get("tags") or ["other"])[0], []).append(made)
    return tuple(Tag(name=name, operations=tuple(found[name])) for name in sorted(found))


def _operation(
    description: Mapping[str, Any], address: str, method: str, path: str, operation: Mapping[str, Any]
) -> Operation:
    parameters = tuple(_parameter(description, each) for each in operation.get("parameters", []))
    return Operation(
        id=re.sub(r"[^a-z0-9]+", "-", f"{method}-{path}".lower()).strip("-"),
        method=method.upper(),
        path=path,
        summary=operation.get("summary", ""),
        description=operation.get("description", "").partition("\n\nArgs:")[0].strip(),
        parameters=parameters,
        answer=tuple(_answer(description, operation)),
        curl=_curl(address, method, path, operation),
    )


def _parameter(description: Mapping[str, Any], parameter: Mapping[str, Any]) -> Field:
    schema = parameter.get("schema", {})
    told = parameter.get("description", "")
    default = schema.get("default")
    limits = [
        f"{word} {schema[key]}"
        for key, word in (("maxLength", "at most characters:"), ("minimum", "at least"), ("maximum", "at most"))
        if key in schema
    ]
    parts = [told, ", ".join(limits), f"default {default!r}" if default not in (None, "") else ""]
    return Field(
        name=parameter["name"],
        kind=_kind(description, schema),
        needed=bool(parameter.get("required")),
        description="; ".join(part for part in parts if part),
    )


def _answer(description: Mapping[str, Any], operation: Mapping[str, Any]) -> Iterator[Field]:
    for status, answer in operation.get("responses", {}).items():
        schema = answer.get("content", {}).get("application/json", {}).get("schema")
        if status.startswith("2") and schema is not None:
            yield from _fields(description, schema, _DEPTH)


def _fields(description: Mapping[str, Any], schema: Mapping[str, Any], depth: int) -> Iterator[Field]:
    found = _resolved(description, schema)
    needed = found.get("required", [])
    for name, each in found.get("properties", {}).items():
        inner = _element(description, each)
        yield Field(
            name=name,
            kind=_kind(description, each),
            needed=name in needed,
            description=each.get("description", ""),
            inside=tuple(_fields(description, inner, depth - 1)) if depth > 1 and "properties" in inner else (),
        )


def _element(description: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a list holds, or what may be there or not."""
    for each in (schema, *schema.get("anyOf", [])):
        found = _resolved(description, each)
        if "items" in found:
            return _resolved(description, found["items"])
        if "properties" in found:
            return found
    return {}


def _resolved(description: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref", "")
    if not reference.startswith("#/components/schemas/"):
        return schema
    found: Mapping[str, Any] = (
        description.get("components", {}).get("schemas", {}).get(reference.rpartition("/")[2], {})
    )
    return found


def _kind(description: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """A type in a few words."""
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(description, each) for each in schema["anyOf"]))
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "$ref" in schema:
        found = _resolved(description, schema)
        return _kind(description, found) if "enum" in found else "object"
    kind = schema.get("type", "any")
    if kind == "array":
        items = schema.get("items") or (schema.get("prefixItems") or [{}])[0]
        return f"list of {_kind(description, items)}"
    return {"integer": "whole number", "null": "null", "boolean": "true or false", "string": "text"}.get(
        kind, str(kind)
    )


def _curl(address: str, method: str, path: str, operation: Mapping[str, Any]) -> str:
    def example(match: re.Match[str]) -> str:
        name = match[1].partition(":")[0]
        return _EXAMPLES.get(name, name.upper())

    url = f"{address}{re.sub(r'{([^}]+)}', example, path)}"
    asked = [each["name"] for each in operation.get("parameters", []) if each.get("in") == "query"]
    given = [name for name in asked if name in _EXAMPLES][:2]
    words = ["curl"]
    if method != "get":
        words += ["-X", method.upper(), "-H 'Authorization: Bearer TOKEN'"]
    if given:
        words += ["-G", f"'{url}'", *(f"--data-urlencode '{name}={_EXAMPLES[name]}'" for name in given)]
    else:
        words.append(f"'{url}'")
    return " ".join(words)
