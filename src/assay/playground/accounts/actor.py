"""Who does something, for the audit log."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something.

    Attributes:
        name: of the account; None for anybody.
        address: where from; only its network is kept.
    """

    name: str | None
    address: str | None = None


CONSOLE = Actor("console")
"""Whoever uses the command line on the server itself."""
