"""Requests whose end can be told in two ways: what one server takes for the next request another takes for a body."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from assay.errors import InvalidInputError
from assay.playground.security.answers import Answer, plain_answer


class OneLength:
    """Refuses a request with both a length and chunks, or with two lengths, and ends its connection: 400.

    Args:
        app: what is guarded.
        answer: makes the refusal.
    """

    def __init__(self, app: ASGIApp, *, answer: Answer = plain_answer) -> None:
        self.app, self._answer = app, answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            told = headers.getlist("content-length") + headers.getlist("transfer-encoding")
            if len(told) > 1:
                response = self._answer(scope, InvalidInputError("the request has more than one length"))
                response.headers["Connection"] = "close"
                await response(scope, receive, send)
                return
        await self.app(scope, receive, send)
