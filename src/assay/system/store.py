"""System descriptions on disk: ``<home>/systems/<name>.json`` is the official file, ready for a submission.

Beside it, ``.origins/<name>.json`` remembers where each value came from, so that a value that somebody
changed in the file is known as theirs and outlives the next probe.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from assay.base.files import locked, machine_errors, read_json, write_atomic, write_json
from assay.errors import InvalidInputError, NotFoundError, UsageError, unknown
from assay.system.description import Description, Entry, State, Value
from assay.system.fields import field_list

_MAX_BYTES = 1 << 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}")
_ORIGINS_FORMAT = 1


class SystemStore:
    """The descriptions kept under one folder.

    Args:
        folder: ``<home>/systems``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        """Ids of all systems, sorted."""
        if not self.folder.is_dir():
            return []
        return sorted(path.stem for path in self.folder.glob("*.json") if _NAME.fullmatch(path.stem))

    def path(self, name: str) -> Path:
        """The official file of a system.

        Raises:
            UsageError: for a name that is not safe as a file name.
        """
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} cannot be the id of a system",
                expected="letters, digits, '.', '_', '-' and '+', beginning with a letter or digit",
            )
        return self.folder / f"{name}.json"

    def load(self, name: str) -> Description:
        """Read a description with the origin of each value.

        Raises:
            NotFoundError: for an unknown name, with the closest ones.
            InvalidInputError: when the file is no JSON object.
        """
        path = self.path(name)
        if not path.is_file():
            raise unknown("system", name, self.names(), hint=f"assay system init --name {name}")
        content = read_description(path)
        origins = self._origins(name)
        entries = []
        extra = dict(content)
        for field in field_list().fields:
            if field.name in content:
                value = extra.pop(field.name)
                if isinstance(value, bool) or not isinstance(value, (str, int, float)):
                    extra[field.name] = value
                    continue
                origin = origins.get(field.name)
                state, source = _origin(value, origin, path)
                entries.append(Entry(field, value, state, source))
        return Description(name, tuple(entries), extra)

    def save(self, description: Description) -> Path:
        """Write a description and the origins of its values, each atomically; returns the official file.

        Raises:
            MachineError: when the folder cannot be written.
        """
        path = self.path(description.name)
        origins = {
            entry.field.name: {"value": entry.value, "state": entry.state.value, "source": entry.source}
            for entry in description.entries
        }
        with locked(self.folder / ".lock", timeout_s=30):
            write_json(path, description.to_official_json())
            write_json(self._origins_path(description.name), {"format": _ORIGINS_FORMAT, "fields": origins})
        return path

    def draft_path(self, name: str) -> Path:
        """Where text goes that somebody wrote and that is no JSON yet."""
        self.path(name)
        return self.folder / ".drafts" / f"{name}.json"

    def save_text(self, name: str, text: str) -> Path:
        """Write the official file as somebody edited it; text that is no JSON object is kept as a draft.

        Raises:
            InvalidInputError: not a JSON object; the text is kept and the next edit begins with it.
        """
        path, draft = self.path(name), self.draft_path(name)
        write_atomic(draft, text)
        try:
            content = read_description(draft)
        except InvalidInputError as error:
            raise InvalidInputError(
                f"{error.what}; what you wrote is kept", where=error.where, found=error.found,
                expected="one JSON object", hint=f"assay system edit {name}",
            ) from error  # fmt: skip
        with locked(self.folder / ".lock", timeout_s=30):
            write_json(path, content)
        with machine_errors(draft):
            draft.unlink(missing_ok=True)
        return path

    def _origins_path(self, name: str) -> Path:
        return self.folder / ".origins" / f"{name}.json"

    def _origins(self, name: str) -> Mapping[str, object]:
        """Origins by field; none when they are lost or of an unknown version, which costs provenance only."""
        try:
            content = read_json(self._origins_path(name), max_bytes=_MAX_BYTES)
        except (NotFoundError, InvalidInputError):
            return {}
        fields = content.get("fields") if isinstance(content, dict) else None
        known = isinstance(content, dict) and content.get("format") == _ORIGINS_FORMAT
        return fields if known and isinstance(fields, dict) else {}


def read_description(path: Path) -> dict[str, object]:
    """Read an official description file.

    Raises:
        NotFoundError: when it is not there.
        InvalidInputError: when it is too large or no JSON object.
    """
    content = read_json(path, max_bytes=_MAX_BYTES)
    if not isinstance(content, dict):
        raise InvalidInputError("not a JSON object", where=path, found=type(content).__name__)
    return content


def _origin(value: Value, origin: object, path: Path) -> tuple[State, str]:
    if isinstance(origin, dict) and origin.get("value") == value:
        try:
            return State(str(origin.get("state"))), str(origin.get("source", ""))
        except ValueError:
            pass
    if value == "":
        return State.EMPTY_ALLOWED, f"empty in {path.name}"
    return State.ASKED, f"written into {path.name}"
