"""Visitors who are not who they seem: what is kept for one never reaches another, and nobody writes our log or our links."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.responses import Response
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send
from tests.playground.conftest import HTML, csrf_of, form_of, local_app, newcomer, server_app, signed_in, token_of

from assay.base.settings import Settings
from assay.playground.accounts.viewer import Role
from assay.playground.app import create_app
from assay.playground.cache import CacheMiddleware
from assay.playground.security.config import ServerConfig
from assay.playground.security.requests import FormTokens, Gate, holds_token

from .harm import MARK, SCRIPTS, sound

KEPT = (
    "/",
    "/explorer",
    "/rounds",
    "/systems",
    "/benchmarks/resnet",
    "/search?q=h100",
    "/docs",
    "/api",
    "/explorer.csv?benchmark=resnet",
)


@pytest.fixture(scope="module")
def site(published_home: Path) -> Iterator[TestClient]:
    """A server with accounts and a short limit of sign-ins."""
    limits = {"enabled": True, "sign_in": {"per_minute": 1, "burst": 5}, "page": {"per_minute": 90000, "burst": 90000},
              "api": {"per_minute": 90000, "burst": 90000}, "search": {"per_minute": 90000, "burst": 90000}}  # fmt: skip
    home = published_home.parent / "visitors"
    with server_app(Settings(home=home), sign_up="open", limits=limits) as client:
        yield client


FOREIGN = {
    "X-Forwarded-Host": f"{MARK}.example", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9", "Forwarded": f"host={MARK}.example",
    "X-Original-URL": "/people", "X-Rewrite-URL": "/people", "X-Host": MARK, "X-Forwarded-Prefix": f"/{MARK}", "X-Forwarded-Port": "1",
    "X-HTTP-Method-Override": "DELETE", "Origin": f"https://{MARK}.example", "Referer": f"https://{MARK}.example/", "Accept-Language": MARK,
    "User-Agent": SCRIPTS[0], "Cookie": f"assay-form={MARK}; theme={MARK}; x={SCRIPTS[1]}",
}  # fmt: skip


@pytest.mark.parametrize("path", KEPT)
def test_no_header_of_one_visitor_changes_the_page_of_another(site: TestClient, path: str) -> None:
    mark = f"{path}{'&' if '?' in path else '?'}page=1" if path.startswith("/explorer") else path
    poisoned = sound(newcomer(site).get(mark, headers={**HTML, **FOREIGN}))
    assert MARK not in poisoned.text
    assert "access-control-allow-origin" not in poisoned.headers
    clean = sound(newcomer(site).get(mark, headers=HTML))
    assert clean.content == poisoned.content
    assert clean.headers.get("set-cookie") is None


@pytest.mark.parametrize("path", ["/", "/rounds", "/benchmarks/resnet"])
def test_every_form_of_a_page_is_kept_apart(site: TestClient, path: str) -> None:
    for accept in (
        "application/json",
        "text/html",
        "*/*",
        "text/csv",
        "application/json",
        "text/html;q=0, application/json",
        "",
    ):
        answer = sound(newcomer(site).get(path, headers={"accept": accept}))
        wanted = "text/html" if "text/html" in accept or "json" not in accept else "application/json"
        assert answer.headers["content-type"].startswith(wanted), accept
        assert "Accept" in answer.headers["vary"]


@pytest.mark.parametrize("path", KEPT)
def test_what_is_made_for_somebody_is_kept_by_nobody(site: TestClient, path: str) -> None:
    for role in (Role.READER, Role.MAINTAINER):
        browser = signed_in(site, f"kept-{role.value}", role)
        answer = sound(browser.get(path, headers=HTML))
        assert "public" not in answer.headers["cache-control"]
        assert "private" in answer.headers["cache-control"] or "no-store" in answer.headers["cache-control"]
        if answer.headers["content-type"].startswith("text/html"):
            assert f"kept-{role.value}" in answer.text
        assert f"kept-{role.value}" not in newcomer(site).get(path, headers=HTML).text
    with_token = newcomer(site).get(path, headers={**HTML, **token_of(site, "kept-reader", "read")})
    assert "public" not in with_token.headers["cache-control"]


def test_a_page_with_a_visitors_token_of_forms_is_kept_by_nobody(site: TestClient) -> None:
    """Also the second one, when the cookie is there already."""
    asked: list[bool] = []

    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        tokens = scope["assay.forms"] = FormTokens(b"s" * 32, None)
        assert not holds_token(scope)
        token = tokens()
        asked.append(holds_token(scope))
        await Response(token, headers={"cache-control": "public, no-cache"})(scope, receive, send)

    browser = TestClient(CacheMiddleware(page, lambda: "1", "session"))
    assert browser.get("/").text != browser.get("/").text
    assert asked == [True, True]
    visitor = newcomer(site)
    tokens = []
    for _ in range(2):
        answer = visitor.get("/sign-in", headers=HTML)
        assert answer.headers["cache-control"] == "private, no-store"
        tokens.append(form_of(answer).fields["csrf"])
    assert tokens[0] == tokens[1]
    assert form_of(newcomer(site).get("/sign-in", headers=HTML)).fields["csrf"] != tokens[0]


def test_a_token_of_forms_is_good_for_its_own_browser_only(site: TestClient) -> None:
    mine, theirs = signed_in(site, "mine"), signed_in(site, "theirs")
    stranger = form_of(newcomer(site).get("/sign-in", headers=HTML)).fields["csrf"]
    for token in (csrf_of(theirs), stranger, "", "0" * 64, csrf_of(mine)[:-1]):
        answer = mine.post("/account/profile", data={"csrf": token, "shown": MARK}, headers=HTML)
        assert answer.status_code == 403, token
    assert MARK not in mine.get("/account", headers=HTML).text


def test_a_cookie_that_somebody_else_has_set_is_not_the_session_that_follows(site: TestClient) -> None:
    visitor = newcomer(site)
    name = next(iter(signed_in(site, "fixed").cookies))
    visitor.cookies.set(name, "f" * 64)
    form = form_of(visitor.get("/sign-in", headers=HTML), "/sign-in")
    form.send(visitor, name="fixed", password="correct horse battery")
    values = [each.value for each in visitor.cookies.jar if each.name == name]
    assert values
    stranger = newcomer(site)
    stranger.cookies.set(name, "f" * 64)
    assert stranger.get("/api/me.json").json()["name"] is None


def test_guessing_tokens_is_told_nothing_and_slowed_down(site: TestClient) -> None:
    good = token_of(site, "holder")["Authorization"].removeprefix("Bearer ")
    prefix, _, secret = good.rpartition("_")
    seen, statuses = set(), []
    for guess in (
        f"{prefix}_{'0' * len(secret)}",
        f"assay_{'0' * 16}_{secret}",
        "x",
        "",
        good[:-1],
        good + "0",
        good.upper(),
        "é",
        "a" * 5000,
    ):
        answer = newcomer(site).get("/api/me.json", headers={"Authorization": f"Bearer {guess}".encode("latin-1")})
        statuses.append(answer.status_code)
        if answer.status_code == 401:
            seen.add(re.sub(r"\d+", "N", answer.text))
    assert statuses.count(401) == 5
    assert set(statuses) == {401, 429}
    assert len(seen) == 1
    # Who holds one is not kept out by it.
    assert newcomer(site).get("/api/me.json", headers={"Authorization": f"Bearer {good}"}).json()["name"] == "holder"


@pytest.mark.parametrize(
    "host",
    [
        f"{MARK}.example",
        f"localhost@{MARK}.example",
        f"localhost:80@{MARK}",
        "",
        " ",
        f"localhost,{MARK}",
        "localhost/x",
        "[::1",
        "a" * 5000,
    ],
)
def test_another_host_is_refused_and_stands_in_no_answer(site: TestClient, host: str) -> None:
    for path in ("/", "/api", "/sign-in", "/nothing", "/explorer.json"):
        answer = newcomer(site).get(path, headers={**HTML, "host": host})
        assert answer.status_code == 400
        assert MARK not in sound(answer).text
    assert MARK not in newcomer(site).get("/api", headers=HTML).text


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example", "\\\\evil.example", "javascript:alert(1)", "/%0d%0aX: y",
     "/\r\nLocation: //evil.example", "///evil.example", "http:evil.example", "//evil.example/%2f..", "/ /evil", "\u2028//evil", "/" + "a" * 5000],
)  # fmt: skip
def test_nobody_is_led_elsewhere(server: TestClient, target: str) -> None:
    browser = signed_in(server, "led")
    for path in ("/sign-in", "/sign-up", "/sign-in/elsewhere"):
        sound(browser.get(path, params={"next": target, "then": target}, headers=HTML, follow_redirects=False))
    answer = browser.post("/sign-out", data={"csrf": csrf_of(browser), "next": target}, follow_redirects=False)
    assert sound(answer).headers.get("location", "/") in ("/", "/sign-in")


LINES = (
    "/a%0a%0d2026 forged", "/%1b[2J%1b]0;owned%07", "/%c2%9b31m", "/%e2%80%a8x", "/%00", "/x?q=%0aforged%1b[31m", "/\u202eevil",
    "/" + "a" * 20_000,
)  # fmt: skip


@pytest.mark.parametrize("kind", ["json", "text"])
def test_nobody_writes_lines_into_the_log(published_home: Path, kind: str) -> None:
    lines: list[str] = []
    config = ServerConfig(single_user=True, log_format=kind)
    app = create_app(Settings(home=published_home), config, Gate(config, None, None, b"s" * 32), write_log=lines.append)
    with TestClient(app, base_url="http://localhost") as client:
        for path in (
            "/a%0a%0d2026 forged",
            "/%1b[2J%1b]0;owned%07",
            "/%c2%9b31m",
            "/%e2%80%a8x",
            "/%00",
            "/x?q=%0aforged%1b[31m",
            "/\u202eevil",
            "/" + "a" * 20_000,
        ):
            client.get(path, headers={**HTML, "user-agent": "\x1b[31m", "referer": "x\ty"})
    assert len(lines) == len(LINES)
    for line in lines:
        assert line.isascii()
        assert line.isprintable()
        assert len(line) < 4000
        if kind == "json":
            assert json.loads(line)["status"] in (200, 400, 404)


@pytest.mark.parametrize(
    "name", [*SCRIPTS, "../../etc", "a\0b", "a/b", "\u202eadmin", "\uff21dmin", "", " ", "x" * 500, "-rf", "admin\n"]
)
def test_names_of_accounts_are_plain_or_refused(server: TestClient, name: str) -> None:
    visitor = newcomer(server)
    form = form_of(visitor.get("/sign-up", headers=HTML), "/sign-up")
    answer = sound(form.send(visitor, name=name, password="correct horse battery"))
    assert answer.status_code in (400, 422), (name, answer.status_code)
    maintainer = signed_in(server, "people-maintainer", Role.MAINTAINER)
    assert MARK not in sound(maintainer.get("/people", headers=HTML)).text


def test_what_people_say_of_themselves_is_text(server: TestClient) -> None:
    browser = signed_in(server, "teller")
    maintainer = signed_in(server, "people-maintainer", Role.MAINTAINER)
    for script in SCRIPTS:
        data = {"csrf": csrf_of(browser), "shown": script, "organisation": script, "email": "a@b.example"}
        sound(browser.post("/account/profile", data=data, headers=HTML, follow_redirects=False))
        sound(
            browser.post(
                "/account/tokens",
                data={"csrf": csrf_of(browser), "label": script, "days": "7", "scopes": "read"},
                headers=HTML,
            )
        )
        sound(maintainer.post("/people/invitations", data={"csrf": csrf_of(maintainer), "note": script}, headers=HTML))
        for who, path in (
            (browser, "/account"),
            (browser, "/"),
            (maintainer, "/people"),
            (maintainer, "/people/audit"),
        ):
            sound(who.get(path, headers=HTML))


def test_a_single_user_is_asked_for_no_token_of_another_site(published_home: Path) -> None:
    """A page elsewhere cannot use the playground of whoever reads it, whatever it knows of it."""
    client = local_app(Settings(home=published_home))
    for headers in (
        {"origin": "https://evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"origin": "null"},
        {"content-type": "text/plain"},
    ):
        answer = client.post("/views", data={"title": "x", "query": "round=v3.0"}, headers={**HTML, **headers})
        assert answer.status_code == 403, headers
