from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import event

from assay.playground.accounts.audit import CONSOLE
from assay.playground.accounts.viewer import Scope
from assay.playground.security.requests import FormTokens

from .conftest import GOOD, Site

Make = Callable[..., Site]


def counted(site: Site, path: str, **more: Any) -> int:
    """How many statements a request costs."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    event.listen(site.accounts.database.engine, "before_cursor_execute", note)
    assert site.client.get(path, **more).status_code == 200
    event.remove(site.accounts.database.engine, "before_cursor_execute", note)
    return len(seen)


def test_nobody_costs_no_query_and_somebody_one(site: Make) -> None:
    made = site()
    assert made.client.get("/me").json()["via"] == "anonymous"
    assert counted(made, "/me") == 0
    assert counted(made, "/me", headers={"cookie": "assay-session=not-one-of-ours"}) == 0
    made.sign_in()
    assert made.client.get("/me").json() == {"name": "Ada", "via": "session", "peer": "192.0.2.1"}
    assert counted(made, "/me") == 1


def test_a_bearer_token(site: Make) -> None:
    made = site()
    header = {"authorization": f"bEaReR {made.token(Scope.READ)}"}
    assert made.client.get("/form", headers=header).json() == {
        "name": "Ada",
        "via": "token",
        "scopes": ["read"],
        "csrf": "",
    }


def test_a_token_alone_decides_even_beside_a_session(site: Make) -> None:
    made = site()
    made.sign_in()
    answer = made.client.get("/api/me", headers={"authorization": "Bearer assay_wrong"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="assay"'
    assert answer.json()["what"] == "the token does not hold"


def test_what_is_no_bearer_token_is_nobody(site: Make) -> None:
    made = site()
    for value in ("", "Basic YTpi", "Digest x", "assay_x"):
        assert made.client.get("/me", headers={"authorization": value}).json()["via"] == "anonymous"


def test_guessing_tokens_comes_to_an_end(site: Make) -> None:
    made = site(limits={"sign_in": {"per_minute": 1, "burst": 3}})
    header = {"authorization": f"Bearer assay_{'0' * 16}_{'0' * 48}"}
    assert [made.client.get("/api/me", headers=header).status_code for _ in range(5)] == [401] * 3 + [429] * 2
    good = {"authorization": f"Bearer {made.token()}"}
    assert made.client.get("/api/me", headers=good).status_code == 200


def test_a_single_user_is_the_maintainer_and_needs_no_database(site: Make) -> None:
    made = site(single_user=True, base_url=None, host="localhost")
    found = made.client.get("http://localhost/form").json()
    assert (found["name"], found["via"], found["scopes"]) == ("me", "local", ["admin", "push", "read"])
    assert made.gate.limiter is None and made.gate.accounts is None
    with_token = made.client.get("http://localhost/form", headers={"authorization": "Bearer whatever"})
    assert with_token.json()["via"] == "local"


def test_signing_out_takes_the_session_away(site: Make) -> None:
    made = site()
    made.sign_in()
    stolen = dict(made.client.cookies)
    assert made.client.post("/sign-out", data={"csrf": made.csrf()}).status_code == 200
    made.client.cookies.update(stolen)
    assert made.client.get("/me").json()["via"] == "anonymous"


def test_who_is_locked_out_is_nobody_at_the_next_request(site: Make) -> None:
    made = site()
    made.sign_in()
    made.accounts.people.disable("Ada", by=CONSOLE)
    assert made.client.get("/me").json()["via"] == "anonymous"


def test_cookies_of_a_session(site: Make) -> None:
    made = site(secure=True)
    form = {"csrf": made.csrf(), "name": "Ada", "password": GOOD}
    told = made.client.post("/sign-in", data=form).headers["set-cookie"]
    assert told.startswith("__Host-assay-session=")
    for part in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert part in told
    assert "Domain" not in told


def test_tokens_of_forms_hold_for_their_cookie_only() -> None:
    one, two = FormTokens(b"k" * 32, None), FormTokens(b"k" * 32, None)
    assert not one.fresh and not one.known
    token = one()
    assert one.fresh and token == one() != two()
    again = FormTokens(b"k" * 32, one.cookie)
    assert again.known and not again.fresh and again() == token
    for cookie in (f"{'0' * 32}.{one.cookie[33:]}", "x", ".", one.cookie[:-1], FormTokens(b"x" * 32, None).cookie):
        forged = FormTokens(b"k" * 32, cookie)
        assert not forged.known and forged() != token
