"""Where repositories are looked for: CM's registry, assay's own, and the two local ones, as text.

A registry is a JSON list of paths; a path is first tried below ``repos`` beside the list, then as it is. Imported
before anything else by ``assay find``, hence no dataclass and no path object.
"""

from __future__ import annotations

import os

REGISTRY = "repos.json"
IDENTITIES = "repo-identities.json"
_MAX_BYTES = 4 << 20


def places(home: str, cm_repos: str) -> tuple[list[str], list[str]]:
    """Folders that may be repositories, each once and in the order of precedence; and what is wrong with the lists.

    Args:
        home: assay's home; its local repository comes first.
        cm_repos: CM's home, empty when there is none.
    """
    found: list[str] = []
    wrong: list[str] = []
    for folder in [home, *([cm_repos] if cm_repos else [])]:
        found.append(os.path.join(folder, "repos", "local"))
        paths, reason = registered(folder)
        found += [resolved(folder, path) for path in paths]
        wrong += [reason] if reason else []
    paths, reason = _read(os.path.join(home, IDENTITIES), dict)
    return list(dict.fromkeys([*found, *paths])), [*wrong, *([reason] if reason else [])]


def registered(folder: str) -> tuple[list[str], str]:
    """The entries of a registry as they are written, and what is wrong with it."""
    return _read(os.path.join(folder, REGISTRY), list)


def resolved(folder: str, entry: str) -> str:
    """The path that an entry of a registry means."""
    below = os.path.join(folder, "repos", entry)
    return os.path.normpath(below if os.path.isdir(below) else os.path.join(folder, entry))


def _read(path: str, form: type[list[str] | dict[str, object]]) -> tuple[list[str], str]:
    """The paths of a list, or the keys of a mapping."""
    try:
        with open(path, "rb") as stream:
            raw = stream.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return [], ""
    except OSError as error:
        return [], f"{path}: cannot be read: {error.strerror}"
    if form is list and (plain := _plain_list(raw)) is not None:
        return plain, ""
    import json

    try:
        value = json.loads(raw) if len(raw) <= _MAX_BYTES else None
    except (ValueError, RecursionError) as error:
        return [], f"{path}: not JSON: {error}"
    if not isinstance(value, form) or not all(isinstance(item, str) and item and "\0" not in item for item in value):
        return [], f"{path}: has to be a {'list' if form is list else 'mapping'} of paths"
    return list(value), ""


def _plain_list(raw: bytes) -> list[str] | None:
    """A JSON list of texts without escapes, which is what a registry is; json takes milliseconds to import."""
    text = raw.decode("utf-8", "replace").strip()
    if "\\" in text or "\ufffd" in text or text[:1] != "[" or text[-1:] != "]":
        return None
    parts = text[1:-1].split('"')
    between, found = [part.strip() for part in parts[::2]], parts[1::2]
    separated = between[0] == between[-1] == "" and all(part == "," for part in between[1:-1])
    return found if separated and len(parts) % 2 and all(path.isprintable() and path for path in found) else None
