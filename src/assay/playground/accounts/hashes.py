"""Secrets that programs make, long enough to be kept as a plain SHA-256, and signatures made with them."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

SECRET_BYTES = 24  # 192 bits


def new_secret() -> str:
    """A secret of 192 bits, as 48 hex digits."""
    return secrets.token_hex(SECRET_BYTES)


def id_of(text: str) -> str:
    """A text that can be an identifier of :func:`new_id`; empty, which none is, for every other one."""
    return text if re.fullmatch(r"[0-9a-f]{16}", text) else ""


def new_id() -> str:
    """A public identifier that does not tell how many there are: 16 hex digits."""
    return secrets.token_hex(8)


def digest(secret: str) -> str:
    """What is kept of a secret: its SHA-256 as 64 hex digits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def sign(secret: bytes, purpose: str, text: str) -> str:
    """The signature of a text for one purpose, as 64 hex digits."""
    key = hmac.digest(secret, purpose.encode(), hashlib.sha256)
    return hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def same(one: str, other: str) -> bool:
    """Whether two secrets are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))
