from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from starlette.requests import HTTPConnection
from starlette.responses import Response

from assay.playground.accounts.viewer import Session, Viewer
from assay.playground.security.cookies import (
    flow_cookie,
    forget_flow,
    forget_session,
    keep_flow,
    keep_session,
    session_cookie,
    session_name,
)

SECRET = "0" * 48


def sent(cookie: str) -> HTTPConnection:
    return HTTPConnection({"type": "http", "headers": [(b"cookie", cookie.encode())]})


@pytest.mark.parametrize("secure", [True, False])
def test_what_is_given_comes_back(secure: bool) -> None:
    response = Response()
    keep_session(response, Session(SECRET, Viewer(), datetime.now(UTC) + timedelta(hours=1)), secure)
    keep_flow(response, "flow", 600, secure)
    session, flow = response.headers.getlist("set-cookie")
    assert session_cookie(sent(session.partition(";")[0]), secure) == SECRET
    assert flow_cookie(sent(flow.partition(";")[0]), secure) == "flow"
    for told in (session, flow):
        assert "HttpOnly" in told and "SameSite=lax" in told and "Domain" not in told
        assert ("Secure" in told) == told.startswith("__Host-") == secure
    seconds = int(session.partition("Max-Age=")[2].partition(";")[0])
    assert 3590 <= seconds <= 3600


def test_a_session_that_has_ended_is_given_for_no_time() -> None:
    response = Response()
    keep_session(response, Session(SECRET, Viewer(), datetime.now(UTC) - timedelta(hours=1)), True)
    assert "Max-Age=0" in response.headers["set-cookie"]


def test_what_is_taken_away_has_the_same_name() -> None:
    response = Response()
    forget_session(response, True)
    forget_flow(response, True)
    session, flow = response.headers.getlist("set-cookie")
    assert session.startswith('__Host-assay-session="";') and flow.startswith('__Host-assay-flow="";')
    assert "Max-Age=0" in session and "Secure" in session and "Max-Age=0" in flow


@pytest.mark.parametrize("value", ["", "x", SECRET[1:], SECRET + "0", "G" * 48, "../../x"])
def test_what_has_not_the_form_of_a_secret_is_not_looked_up(value: str) -> None:
    assert session_cookie(sent(f"{session_name(False)}={value}"), False) is None


def test_over_https_a_cookie_of_plain_http_means_nothing() -> None:
    """A neighbour on another port or a plain copy of the site cannot set it."""
    assert session_cookie(sent(f"{session_name(False)}={SECRET}"), True) is None
