"""Round files: YAML to :class:`~assay.rules.model.Round`, errors with file, line and key.

A later round says only what changed: ``extends: v3.0`` merges mappings over the named round, other values replace.
"""

from __future__ import annotations

import functools
from importlib import resources
from pathlib import Path
from typing import Any

from assay.errors import InvalidInputError, NotFoundError, unknown
from assay.rules.model import Round
from assay.rules.schema import RoundFile
from assay.base.yamlfile import Located, merge, read_yaml, validate

_PACKAGED = "rounds"


def round_names() -> list[str]:
    """Names of the rounds that come with assay, oldest first."""
    folder = resources.files("assay.rules") / _PACKAGED
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))


@functools.cache
def load_round(name: str) -> Round:
    """A round by name (``v3.1`` or ``3.1``, in any case).

    Raises:
        NotFoundError: for a round that is not there, with the closest names.
        InvalidInputError: for a malformed file.
    """
    wanted = name.strip().casefold()
    wanted = wanted if wanted.startswith("v") else f"v{wanted}"
    if wanted not in round_names():
        raise unknown("round", name, round_names(), hint="assay rounds")
    with resources.as_file(resources.files("assay.rules") / _PACKAGED / f"{wanted}.yaml") as path:
        return read_round(path)


def read_round(path: Path) -> Round:
    """Read a round file, a user's own included.

    Raises:
        NotFoundError: when it is not there.
        InvalidInputError: when it is malformed; ``where`` says file, line and key.
    """
    document = _resolve(path, seen=())
    parsed = validate(RoundFile, document)
    return parsed.to_round(lambda key: document.where(key))


def round_schema() -> dict[str, Any]:
    """JSON Schema of a round file."""
    return RoundFile.model_json_schema()


def _resolve(path: Path, seen: tuple[Path, ...]) -> Located:
    """Read a file and everything it extends, merged."""
    document = read_yaml(path)
    base_name = document.value.pop("extends", None)
    if base_name is None:
        return document
    base = _base_path(path, str(base_name), document)
    if base.resolve() in {p.resolve() for p in (*seen, path)}:
        raise InvalidInputError("a round extends itself", where=document.where(("extends",)), found=" -> ".join(p.stem for p in (*seen, path, base)))
    return merge(_resolve(base, (*seen, path)), document)


def _base_path(path: Path, name: str, document: Located) -> Path:
    beside = path.parent / f"{name}.yaml"
    if "/" not in name and beside.is_file():
        return beside
    packaged = resources.files("assay.rules") / _PACKAGED / f"{name}.yaml"
    if name in round_names():
        with resources.as_file(packaged) as found:
            return found
    raise NotFoundError(f"the round {name!r} that this one extends is not there", where=document.where(("extends",)), expected=", ".join(round_names()))
