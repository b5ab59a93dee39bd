"""One line for each request, as JSON or as text; secrets never stand in it."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assay.playground.accounts.network import truncated
from assay.playground.security.addresses import address_of
from assay.playground.security.requests import viewer_in

_SECRETS = re.compile(r"token|secret|passw|code|state|csrf|invitation|session|key|auth", re.IGNORECASE)
_TOKEN = re.compile(r"assay_[0-9a-f]{16}_[0-9a-f]+|\b[0-9a-f]{48}\b")
_LONGEST = 500
Field = str | int | float | None


def without_secrets(text: str) -> str:
    """A text without anything that has the form of a token or of a session."""
    return _TOKEN.sub("(secret)", text)[:_LONGEST]


def told_query(raw: bytes) -> str:
    """A query string with the values of secret keys taken out."""
    try:
        pairs = parse_qsl(raw[:4096].decode("latin-1"), keep_blank_values=True, max_num_fields=100)
    except ValueError:
        return "(too many fields)"
    told = [(name, "(secret)" if _SECRETS.search(name) else value) for name, value in pairs]
    return without_secrets(urlencode(told, safe="()"))


def as_json(entry: dict[str, Field]) -> str:
    """A line of the log as JSON."""
    return json.dumps({name: value for name, value in entry.items() if value not in (None, "")}, ensure_ascii=True)


def as_text(entry: dict[str, Field]) -> str:
    """A line of the log for people; what could break the line is escaped."""
    where = f"{entry['path']}?{entry['query']}" if entry.get("query") else f"{entry['path']}"
    end = f" {entry['error']}" if entry.get("error") else ""
    line = f"{entry['time']} {entry['method']} {where} {entry['status']} {entry['ms']} ms {entry['bytes']} B{end}"
    return line.encode("unicode_escape").decode("ascii")


class RequestLog:
    """Writes a line when a request has been answered, and gives the answer its number (``X-Request-ID``).

    Args:
        app: what is watched.
        write: takes a line without its end.
        form: of the line.
        quiet: paths that are not told when all is well.
    """

    def __init__(
        self,
        app: ASGIApp,
        write: Callable[[str], None],
        *,
        form: Literal["json", "text"] = "json",
        quiet: tuple[str, ...] = ("/healthz", "/metrics"),
    ) -> None:
        self.app, self._write, self._quiet = app, write, quiet
        self._line = as_json if form == "json" else as_text

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        number = scope["assay.request_id"] = secrets.token_hex(8)
        start, status, sent, failed = time.perf_counter(), 500, 0, ""

        async def sending(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = number
            elif message["type"] == "http.response.body":
                sent += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except BaseException as error:
            failed = type(error).__name__
            raise
        finally:
            if failed or status >= 400 or scope["path"] not in self._quiet:
                entry = _entry(scope, status, sent, time.perf_counter() - start)
                self._write(self._line({**entry, "error": failed}))


def _entry(scope: Scope, status: int, sent: int, seconds: float) -> dict[str, Field]:
    viewer = viewer_in(scope)
    return {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "id": scope["assay.request_id"],
        "method": scope["method"][:16],
        "path": without_secrets(scope["path"]),
        "query": told_query(scope.get("query_string", b"")),
        "status": status,
        "ms": round(seconds * 1000, 2),
        "bytes": sent,
        "network": truncated(address_of(scope)),
        "account": None if viewer is None else viewer.account_id,
        "via": None if viewer is None else viewer.via.value,
    }
