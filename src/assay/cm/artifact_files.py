"""Writing an artifact's metadata so that nothing of it overrides something else unseen.

CM writes every change as a whole ``_cm.json``, even beside a ``_cm.yaml``, whose later edits then have no effect. Here
a change goes to the file that decides: to the YAML where there is only a YAML (all lines of other keys stay as they
are, comments included), to the JSON where there is only a JSON. Where there are both, the JSON has the last word for
the keys that it has, so it gets what changed and no more.
"""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from assay.base.files import write_atomic, write_json
from assay.cm.meta import JsonObject, JsonValue, parse_yaml, read_json_meta, read_yaml_meta
from assay.errors import AssayError, InvalidInputError


def save_meta(folder: Path, stem: str, wanted: JsonObject) -> None:
    """Make a folder's metadata read as ``wanted``.

    Raises:
        InvalidInputError: when what is there cannot be read.
        MachineError: when the folder cannot be written.
    """
    yaml_path, json_path = folder / f"{stem}.yaml", folder / f"{stem}.json"
    if not yaml_path.is_file():
        write_json(json_path, dict(wanted))
        return
    base = read_yaml_meta(yaml_path)
    if not json_path.is_file():
        write_atomic(yaml_path, edited_yaml(yaml_path.read_text(encoding="utf-8-sig"), base, wanted))
        return
    over = read_json_meta(json_path)
    kept = {key: value for key, value in base.items() if key in wanted}
    changed = {
        key: value for key, value in wanted.items() if key in over or key not in base or not same(base[key], value)
    }
    # A key that goes has to go from both; the JSON first, for it may only hide what is below.
    if not same(changed, over):
        write_json(json_path, changed)
    if kept.keys() != base.keys():
        write_atomic(yaml_path, edited_yaml(yaml_path.read_text(encoding="utf-8-sig"), base, kept))


def same(one: JsonValue, other: JsonValue) -> bool:
    """Whether two values are written alike: ``1``, ``1.0`` and ``true`` are equal in Python and three values in JSON."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def edited_yaml(text: str, old: JsonObject, wanted: JsonObject) -> str:
    """A YAML document that says ``wanted``, made from one that says ``old``.

    Top-level keys that differ are written anew, all other lines stay. A document of another form (braces, a key that
    does not begin its line) is written anew as a whole.
    """
    lines = _with_lines_kept(text, old, wanted)
    if lines is not None and _reads_as(lines, wanted):
        return lines
    return dump_yaml(wanted)


def dump_yaml(value: JsonObject) -> str:
    """A mapping as YAML, keys in their order, that reads as it was.

    Raises:
        InvalidInputError: for what YAML cannot say.
    """
    # Letters as they are, or escaped where PyYAML would not read back its own line breaks.
    for readable in (True, False):
        text = yaml.safe_dump(dict(value), sort_keys=False, allow_unicode=readable, default_flow_style=False, width=120)
        if _reads_as(text, value):
            return text
    raise InvalidInputError("these fields cannot be written as YAML", found=json.dumps(value)[:80])


def _with_lines_kept(text: str, old: JsonObject, wanted: JsonObject) -> str | None:
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    try:
        document = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError):
        return None
    if not isinstance(document, yaml.MappingNode) or document.flow_style:
        return None
    starts = [key.start_mark for key, _ in document.value]
    if any(mark.column != 0 for mark in starts) or len({mark.line for mark in starts}) != len(starts):
        return None
    result = lines[: starts[0].line]
    ends = [*[mark.line for mark in starts[1:]], len(lines)]
    for (key, _), start, end in zip(document.value, starts, ends, strict=True):
        name, block = str(key.value), lines[start.line : end]
        if name not in wanted:
            result += _trailing(block)
        elif same(wanted[name], old.get(name)):
            result += block
        else:
            result += [dump_yaml({name: wanted[name]}), *_trailing(block)]
    added: dict[str, JsonValue] = {key: value for key, value in wanted.items() if key not in old}
    return "".join([*result, dump_yaml(added) if added else ""])


def _trailing(block: list[str]) -> list[str]:
    """The blank lines and comments that end a block: they belong to the key that follows."""
    count = 0
    while count < len(block) - 1 and (not block[-1 - count].strip() or block[-1 - count].startswith("#")):
        count += 1
    return block[len(block) - count :]


def _reads_as(text: str, wanted: JsonObject) -> bool:
    try:
        return same(parse_yaml(text, "a document made here"), dict(wanted))
    except AssayError:
        return False
