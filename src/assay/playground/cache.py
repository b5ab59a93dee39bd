"""Answers that are kept: whatever anybody may see is reckoned once for each state of the index.

Only answers to requests without a session or a token are kept, only for pages that say so
(``Cache-Control: public``), and only for a minute, so that what ends by the clock ends; those that hang on the index
alone as long as it is the same. Each is kept as it goes out, compressed, and has an ETag.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import random
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assay.playground.index import Index
from assay.playground.security.config import ServerConfig
from assay.playground.security.cookies import session_name
from assay.playground.security.requests import holds_token

_MOST_BYTES = 64 << 20
_LARGEST = 8 << 20
_FOR_S = 60.0
_SMALLEST = 600
_KEPT_HEADERS = (b"content-type", b"cache-control", b"content-disposition", b"link")


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it goes out."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    plain: bytes | None
    compressed: bytes | None
    etag: bytes
    until: float

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return len(self.plain or b"") + len(self.compressed or b"") + 500


@dataclass(slots=True)
class Answers:
    """What is kept, the oldest let go first."""

    bytes: int = 0
    _kept: OrderedDict[tuple[str, ...], Kept] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: tuple[str, ...], now: float) -> Kept | None:
        """An answer that still holds."""
        with self._lock:
            found = self._kept.get(key)
            if found is None or found.until < now:
                return None
            self._kept.move_to_end(key)
            return found

    def put(self, key: tuple[str, ...], kept: Kept) -> None:
        """Keep an answer."""
        with self._lock:
            old = self._kept.pop(key, None)
            self.bytes += _weight(key, kept) - (_weight(key, old) if old else 0)
            self._kept[key] = kept
            while self.bytes > _MOST_BYTES:
                name, gone = self._kept.popitem(last=False)
                self.bytes -= _weight(name, gone)


def _weight(key: tuple[str, ...], kept: Kept) -> int:
    """Bytes of an answer with its key: an address may be longer than what it leads to."""
    return kept.size + sum(map(len, key))


class CacheMiddleware:
    """Answers from what is kept, and keeps what may be.

    Args:
        app: what is asked otherwise.
        version: gives the state of everything that pages are made of.
        session: name of the cookie of who is signed in.
    """

    def __init__(
        self, app: ASGIApp, version: Callable[[], str], session: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._app = app
        self._version = version
        self._session = session
        self._clock = clock
        self._answers = Answers()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        if scope["method"] == "HEAD":
            # Pages know GET alone; this is the same without what it says.
            await self({**scope, "method": "GET"}, receive, _bodiless(send))
            return
        headers = Headers(scope=scope)
        if self._session in headers.get("cookie", "") or "authorization" in headers:
            await self._app(scope, receive, send)
            return
        key = (
            self._version(),
            str(scope.get("scheme", "")),
            headers.get("host", ""),
            scope["path"],
            scope["query_string"].decode("latin-1"),
            "json" if "text/html" not in headers.get("accept", "") else "html",
            headers.get("accept", "") if "text/html" not in headers.get("accept", "") else "",
        )
        kept = self._answers.get(key, self._clock())
        if kept is None:
            await self._app(scope, receive, _Recorder(scope, send, self._answers, key, headers, self._clock()))
            return
        await _give(kept, headers, send)


def _bodiless(send: Send) -> Send:
    async def sending(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return sending


class _Recorder:
    """Passes an answer on; one that may be kept is taken whole first."""

    def __init__(
        self, scope: Scope, send: Send, answers: Answers, key: tuple[str, ...], asked: Headers, now: float
    ) -> None:
        self._scope = scope
        self._send = send
        self._answers = answers
        self._key = key
        self._asked = asked
        self._now = now
        self._start: Message | None = None
        self._body = bytearray()
        self._passing = False

    async def __call__(self, message: Message) -> None:
        if self._passing:
            await self._send(message)
            return
        if message["type"] == "http.response.start":
            if not self._may_be_kept(message):
                self._passing = True
                await self._send(message)
                return
            self._start = message
            return
        assert self._start is not None
        self._body += message.get("body", b"")
        if len(self._body) > _LARGEST:
            self._passing = True
            await self._send(self._start)
            await self._send(
                {"type": "http.response.body", "body": bytes(self._body), "more_body": message.get("more_body", False)}
            )
            return
        if not message.get("more_body", False):
            # What was asked for together does not end together: it would all have to be made anew at once.
            lasting = self._scope.get("state", {}).get("lasting", False)
            until = math.inf if lasting else self._now + _FOR_S * (0.5 + 0.5 * random.random())
            kept = _made(self._start, bytes(self._body), until)
            self._answers.put(self._key, kept)
            await _give(kept, self._asked, self._send)

    def _may_be_kept(self, start: Message) -> bool:
        headers = Headers(raw=start["headers"])
        control = headers.get("cache-control", "")
        public = "public" in control and "immutable" not in control and "set-cookie" not in headers
        return start["status"] == 200 and public and not holds_token(self._scope)


def _made(start: Message, body: bytes, until: float) -> Kept:
    etag = b'"' + hashlib.sha256(body).hexdigest()[:20].encode() + b'"'
    headers = tuple((name, value) for name, value in start["headers"] if name in _KEPT_HEADERS)
    small = len(body) < _SMALLEST
    return Kept(start["status"], headers, body, None if small else gzip.compress(body, 5, mtime=0), etag, until)


async def _give(kept: Kept, asked: Headers, send: Send) -> None:
    headers = MutableHeaders(raw=[*kept.headers])
    headers["etag"] = kept.etag.decode("ascii")
    headers.add_vary_header("Accept, Accept-Encoding, Cookie, Authorization")
    if asked.get("if-none-match", "").removeprefix("W/") == headers["etag"]:
        await send({"type": "http.response.start", "status": 304, "headers": headers.raw})
        await send({"type": "http.response.body", "body": b""})
        return
    body = kept.plain or b""
    if kept.compressed is not None and "gzip" in asked.get("accept-encoding", ""):
        headers["content-encoding"], body = "gzip", kept.compressed
    headers["content-length"] = str(len(body))
    await send({"type": "http.response.start", "status": kept.status, "headers": headers.raw})
    await send({"type": "http.response.body", "body": body})


def middleware(index: Index, config: ServerConfig) -> Middleware:
    """The cache of an application's answers."""
    return Middleware(CacheMiddleware, version=lambda: index.version, session=session_name(config.secure))
