"""What a server refuses, with the HTTP status that says so."""

from __future__ import annotations

from assay.errors import AssayError


class RefusedError(AssayError):
    """A request that is understood and not carried out; ``status`` is the HTTP status."""

    status = 403


class SignInError(RefusedError):
    """Whoever asks is not who is needed: wrong name or password, a token that does not hold."""

    status = 401


class DeniedError(RefusedError):
    """Whoever asks is known and may not."""


class TooLargeError(RefusedError):
    """A request of more bytes than are taken."""

    status = 413


class ThrottledError(RefusedError):
    """Too many requests.

    Attributes:
        retry_after_s: seconds until it is worth trying again, at least 1.
    """

    status = 429

    def __init__(self, what: str, *, retry_after_s: float, hint: str | None = None) -> None:
        self.retry_after_s = max(1, -int(-retry_after_s // 1))
        super().__init__(what, hint=hint or f"try again in {self.retry_after_s} s")
