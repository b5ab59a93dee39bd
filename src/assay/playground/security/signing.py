"""Short texts that only this server can have written."""

from __future__ import annotations

import hashlib
import hmac


def sign(secret: bytes, purpose: str, text: str) -> str:
    """The signature of a text for one purpose, as 64 hex digits."""
    key = hmac.digest(secret, purpose.encode(), hashlib.sha256)
    return hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def same(one: str, other: str) -> bool:
    """Whether two secrets are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))
