"""Metadata files of CM: ``<stem>.yaml`` with ``<stem>.json`` laid over it, as JSON values.

The JSON's top-level keys replace those of the YAML whole, nothing is merged deeper. Files come from
strangers: they are bounded in size, YAML aliases are refused, and dates stay the text that was written, so
that nothing is lost on the way back to JSON.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import yaml

from assay.base.files import read_json
from assay.base.units import format_size
from assay.errors import InvalidInputError, NotFoundError

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = Mapping[str, JsonValue]

MAX_META_BYTES = 8 << 20
_IDENTITY = frozenset({"uid", "alias", "automation_uid", "automation_alias"})
_TIMESTAMP = "tag:yaml.org,2002:timestamp"
_TEXT = "tag:yaml.org,2002:str"
_MERGE = "tag:yaml.org,2002:merge"
# Sets, bytes and whatever a tag may ask for have no form in JSON.
_PLAIN = frozenset(
    {f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "seq", "map")}
    | {_TEXT, _TIMESTAMP, _MERGE}
)
_UID = re.compile(r"[0-9a-f]{16}")


def new_uid() -> str:
    """A fresh uid: 16 lower-case hex digits."""
    return secrets.token_hex(8)


def is_uid(text: str) -> bool:
    """Whether CM takes a text for a uid rather than an alias."""
    return _UID.fullmatch(text) is not None


def read_meta(folder: Path, stem: str) -> dict[str, JsonValue]:
    """Read ``<stem>.yaml`` and ``<stem>.json`` of a folder, the JSON over the YAML.

    Raises:
        NotFoundError: when there is neither.
        InvalidInputError: for a file that is too large, malformed or no mapping; with its line.
    """
    yaml_path, json_path = folder / f"{stem}.yaml", folder / f"{stem}.json"
    merged: dict[str, JsonValue] = {}
    present = False
    for path, reader in ((yaml_path, read_yaml_meta), (json_path, read_json_meta)):
        if path.is_file():
            present = True
            merged.update(reader(path))
    if not present:
        raise NotFoundError(f"no {stem}.json and no {stem}.yaml", where=folder)
    return merged


def has_meta(folder: Path, stem: str) -> bool:
    """Whether a folder holds a metadata file of that stem."""
    return (folder / f"{stem}.json").is_file() or (folder / f"{stem}.yaml").is_file()


def read_json_meta(path: Path) -> dict[str, JsonValue]:
    """Read one JSON file that is a mapping.

    Raises:
        InvalidInputError: when it is too large, no JSON, no mapping, or a link that leads away.
    """
    _refuse_far_links(path)
    return _mapping(read_json(path, max_bytes=MAX_META_BYTES), path)


def read_yaml_meta(path: Path) -> dict[str, JsonValue]:
    """Read one YAML file that is a mapping, or empty.

    Raises:
        InvalidInputError: when it is too large, no YAML, no mapping, or a link that leads away; with its line.
    """
    _refuse_far_links(path)
    size = path.stat().st_size
    if size > MAX_META_BYTES:
        raise InvalidInputError(
            "file is too large",
            where=path,
            expected=f"at most {format_size(MAX_META_BYTES)}",
            found=format_size(size),
        )
    try:
        return parse_yaml(path.read_text(encoding="utf-8-sig"), path)
    except UnicodeDecodeError as error:
        raise InvalidInputError("file is not UTF-8 text", where=path) from error


def parse_yaml(text: str, where: Path | str) -> dict[str, JsonValue]:
    """A YAML text that is a mapping, or empty, as JSON values.

    Raises:
        InvalidInputError: when it is none; with its line.
    """
    try:
        _refuse_anchors(text, where)
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
        if node is None:
            return {}
        _keep_text(node, where)
        loader = yaml.SafeLoader("")
        try:
            return _mapping(loader.construct_document(node), where)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise InvalidInputError(f"not YAML: {error.problem or error.context}", where=f"{where}{line}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise InvalidInputError(f"not YAML: {error}", where=where) from error
    except RecursionError as error:
        raise InvalidInputError("YAML is nested too deeply", where=where) from error


def _refuse_far_links(path: Path) -> None:
    """A stranger's repository may hold a link to any file of its reader."""
    if path.is_symlink() and not path.resolve().is_relative_to(path.parent.resolve()):
        raise InvalidInputError("the metadata is a link that leaves its folder", where=path)


def _mapping(value: object, where: Path | str) -> dict[str, JsonValue]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidInputError("the metadata has to be a mapping", where=where, found=type(value).__name__)
    return {str(key): item for key, item in value.items()}


def _refuse_anchors(text: str, path: Path | str) -> None:
    """An alias is how a small file becomes a huge one once it is written as JSON."""
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent):
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise InvalidInputError("YAML aliases are not allowed", where=f"{path}:{line}", hint="write the value out")


def _keep_text(node: yaml.Node, where: Path | str, *, top: bool = True) -> None:
    """Read dates, keys and identities as the text that was written: a uid of 16 digits is no number."""
    if node.tag not in _PLAIN:
        raise InvalidInputError(
            f"the YAML type {node.tag.rpartition(':')[2] or node.tag!r} is not allowed",
            where=f"{where}:{node.start_mark.line + 1}",
            expected="what JSON can say",
        )
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.tag != _MERGE:
                    key.tag = _TEXT
                if (
                    top
                    and key.value in _IDENTITY
                    and isinstance(value, yaml.ScalarNode)
                    and value.value not in ("", "null", "~")
                ):
                    value.tag = _TEXT
            _keep_text(value, where, top=False)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _keep_text(item, where, top=False)
    elif isinstance(node, yaml.ScalarNode) and node.tag == _TIMESTAMP:
        node.tag = _TEXT
