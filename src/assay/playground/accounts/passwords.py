"""Passwords: what they have to be, and their hashes (Argon2id)."""

from __future__ import annotations

import contextlib
import functools
import secrets
import threading
import unicodedata
from collections.abc import Iterator

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from assay.errors import InvalidInputError, MachineError
from assay.playground.accounts.settings import Hashing

SHORTEST, LONGEST = 10, 256
_WAIT_S = 20.0


def check_new(password: str, *names: str | None) -> str:
    """A password that may be taken, in one form for all keyboards (NFKC).

    Args:
        password: as typed.
        names: texts about its owner that it may not be.

    Raises:
        InvalidInputError: when it is too short, too long, too simple, or the name.
    """
    text = unicodedata.normalize("NFKC", password)
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise InvalidInputError("the password holds characters that cannot be typed")
    if not SHORTEST <= len(text) <= LONGEST:
        raise InvalidInputError(
            "the password is too short" if len(text) < SHORTEST else "the password is too long",
            expected=f"{SHORTEST} to {LONGEST} characters",
        )
    if len(set(text.casefold())) < 5:
        raise InvalidInputError("the password is too simple", expected="at least 5 different characters")
    if any(
        name and len(name) > 2 and name.casefold() in text.casefold() and len(text) < len(name) + 6 for name in names
    ):
        raise InvalidInputError("the password is the name with little added", expected="something that nobody guesses")
    return text


class Passwords:
    """Makes and verifies hashes, a bounded number at the same time, because each takes memory."""

    def __init__(self, hashing: Hashing) -> None:
        self._hasher = PasswordHasher(
            time_cost=hashing.passes, memory_cost=hashing.memory_kib, parallelism=hashing.lanes, type=Type.ID
        )
        self._turns = threading.BoundedSemaphore(hashing.at_once)
        self._lock = threading.Lock()

    def hash(self, password: str) -> str:
        """The hash of a password.

        Raises:
            MachineError: when too many are computed already.
        """
        with self._turn():
            return self._hasher.hash(password)

    def verify(self, hashed: str | None, password: str) -> bool:
        """Whether a password is that of a hash; takes as long where there is no hash.

        Raises:
            MachineError: when too many are computed already.
        """
        text = unicodedata.normalize("NFKC", password[: LONGEST * 4]).encode("utf-8", "surrogatepass")
        with self._lock:
            # Made before the first comparison of any kind, so that none is slower than another.
            nobodys = self._nobodys
        with self._turn():
            try:
                fits = self._hasher.verify(hashed or nobodys, text)
            except (VerificationError, InvalidHashError):
                return False
        return fits and hashed is not None

    def is_outdated(self, hashed: str) -> bool:
        """Whether a hash was made at another cost than new ones are."""
        return self._hasher.check_needs_rehash(hashed)

    @functools.cached_property
    def _nobodys(self) -> str:
        return self._hasher.hash(secrets.token_hex(16))

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._turns.acquire(timeout=_WAIT_S):
            raise MachineError("too many sign at once", hint="try again")
        try:
            yield
        finally:
            self._turns.release()
