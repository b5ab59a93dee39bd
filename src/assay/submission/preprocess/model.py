"""What preprocessing would do to a tree, and what it did."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """What a step does: place a copy of a folder (or file) under a new name, or remove an empty folder."""

    COPY = "copy"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Change:
    """One step.

    Attributes:
        target: path of what is placed or removed, relative to the root.
        source: path of what is copied; empty for a removal.
        why: one phrase.
        files: how many files are placed.
        bytes: their size.
        mode: permissions of the removed folder.
    """

    action: Action
    target: str
    source: str = ""
    why: str = ""
    files: int = 0
    bytes: int = 0
    mode: int = 0


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was passed over.

    Attributes:
        path: relative to the root.
        refused: it needed work that could not be done safely.
    """

    path: str
    text: str
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done, in this order."""

    changes: tuple[Change, ...]
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class PreprocessReport:
    """What was done.

    Attributes:
        place: the journal, or the new tree; None for a trial and where there was nothing to do.
        resumed: an interrupted run was finished, by the plan that it had made.
    """

    tree: str
    round: str
    dry_run: bool
    place: str | None
    changes: tuple[Change, ...]
    notes: tuple[Note, ...] = ()
    resumed: bool = False

    @property
    def ok(self) -> bool:
        """Nothing that needed work was passed over."""
        return not any(note.refused for note in self.notes)


@dataclass(frozen=True, slots=True)
class Manner:
    """How results are filled in.

    Attributes:
        empty_folders: empty folders are removed first.
        scenarios: scenarios are filled in.
        low_accuracy: results of ``<model>-99.9`` are copied to ``<model>-99`` where that is not there.
        exact: do what the script of v3.1 does, oddities and all (:mod:`assay.submission.preprocess.official`).
        mapping: name of the file in ``open/<submitter>/`` that maps model names.
    """

    empty_folders: bool = True
    scenarios: bool = True
    low_accuracy: bool = True
    exact: bool = False
    mapping: str = "model_mapping.json"
