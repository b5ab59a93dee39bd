"""Forms of other sites: every request that changes something has to come from a page of ours.

Three things are looked at: where the browser says that it comes from (``Sec-Fetch-Site``, else ``Origin``), and a token
that only our pages know, in the header ``X-CSRF-Token`` or the form's field ``csrf``. In a form with files the field
has to be the first. Requests with a bearer token need none of it: no browser sends that along by itself. Nor do
programs that keep no cookies and say so in a header that forms cannot send (``X-Assay-Client``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assay.errors import AssayError
from assay.playground.accounts.hashes import same
from assay.playground.accounts.refusals import DeniedError
from assay.playground.accounts.viewer import Via, Viewer
from assay.playground.security.answers import Answer, plain_answer
from assay.playground.security.cookies import cookie_name
from assay.playground.security.requests import bearer_of, forms_of, gate_of, identify

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
FIELD, HEADER, CLIENT = "csrf", "x-csrf-token", "x-assay-client"
_MOST_FORM, _MOST_FIRST = 1 << 20, 16 << 10
_BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,70})"|([^\s;]{1,70}))', re.IGNORECASE)
_FIRST = re.compile(rb'content-disposition:\s*form-data;\s*name="csrf"\s*$', re.IGNORECASE)


class CsrfGuard:
    """Refuses requests that another site could have made: 403.

    Args:
        app: what is guarded; its state has a gate.
        answer: makes the refusal.
        who: finds who sends a request.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        answer: Answer = plain_answer,
        who: Callable[[HTTPConnection], Viewer] = identify,
    ) -> None:
        self.app, self._answer, self._who = app, answer, who

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        body = _Body(receive)
        if scope["method"] not in SAFE and bearer_of(request) is None:
            try:
                await self._check(request, body)
            except AssayError as error:
                await self._answer(scope, error)(scope, receive, self._with_cookie(request, send))
                return
        await self.app(scope, body.again, self._with_cookie(request, send))

    async def _check(self, request: HTTPConnection, body: _Body) -> None:
        """Look at origin and token.

        Raises:
            DeniedError: when either is wrong.
        """
        _check_origin(request)
        if CLIENT in request.headers and not request.cookies:
            return
        viewer = await run_in_threadpool(self._who, request)
        # Without a cookie of ours there is nothing to compare with, and no reason to make one.
        known = viewer.via is Via.SESSION or forms_of(request).known
        expected = viewer.csrf if known else ""
        given = request.headers.get(HEADER) or await body.token(request.headers.get("content-type", ""))
        if not expected or not given or not same(given, expected):
            raise DeniedError(
                "this form is too old, or not from here", hint="load the page again and send it once more"
            )

    @staticmethod
    def _with_cookie(request: HTTPConnection, send: Send) -> Send:
        """Give the browser the cookie that belongs to a token that a page has asked for."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                forms = forms_of(request)
                if forms.fresh:
                    carrier = Response()
                    secure = gate_of(request).config.secure
                    carrier.set_cookie(
                        cookie_name("form", secure),
                        forms.cookie,
                        path="/",
                        secure=secure,
                        httponly=True,
                        samesite="lax",
                    )
                    MutableHeaders(scope=message).append("set-cookie", carrier.headers["set-cookie"])
                if forms.asked:
                    # Nobody else may be given this page with its token.
                    MutableHeaders(scope=message)["cache-control"] = "private, no-store"
            await send(message)

        return sending


def _check_origin(request: HTTPConnection) -> None:
    """Refuse what a browser says comes from elsewhere.

    Raises:
        DeniedError: when it does.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        raise DeniedError("the request comes from another site")
    origin = request.headers.get("origin")
    if origin is None:
        return
    base = gate_of(request).config.base_url
    own = {f"{request.scope.get('scheme', 'http')}://{request.headers.get('host', '')}".lower()}
    if base:
        own.add("{0.scheme}://{0.netloc}".format(urlsplit(base)).lower())
    if origin.lower() not in own:
        raise DeniedError("the request comes from another site")


class _Body:
    """A request's body that can be looked into before it is handed on whole."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._read: list[Message] = []

    async def again(self) -> Message:
        """The next message, those that were looked into first."""
        return self._read.pop(0) if self._read else await self._receive()

    async def token(self, content_type: str) -> str | None:
        """The token in a form; None for a body that is none."""
        kind = content_type.partition(";")[0].strip().lower()
        if kind == "application/x-www-form-urlencoded":
            data = await self._until(lambda _: False, _MOST_FORM)
            return _in_form(data)
        boundary = _BOUNDARY.search(content_type) if kind == "multipart/form-data" else None
        if boundary is None:
            return None
        mark = b"--" + (boundary[1] or boundary[2]).encode("latin-1", "replace")
        data = await self._until(lambda seen: seen.count(mark) > 1, _MOST_FIRST)
        return _in_first_part(data, mark)

    async def _until(self, enough: Callable[[bytes], bool], most: int) -> bytes:
        data = b""
        while len(data) <= most and not enough(data):
            message = await self._receive()
            self._read.append(message)
            if message["type"] != "http.request":
                break
            data += message.get("body", b"")
            if not message.get("more_body", False):
                break
        return data


def _in_form(data: bytes) -> str | None:
    try:
        fields = parse_qsl(data[: _MOST_FORM + 1].decode("latin-1"), keep_blank_values=True, max_num_fields=1000)
    except ValueError:
        return None
    return next((value for name, value in fields if name == FIELD), None)


def _in_first_part(data: bytes, mark: bytes) -> str | None:
    start = data.find(mark)
    head, blank, rest = data[start + len(mark) :].partition(b"\r\n\r\n") if start >= 0 else (b"", b"", b"")
    value, ending, _ = rest.partition(b"\r\n" + mark)
    lines = [line for line in head.split(b"\r\n") if line.strip()]
    if not blank or not ending or not lines or _FIRST.match(lines[0].strip()) is None:
        return None
    return value.decode("latin-1")
