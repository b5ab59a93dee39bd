"""The cookies of a server: for a session, for forms without one, and for the way to a sign-in elsewhere."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from starlette.requests import HTTPConnection
from starlette.responses import Response

from assay.playground.accounts.viewer import Session

_SESSION = re.compile(r"[0-9a-f]{48}")


def session_name(secure: bool) -> str:
    """Name of the session's cookie; over https one that only this host can set."""
    return cookie_name("session", secure)


def cookie_name(what: str, secure: bool) -> str:
    """Name of a cookie; over https one that only this host can set."""
    return f"__Host-assay-{what}" if secure else f"assay-{what}"


def session_cookie(request: HTTPConnection, secure: bool) -> str | None:
    """The secret of a session that a request carries, when it has the form of one."""
    value = request.cookies.get(session_name(secure), "")
    return value if _SESSION.fullmatch(value) else None


def keep_session(response: Response, session: Session, secure: bool) -> None:
    """Give a session to the browser: out of reach of scripts, not sent along from other sites' forms."""
    seconds = max(0, int((session.expires - datetime.now(UTC)).total_seconds()))
    response.set_cookie(
        session_name(secure), session.cookie, max_age=seconds, path="/", secure=secure, httponly=True, samesite="lax"
    )


def forget_session(response: Response, secure: bool) -> None:
    """Take a session from the browser."""
    response.delete_cookie(session_name(secure), path="/", secure=secure, httponly=True, samesite="lax")


def keep_flow(response: Response, cookie: str, seconds: int, secure: bool) -> None:
    """Give the browser what it has to bring back from a sign-in elsewhere."""
    response.set_cookie(
        cookie_name("flow", secure), cookie, max_age=seconds, path="/", secure=secure, httponly=True, samesite="lax"
    )


def flow_cookie(request: HTTPConnection, secure: bool) -> str | None:
    """What a browser brings back from a sign-in elsewhere."""
    return request.cookies.get(cookie_name("flow", secure))


def forget_flow(response: Response, secure: bool) -> None:
    """Take it from the browser: it is good once."""
    response.delete_cookie(cookie_name("flow", secure), path="/", secure=secure, httponly=True, samesite="lax")
