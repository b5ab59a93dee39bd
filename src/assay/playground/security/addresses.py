"""Where a request comes from: the peer, or what a trusted proxy says."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from assay.playground.accounts.network import UNIX, parse

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def address_of(scope: Scope) -> str:
    """The address that a request comes from, as :class:`TrustedProxies` left it."""
    client = scope.get("client")
    return str(client[0]) if client and client[0] else UNIX


class TrustedProxies:
    """Believes ``X-Forwarded-For`` and ``X-Forwarded-Proto`` of named proxies, and of nobody else.

    The client is the last address that is no trusted proxy's, read from the right: what stands further left was
    written by whoever sent the request.
    """

    def __init__(self, app: ASGIApp, trusted: Sequence[str] = ()) -> None:
        self.app = app
        self._unix = UNIX in trusted
        self._networks: list[_Network] = [ipaddress.ip_network(each, strict=False) for each in trusted if each != UNIX]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http" and self._is_trusted(address_of(scope)):
            headers = Headers(scope=scope)
            scheme = headers.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower()
            if scheme in ("http", "https"):
                scope["scheme"] = scheme
            client = self._client(headers.getlist("x-forwarded-for"))
            if client is not None:
                scope["client"] = (client, 0)
        await self.app(scope, receive, send)

    def _client(self, lines: list[str]) -> str | None:
        hops = [hop.strip() for hop in ",".join(lines).split(",") if hop.strip()][-32:]
        client = None
        for hop in reversed(hops):
            address = parse(hop)
            if address is None:
                break
            client = str(address)
            if not self._is_trusted(client):
                break
        return client

    def _is_trusted(self, text: str) -> bool:
        if text == UNIX:
            return self._unix
        address = parse(text)
        return address is not None and any(
            address.version == network.version and address in network for network in self._networks
        )
