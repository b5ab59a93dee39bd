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


class SecurityHeaders:
    """Adds the headers to every response.

    Args:
        app: what is guarded.
        https: tell browsers to come over https only from now on.
    """

    def __init__(self, app: ASGIApp, *, https: bool = False) -> None:
        self.app = app
        self._always = {
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Permissions-Policy": _PERMISSIONS,
            "Cross-Origin-Opener-Policy": "same-origin",
        }
        if https:
            self._always["Strict-Transport-Security"] = f"max-age={_YEAR_S}"

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
        for name, value in self._always.items():
            headers[name] = value
        headers["Content-Security-Policy"] = content_policy(path)
        headers["Cross-Origin-Resource-Policy"] = "cross-origin" if path.startswith(EMBED) else "same-origin"
        if not path.startswith(EMBED):
            headers["X-Frame-Options"] = "DENY"
        del headers["server"]
        viewer = viewer_in(scope)
        if viewer is not None:
            headers.add_vary_header("Cookie, Authorization")
            if viewer.via in (Via.SESSION, Via.TOKEN) and "cache-control" not in headers:
                headers["Cache-Control"] = "private, no-store"
