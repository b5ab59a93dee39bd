"""One line of ``assay doctor``: something that was looked at, how it stands, and what to do about it.

A room offers its checks as ``diagnose(settings)`` in its module ``diagnose``; the command line asks every
room.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from assay.base.settings import Settings


class Condition(StrEnum):
    """How a thing stands."""

    OK = "ok"
    MISSING = "missing"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What one check found.

    Attributes:
        name: the thing, as a noun.
        needed_for: what cannot be done, or done well, without it.
        detail: what was found, with figures.
        fix: a command or one sentence saying how to get it; empty when there is nothing to do.
        essential: without it assay cannot run its demo.
    """

    name: str
    state: Condition
    needed_for: str
    detail: str
    fix: str = ""
    essential: bool = False

    def to_dict(self) -> dict[str, str | bool]:
        """The check as one JSON object."""
        return {
            "name": self.name,
            "state": self.state.value,
            "needed_for": self.needed_for,
            "detail": self.detail,
            "fix": self.fix,
            "essential": self.essential,
        }


class Diagnose(Protocol):
    """A room's checks: quick (no network, no heavy imports), and never raising for what they find."""

    def __call__(self, settings: Settings) -> Iterable[Diagnosis]:
        """Look, and tell."""


def ok(name: str, needed_for: str, detail: str) -> Diagnosis:
    """A check that found nothing wrong."""
    return Diagnosis(name, Condition.OK, needed_for, detail)


def warning(name: str, needed_for: str, detail: str, fix: str = "") -> Diagnosis:
    """A check whose thing is there and could be better."""
    return Diagnosis(name, Condition.WARNING, needed_for, detail, fix)


def missing(name: str, needed_for: str, detail: str, fix: str = "", *, essential: bool = False) -> Diagnosis:
    """A check whose thing is not there."""
    return Diagnosis(name, Condition.MISSING, needed_for, detail, fix, essential)
