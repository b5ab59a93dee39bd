"""How accounts are handled; a server's configuration gives these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The moment, in UTC."""
    return datetime.now(UTC)


class SignUp(StrEnum):
    """Who may make an account: anybody, whoever holds an invitation, nobody."""

    OPEN = "open"
    INVITATION = "invitation"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Hashing:
    """Cost of a password's hash with Argon2id; the defaults are the second choice of RFC 9106.

    Attributes:
        passes: over the memory.
        memory_kib: memory in KiB.
        lanes: computed side by side.
        at_once: hashes computed at the same time at most; more have to wait.
    """

    passes: int = 3
    memory_kib: int = 64 * 1024
    lanes: int = 4
    at_once: int = 4


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """How accounts are handled.

    Attributes:
        sign_up: who may make an account.
        session_hours: how long somebody stays signed in.
        token_days: how long a token holds at most, and when nothing else is asked for.
        invitation_days: how long an invitation holds.
        tokens_each: tokens that an account may hold at the same time.
        uploads_waiting: uploads of one account that may wait or be checked at the same time.
        hashing: cost of passwords.
    """

    sign_up: SignUp = SignUp.INVITATION
    session_hours: float = 24 * 14
    token_days: int = 365
    invitation_days: int = 14
    tokens_each: int = 50
    uploads_waiting: int = 10
    hashing: Hashing = Hashing()
