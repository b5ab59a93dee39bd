"""Secrets that programs make: long enough to be kept as a plain SHA-256."""

from __future__ import annotations

import hashlib
import secrets

SECRET_BYTES = 24  # 192 bits


def new_secret() -> str:
    """A secret of 192 bits, as 48 hex digits."""
    return secrets.token_hex(SECRET_BYTES)


def new_id() -> str:
    """A public identifier that does not tell how many there are: 16 hex digits."""
    return secrets.token_hex(8)


def digest(secret: str) -> str:
    """What is kept of a secret: its SHA-256 as 64 hex digits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
