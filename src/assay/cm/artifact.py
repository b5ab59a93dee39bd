"""An artifact: a folder ``<automation>/<alias>`` with its metadata, unknown fields kept whole."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assay.cm.artifact_files import save_meta
from assay.cm.meta import JsonObject, JsonValue, has_meta, read_meta
from assay.cm.names import Name
from assay.errors import InvalidInputError

META = "_cm"


@dataclass(frozen=True, slots=True)
class Automation:
    """What kind of thing an artifact is.

    Attributes:
        alias: name of the folder that holds the artifacts of the kind.
        uid: 16 hex digits, the same in every repository.
    """

    alias: str
    uid: str

    @property
    def name(self) -> Name:
        """The automation as a CM name."""
        return Name(self.alias, self.uid)


EXPERIMENT = Automation("experiment", "a0a2d123ef064bcb")
CHALLENGE = Automation("challenge", "3d84abd768f34e08")
CONTRIBUTOR = Automation("contributor", "68eae17b590d4f8f")
REPORT = Automation("report", "6462ecdba2054467")
# Of assay, not of CM.
VIEW = Automation("view", "7c1f0b5e2a9d4863")

# The kinds of CM 4.2.0 and its repositories; others are known by what artifacts say of themselves.
KNOWN = (
    EXPERIMENT,
    CHALLENGE,
    CONTRIBUTOR,
    REPORT,
    VIEW,
    Automation("automation", "bbeb15d8f0a944a4"),
    Automation("cache", "541d6f712a6b464e"),
    Automation("cfg", "88dce9c160324c5d"),
    Automation("project", "6882553224164c56"),
    Automation("repo", "55c3e27e8a140e48"),
    Automation("script", "5b4e0237da074764"),
    Automation("utils", "dc2743f8450541e3"),
)


@dataclass(frozen=True, slots=True)
class Artifact:
    """One artifact as it lies on disk.

    Attributes:
        path: its folder.
        meta: every field of its metadata, known or not.
    """

    path: Path
    meta: JsonObject

    @property
    def alias(self) -> str:
        """Its alias; empty when it has none."""
        return _text(self.meta.get("alias"))

    @property
    def uid(self) -> str:
        """Its uid; empty when the metadata has none."""
        return _text(self.meta.get("uid"))

    @property
    def name(self) -> Name:
        """Alias and uid together."""
        return Name(self.alias, self.uid)

    @property
    def automation(self) -> Name:
        """The kind of thing it says it is."""
        return Name(_text(self.meta.get("automation_alias")), _text(self.meta.get("automation_uid")))

    @property
    def tags(self) -> tuple[str, ...]:
        """Its tags, in the order they are written."""
        raw = self.meta.get("tags")
        if isinstance(raw, str):
            return tuple(tag.strip() for tag in raw.split(",") if tag.strip())
        return tuple(str(tag) for tag in raw if tag is not None) if isinstance(raw, list) else ()


def is_artifact(folder: Path) -> bool:
    """Whether a folder holds an artifact's metadata."""
    return has_meta(folder, META)


def read_artifact(folder: Path) -> Artifact:
    """Read an artifact from its folder.

    Raises:
        NotFoundError: when the folder has no metadata.
        InvalidInputError: when the metadata is malformed, or names nothing.
    """
    artifact = Artifact(folder, read_meta(folder, META))
    if not artifact.alias and not artifact.uid:
        raise InvalidInputError("the artifact has neither alias nor uid", where=folder)
    return artifact


def write_artifact(artifact: Artifact) -> None:
    """Make the metadata on disk say what the artifact says; see :mod:`assay.cm.artifact_files`.

    Raises:
        InvalidInputError: when the metadata that is there cannot be read.
        MachineError: when the folder cannot be written.
    """
    save_meta(artifact.path, META, artifact.meta)


def union(old: tuple[str, ...], new: tuple[str, ...]) -> list[JsonValue]:
    """Tags of both, each once, the old ones first."""
    return list(dict.fromkeys((*old, *new)))


def _text(value: JsonValue) -> str:
    return "" if value is None else str(value)
