"""Round files: YAML to :class:`~assay.rules.model.Round`, errors with file, line and key.

A later round says only what changed: with ``extends: v3.0`` its mappings are merged over that round's,
``null`` takes a key away and any other value replaces.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

from assay.base.yamlfile import Located, merge, read_yaml, validate
from assay.errors import InvalidInputError, NotFoundError, unknown
from assay.rules.build import build_round
from assay.rules.model import Round
from assay.rules.schema import RoundFile

_PACKAGED = Path(__file__).with_name("rounds")
_OWN_KEYS = ("name", "source")


def round_names() -> list[str]:
    """Names of the rounds that come with assay, oldest first."""
    return sorted((path.stem for path in _PACKAGED.glob("v*.yaml")), key=_age)


def load_round(name: str) -> Round:
    """A round by name (``v3.1`` or ``3.1``, in any case).

    Raises:
        NotFoundError: for a round that is not there, with the closest names.
        InvalidInputError: for a malformed file.
    """
    wanted = _canonical(name)
    if wanted not in round_names():
        raise unknown("round", name, round_names(), hint="assay rounds")
    return _load_packaged(wanted)


def read_round(path: Path) -> Round:
    """Read a round file, a user's own included.

    ``extends`` names a file beside it, else a round that comes with assay.

    Raises:
        NotFoundError: when it, or the round it extends, is not there.
        InvalidInputError: when it is malformed; ``where`` says file, line and key.
    """
    document = _resolve(path, seen=())
    return build_round(validate(RoundFile, document), document.where)


def round_schema() -> dict[str, Any]:
    """JSON Schema of a round file.

    A file that extends another is held to the names of its keys only; the rest comes from the other.
    """
    full = RoundFile.model_json_schema()
    definitions = full.pop("$defs")
    extends = {"type": "string", "description": "Round whose facts hold where this file is silent"}
    anything: dict[str, Any] = {}
    own = {key: full["properties"][key] for key in _OWN_KEYS}
    partial = {
        "properties": {"extends": extends, **dict.fromkeys(full["properties"], anything), **own},
        "required": ["extends", *_OWN_KEYS],
        "additionalProperties": False,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "assay round file",
        "type": "object",
        "if": {"required": ["extends"]},
        "then": partial,
        "else": full,
        "$defs": definitions,
    }


@functools.cache
def _load_packaged(name: str) -> Round:
    return read_round(_PACKAGED / f"{name}.yaml")


def _canonical(name: str) -> str:
    wanted = name.strip().casefold()
    return wanted if wanted.startswith("v") else f"v{wanted}"


def _age(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", name))


def _resolve(path: Path, seen: tuple[Path, ...]) -> Located:
    """Read a file and everything it extends, merged."""
    document = read_yaml(path)
    if "extends" not in document.value:
        return document
    base_name = document.value.pop("extends")
    where = document.where(("extends",))
    if not isinstance(base_name, str):
        raise InvalidInputError(
            "extends is not the name of a round", where=where, expected="such as v3.0", found=repr(base_name)
        )
    for key in _OWN_KEYS:
        if key not in document.value:
            # Inherited, the name or the source would be those of another round.
            raise InvalidInputError(
                f"{key} is missing: a round that extends another has its own", where=document.where((key,))
            )
    chain = (*seen, path)
    base = _base_path(path, base_name, where)
    if base.resolve() in {each.resolve() for each in chain}:
        cycle = " -> ".join(each.stem for each in (*chain, base))
        raise InvalidInputError("a round extends itself", where=where, found=cycle)
    return merge(_resolve(base, chain), document)


def _base_path(path: Path, name: str, where: str) -> Path:
    """The file that ``extends`` means; only plain names, so that no file can reach outside its folder."""
    packaged = _PACKAGED / f"{_canonical(name)}.yaml"
    beside = path.parent / f"{name}.yaml" if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name) else None
    if beside is not None and beside.is_file() and (beside.resolve() != path.resolve()):
        return beside
    if _canonical(name) in round_names():
        return packaged
    if beside is not None and beside.is_file():
        return beside
    raise NotFoundError(
        f"the round {name!r} that this one extends is not there",
        where=where,
        expected=f"a round ({', '.join(round_names())}) or a file beside this one",
    )
