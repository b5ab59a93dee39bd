"""YAML files whose every value knows its line, checked by pydantic models.

Used for every YAML that assay defines. Anchors and aliases are refused: no file of ours needs them, and they are how a
small file becomes a huge one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from assay.base.units import format_size
from assay.errors import InvalidInputError, NotFoundError, nearest

Key = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)
_MAX_BYTES = 2 << 20
_MAX_DEPTH = 64


@dataclass(frozen=True, slots=True)
class Located:
    """A parsed document and the place of each of its values.

    Attributes:
        value: the document, a mapping.
        places: file and line of each key path.
    """

    path: Path
    value: dict[str, Any]
    places: dict[Key, str] = field(default_factory=dict)

    def where(self, key: Key) -> str:
        """``file:line: key.path`` of a value, or of the closest enclosing one that is there."""
        name = ".".join(str(part) for part in key)
        for length in range(len(key), -1, -1):
            place = self.places.get(key[:length])
            if place is not None:
                return f"{place}: {name}" if name else place
        return f"{self.path}: {name}" if name else str(self.path)


def read_yaml(path: Path) -> Located:
    """Read a YAML file that is one mapping.

    Raises:
        NotFoundError: when it is not there.
        InvalidInputError: not YAML, too large, a duplicate key, an alias, or no mapping; with file and line.
    """
    text = _read_text(path)
    try:
        _refuse_aliases(text, path)
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
        places: dict[Key, str] = {}
        value = _build(node, (), path, places) if node is not None else {}
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise InvalidInputError(f"not YAML: {error.problem or error.context}", where=f"{path}{line}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise InvalidInputError(f"not YAML: {error}", where=path) from error
    except RecursionError as error:
        raise InvalidInputError("YAML is nested too deeply", where=path) from error
    if not isinstance(value, dict):
        raise InvalidInputError("the document has to be a mapping", where=f"{path}:1", found=type(value).__name__)
    return Located(path, value, places)


def _read_text(path: Path) -> str:
    """The text of an ordinary file; never more than the bound is read, whatever the file's size says."""
    try:
        if path.exists() and not path.is_file():
            raise InvalidInputError("not a file", where=path)
        with path.open("rb") as stream:
            raw = stream.read(_MAX_BYTES + 1)
        if len(raw) > _MAX_BYTES:
            bound = format_size(_MAX_BYTES)
            raise InvalidInputError("file is too large", where=path, expected=f"at most {bound}")
        return raw.decode("utf-8")
    except FileNotFoundError as error:
        raise NotFoundError("file not found", where=path) from error
    except UnicodeDecodeError as error:
        raise InvalidInputError("file is not UTF-8 text", where=path) from error
    except OSError as error:
        raise InvalidInputError(f"cannot be read: {error.strerror}", where=path) from error


def validate(model: type[M], document: Located) -> M:
    """Check a document against a model.

    Raises:
        InvalidInputError: for the first error, with its file, line and key.
    """
    try:
        return model.model_validate(document.value)
    except ValidationError as error:
        errors = error.errors()
        first = errors[0]
        key = _real_key(first["loc"], document)
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        expected = _keys_instead(model, key) if first["type"] == "extra_forbidden" else None
        found = None if first["type"] in ("missing", "extra_forbidden") else repr(first["input"])[:80]
        raise InvalidInputError(
            f"{first['msg']}{more}", where=document.where(key), expected=expected, found=found
        ) from error


def merge(base: Located, over: Located) -> Located:
    """Merge a document over another: mappings key by key, ``null`` takes a key away, all else replaces."""
    places = {**base.places, **over.places}
    return Located(over.path, _merge(base.value, over.value), places)


def _merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in over.items():
        if value is None and key in result:
            del result[key]
            continue
        old = result.get(key)
        result[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


def _real_key(location: tuple[int | str, ...], document: Located) -> Key:
    """The error's key without the parts pydantic adds (``[key]``, names of union members)."""
    key: Key = ()
    for part in location:
        if part == "[key]":
            break
        longer = (*key, part)
        if longer in document.places or part == location[-1]:
            key = longer
    return key


def _keys_instead(model: type[BaseModel], key: Key) -> str | None:
    """What could have been meant by an unknown key: the closest keys of its mapping, else all of them."""
    form: Any = model
    for part in key[:-1]:
        if isinstance(form, type) and issubclass(form, BaseModel):
            field = form.model_fields.get(str(part))
            form = field.annotation if field else None
        else:
            # dict[K, V] and tuple[V, ...]: the value; X | None: the first.
            form = next((each for each in reversed(get_args(form)) if isinstance(each, type)), None)
    if not (isinstance(form, type) and issubclass(form, BaseModel)):
        return None
    close = nearest(str(key[-1]), form.model_fields)
    return " or ".join(close) if close else "a key of this list: " + ", ".join(form.model_fields)


def _refuse_aliases(text: str, path: Path) -> None:
    """Refuse anchors, aliases and deep nesting, event by event, before anything is built."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            bound = f"at most {_MAX_DEPTH} levels"
            raise InvalidInputError("YAML is nested too deeply", where=path, expected=bound)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise InvalidInputError(
                "anchors and aliases are not allowed", where=f"{path}:{line}", hint="write the value out"
            )


def _build(node: yaml.Node, key: Key, path: Path, places: dict[Key, str]) -> Any:
    places[key] = f"{path}:{node.start_mark.line + 1}"
    if isinstance(node, yaml.MappingNode):
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            name = str(_scalar(key_node))
            where = f"{path}:{key_node.start_mark.line + 1}: {'.'.join(str(p) for p in (*key, name))}"
            if name in result:
                raise InvalidInputError("the key is given twice", where=where)
            result[name] = _build(value_node, (*key, name), path, places)
            places[(*key, name)] = f"{path}:{key_node.start_mark.line + 1}"
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_build(item, (*key, number), path, places) for number, item in enumerate(node.value)]
    try:
        return _scalar(node)
    except ValueError as error:
        name = ".".join(str(part) for part in key)
        raise InvalidInputError(f"not a value: {error}", where=f"{places[key]}: {name}") from error


def _scalar(node: yaml.Node) -> Any:
    """A scalar as YAML 1.1's safe loader reads it."""
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_object(node)
    finally:
        loader.dispose()
