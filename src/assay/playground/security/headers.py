"""Headers that tell browsers what a page may do: load nothing from elsewhere, stand in no frame, run no inline script."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assay.playground.accounts.viewer import Via
from assay.playground.security.requests import viewer_in

_CSP = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "connect-src 'self'",
    "font-src 'self'",
    "manifest-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
)
_PERMISSIONS = "accelerometer=(), camera=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()"
EMBED = "/embed/"
_YEAR_S = 365 * 24 * 3600


def content_policy(path: str) -> str:
    """What a page may load, and in whose frames it may stand: only one below ``/embed/`` in others'."""
    ancestors = "*" if path.startswith(EMBED) else "'none'"
    return "; ".join((*_CSP, f"frame-ancestors {ancestors}"))


def security_headers(path: str, *, https: bool) -> dict[str, str]:
    """The headers of every answer to a path.

    Args:
        path: that was asked for.
        https: tell browsers to come over https only from now on.
    """
    embedded = path.startswith(EMBED)
    return {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": _PERMISSIONS,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Content-Security-Policy": content_policy(path),
        "Cross-Origin-Resource-Policy": "cross-origin" if embedded else "same-origin",
        **({} if embedded else {"X-Frame-Options": "DENY"}),
        **({"Strict-Transport-Security": f"max-age={_YEAR_S}"} if https else {}),
    }


class SecurityHeaders:
    """Adds the headers to every response.

    Args:
        app: what is guarded.
        https: tell browsers to come over https only from now on.
    """

    def __init__(self, app: ASGIApp, *, https: bool = False) -> None:
        self.app, self._https = app, https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add(MutableHeaders(scope=message), path, scope)
            await send(message)

        await self.app(scope, receive, sending)

    def _add(self, headers: MutableHeaders, path: str, scope: Scope) -> None:
        for name, value in security_headers(path, https=self._https).items():
            headers[name] = value
        del headers["server"]
        viewer = viewer_in(scope)
        if viewer is not None:
            headers.add_vary_header("Cookie, Authorization")
            if viewer.via in (Via.SESSION, Via.TOKEN) and "cache-control" not in headers:
                headers["Cache-Control"] = "private, no-store"
