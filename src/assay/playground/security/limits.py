"""Rates and sizes: buckets of tokens for each address and each account, and a bound on a request's body."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from enum import StrEnum

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assay.base.units import format_size
from assay.playground.accounts.network import limit_key
from assay.playground.accounts.refusals import ThrottledError, TooLargeError
from assay.playground.security.addresses import address_of
from assay.playground.security.answers import Answer, plain_answer
from assay.playground.security.config import Limits

MAX_BUCKETS = 50_000


class Kind(StrEnum):
    """What a request costs."""

    PAGE = "page"
    API = "api"
    SEARCH = "search"
    SIGN_IN = "sign_in"
    UPLOAD = "upload"


Classify = Callable[[str, str], Kind | None]
_SIGN_IN = ("/sign-in", "/sign-up", "/account/password")
_UPLOADS = ("/submit", "/api/uploads", "/api/v1/uploads")
_FREE = ("/static/", "/healthz", "/metrics", "/favicon")


def kind_of(method: str, path: str) -> Kind | None:
    """What a request costs, by method and path; None for what is never limited."""
    if path.startswith(_FREE):
        return None
    if path.startswith("/sign-in/") or (method == "POST" and path.startswith(_SIGN_IN)):
        return Kind.SIGN_IN
    if method in ("POST", "PUT") and path.startswith(_UPLOADS):
        return Kind.UPLOAD
    if path.startswith(("/search", "/api/search", "/api/v1/search")):
        return Kind.SEARCH
    return Kind.API if path.startswith("/api/") or path.endswith((".json", ".csv", ".parquet")) else Kind.PAGE


class RateLimiter:
    """Buckets of tokens in bounded memory; those that were asked for longest ago are forgotten first.

    Args:
        limits: rates by kind.
        clock: seconds that only grow.
        most: buckets that are kept.
    """

    def __init__(self, limits: Limits, *, clock: Callable[[], float] = time.monotonic, most: int = MAX_BUCKETS) -> None:
        self._limits = {kind: getattr(limits, kind.value) for kind in Kind}
        self._clock, self._most = clock, most
        self._buckets: OrderedDict[tuple[Kind, str], tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, kind: Kind, key: str) -> None:
        """Take one token of a bucket.

        Raises:
            ThrottledError: when it is empty, with the seconds until there is one.
        """
        limit = self._limits[kind]
        rate, burst = limit.per_minute / 60, float(limit.burst)
        with self._lock:
            now = self._clock()
            left, since = self._buckets.pop((kind, key), (burst, now))
            left = min(burst, left + (now - since) * rate)
            enough = left >= 1
            self._buckets[(kind, key)] = (left - 1 if enough else left, now)
            if len(self._buckets) > self._most:
                self._buckets.popitem(last=False)
        if not enough:
            raise ThrottledError("too many requests", retry_after_s=(1 - left) / rate)


class RateLimits:
    """Refuses an address that asks too often: 429 with ``Retry-After``."""

    def __init__(
        self,
        app: ASGIApp,
        limiter: RateLimiter,
        *,
        classify: Classify = kind_of,
        answer: Answer = plain_answer,
    ) -> None:
        self.app, self._limiter, self._classify, self._answer = app, limiter, classify, answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        kind = self._classify(scope["method"], scope["path"])
        scope["assay.kind"] = kind
        if kind is not None:
            try:
                self._limiter.take(kind, limit_key(address_of(scope)))
            except ThrottledError as error:
                await self._answer(scope, error)(scope, receive, send)
                return
        await self.app(scope, receive, send)


class _BodyTooLarge(Exception):  # noqa: N818 - a signal between two functions of this file
    """The body has grown beyond its bound."""


class BodyLimit:
    """Refuses a request whose body is larger than its kind may be: 413, before it is read where its length is told.

    Args:
        app: what is guarded.
        most: bytes of an ordinary request.
        uploads: bytes of an upload.
        classify: what a request is.
        answer: makes the refusal.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        most: int,
        uploads: int,
        classify: Classify = kind_of,
        answer: Answer = plain_answer,
    ) -> None:
        self.app, self._most, self._uploads = app, most, uploads
        self._classify, self._answer = classify, answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        kind = self._classify(scope["method"], scope["path"])
        # An upload comes in a form, whose own lines count, too.
        most = self._uploads + (1 << 16) if kind is Kind.UPLOAD else self._most
        length = Headers(scope=scope).get("content-length", "")
        error = TooLargeError("the request is too large", expected=f"at most {format_size(most)}")
        if length.isdigit() and int(length[:20]) > most:
            await self._answer(scope, error)(scope, receive, send)
            return
        received, started, refused = 0, False, False

        async def counted() -> Message:
            nonlocal received, refused
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > most:
                    refused = True
                    raise _BodyTooLarge
            return message

        async def noted(message: Message) -> None:
            nonlocal started
            if refused and not started:
                # Whoever read the body has made an error of its own out of the signal.
                raise _BodyTooLarge
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, counted, noted)
        except _BodyTooLarge:
            if started:
                raise
            await self._answer(scope, error)(scope, receive, send)
