"""Host names: a server answers to its own names only, so that no other name can be pointed at it (DNS rebinding)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from assay.errors import InvalidInputError
from assay.playground.security.answers import Answer, plain_answer

_PORT = re.compile(r":\d{1,5}$")


class AllowedHosts:
    """Refuses a request whose ``Host`` is none of the names: 400.

    Args:
        app: what is guarded.
        hosts: names without a port; ``*.example.org`` for all below a domain.
        free: paths that are answered under every name, because a probe knows only an address.
        answer: makes the refusal.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: Sequence[str],
        *,
        free: Sequence[str] = ("/healthz",),
        answer: Answer = plain_answer,
    ) -> None:
        self.app, self._free, self._answer = app, frozenset(free), answer
        self._names = frozenset(host.lower() for host in hosts if not host.startswith("*."))
        self._ends = tuple(host[1:].lower() for host in hosts if host.startswith("*."))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] in ("http", "websocket") and scope["path"] not in self._free:
            given = Headers(scope=scope).getlist("host")
            if len(given) != 1 or not self.allows(given[0]):
                error = InvalidInputError("this server has another name", hint="add the name to allowed_hosts")
                if scope["type"] == "websocket":
                    await send({"type": "websocket.close", "code": 1008})
                else:
                    await self._answer(scope, error)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def allows(self, host: str) -> bool:
        """Whether a ``Host`` header names this server."""
        name = _PORT.sub("", host.strip().lower()).removesuffix(".")
        return name in self._names or (bool(self._ends) and name.endswith(self._ends))
