"""Signing in, up and out, as browsers do it and as those who should not get in try it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient
from tests.playground.accounts.provider import CLIENT, SECRET, Provider
from tests.playground.conftest import (
    HTML,
    PASSWORD,
    accounts_of,
    form_of,
    forms_of,
    newcomer,
    server_app,
    signed_in,
    token_of,
)

from assay.base.settings import Settings
from assay.playground.accounts.audit import CONSOLE
from assay.playground.accounts.viewer import Role

AWAY = (
    "https://evil.example",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/a\\..\\evil",
    "javascript:alert(1)",
    "evil.example",
    "/\n//evil.example",
    "/\t/evil.example",
    "",
    "/" + "a" * 3000,
)


def enter(browser: TestClient, name: str, password: str, then: str = "/account"):  # type: ignore[no-untyped-def]
    form = form_of(browser.get("/sign-in", params={"next": then}, headers=HTML), "/sign-in")
    return form.send(browser, name=name, password=password)


def test_sign_up_then_sign_out_then_sign_in(server: TestClient) -> None:
    page = server.get("/sign-up", params={"next": "/account"}, headers=HTML)
    assert page.headers["cache-control"].endswith("no-store")
    answer = form_of(page, "/sign-up").send(
        server, name="Grace", password=PASSWORD, shown="Grace Hopper", organisation="Navy", email="g@example.org"
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    account = server.get("/account", headers=HTML)
    assert "Grace Hopper" in account.text and "g@example.org" in account.text
    assert form_of(account, "/sign-out").send(server).headers["location"] == "/"
    assert server.get("/account", headers=HTML).status_code == 401
    again = enter(server, "GRACE", PASSWORD)
    assert again.status_code == 303 and server.get("/account", headers=HTML).status_code == 200
    done = [(each.account, each.action) for each in accounts_of(server).audit.entries()]
    assert done[:3] == [("Grace", "sign-in"), ("Grace", "sign-out"), ("Grace", "sign-up")]


def test_the_session_s_cookie_is_out_of_reach_and_over_https_bound_to_the_host(
    server: TestClient, tmp_path: Path
) -> None:
    signed_in(server, "Ada")
    cookie = enter(server, "Ada", PASSWORD).headers["set-cookie"]
    assert cookie.startswith("assay-session=") and "HttpOnly" in cookie and "SameSite=lax" in cookie
    assert "Path=/" in cookie and "Domain" not in cookie and "Secure" not in cookie
    secure = server_app(Settings(home=tmp_path), base_url="https://results.example.org", sign_up="open")
    signed_in(secure, "Ada")
    cookie = enter(secure, "Ada", PASSWORD).headers["set-cookie"]
    assert cookie.startswith("__Host-assay-session=") and "; Secure" in cookie and "HttpOnly" in cookie
    accounts_of(secure).close()


def test_a_session_that_was_there_before_is_not_taken_over(server: TestClient) -> None:
    signed_in(server, "Ada")
    planted = "ab" * 24
    server.cookies.set("assay-session", planted)
    assert enter(server, "Ada", PASSWORD).status_code == 303
    first = server.cookies.get("assay-session", domain="localhost.local") or ""
    assert len(first) == 48 and first != planted
    assert accounts_of(server).session(planted) is None
    # Signing in anew ends the session that the browser had.
    other = newcomer(server)
    other.cookies.set("assay-session", first)
    page = newcomer(server).get("/sign-in", headers=HTML)
    assert accounts_of(server).session(first) is not None
    known = other.get("/sign-in", headers=HTML)
    assert "You are signed in as" in known.text and "assay-form" not in other.cookies
    form = form_of(page, "/sign-in")
    token = form_of(known, "/sign-out").fields["csrf"]
    form.send(other, csrf=token, name="Ada", password=PASSWORD)
    assert accounts_of(server).session(first) is None


def test_a_wrong_password_says_no_more_than_an_unknown_name(server: TestClient) -> None:
    signed_in(server, "Ada")
    accounts_of(server).people.add("Out", role=Role.READER, password=PASSWORD, by=CONSOLE)
    accounts_of(server).people.disable("Out", by=CONSOLE)
    answers = [enter(server, name, word) for name, word in (("Ada", "wrong"), ("Nobody1", "wrong"), ("Out", PASSWORD))]
    assert [each.status_code for each in answers] == [401] * 3
    texts = [each.text.replace(name, "NAME") for each, name in zip(answers, ("Ada", "Nobody1", "Out"), strict=True)]
    assert len(set(texts)) == 1
    form = form_of(answers[0], "/sign-in")
    assert form.fields["name"] == "Ada" and form.fields["password"] == ""
    assert 'role="alert"' in texts[0] and "Name or password is wrong" in texts[0]
    assert all("set-cookie" not in each.headers for each in answers)


def test_the_same_work_is_done_for_unknown_names(server: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    signed_in(server, "Ada")
    passwords = accounts_of(server)._passwords
    checked: list[bool] = []
    verify = passwords.verify

    def counted(hashed: str | None, password: str) -> bool:
        checked.append(hashed is not None)
        return verify(hashed, password)

    monkeypatch.setattr(passwords, "verify", counted)
    enter(server, "Ada", "wrong")
    enter(server, "Nobody1", "wrong")
    assert checked == [True, False], "a hash is computed both times"


def test_too_many_failures_are_told_to_wait_in_words(server: TestClient) -> None:
    signed_in(server, "Ada")
    statuses = [enter(server, "Ada", "wrong").status_code for _ in range(5)]
    refused = enter(server, "Ada", PASSWORD)
    assert statuses == [401] * 5 and refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1 and refused.headers["cache-control"].endswith("no-store")
    assert "Too many failed attempts" in refused.text and "Try again in 1 second" in refused.text
    assert form_of(refused, "/sign-in").fields["name"] == "Ada"


def test_rates_are_limited_by_a_page(published_home: Path, tmp_path: Path) -> None:
    limits = {"sign_in": {"per_minute": 1, "burst": 2}}
    url = f"sqlite:///{tmp_path / 'a.sqlite'}"
    server = server_app(Settings(home=published_home), database_url=url, limits=limits)
    answers = [enter(server, "Ada", "wrong") for _ in range(3)]
    assert [each.status_code for each in answers] == [401, 401, 429]
    assert "Too many requests" in answers[2].text and "<header" in answers[2].text, "a page like others"
    assert int(answers[2].headers["retry-after"]) >= 30
    accounts_of(server).close()


@pytest.mark.parametrize("then", AWAY)
def test_nobody_is_led_elsewhere(server: TestClient, then: str) -> None:
    browser = signed_in(server, "Ada")
    visitor = newcomer(server)
    fresh = form_of(visitor.get("/sign-in", headers=HTML), "/sign-in")
    sent = fresh.send(visitor, name="Ada", password=PASSWORD, next=then)
    assert (sent.status_code, sent.headers["location"]) == (303, "/")
    if len(then) < 2000:
        shown = browser.get("/sign-in", params={"next": then}, headers=HTML)
        assert 'href="/">Go on' in shown.text
        page = newcomer(server).get("/sign-in", params={"next": then}, headers=HTML)
        assert form_of(page, "/sign-in").fields["next"] == "/"


def test_one_goes_on_to_where_one_came_from(server: TestClient) -> None:
    signed_in(server, "Ada")
    refused = server.get("/account?done=profile", headers=HTML)
    assert refused.status_code == 401
    address = "/sign-in?next=%2Faccount%3Fdone%3Dprofile"
    assert f'href="{address}"' in refused.text
    form = form_of(server.get(address, headers=HTML), "/sign-in")
    assert form.send(server, name="Ada", password=PASSWORD).headers["location"] == "/account?done=profile"


def test_programs_get_json(server: TestClient) -> None:
    token = server.get("/sign-in", headers=HTML)
    sent = {**form_of(token, "/sign-in").fields, "name": "Ada", "password": "wrong"}
    answer = server.post("/sign-in", data=sent, headers={"accept": "application/json"})
    assert answer.status_code == 401 and answer.json()["what"] == "name or password is wrong"
    facts = server.get("/sign-in.json").json()
    assert facts["sign_up"] == "open" and facts["one_user"] is False and "password" not in facts


# ---- signing up


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"name": "admin"}, "kept for other uses"),
        ({"name": "a/../b"}, "cannot be the name of an account"),
        ({"name": "<script>alert(1)</script>"}, "cannot be the name of an account"),
        ({"name": "ADA"}, "The name is taken"),
        ({"password": "short"}, "The password is too short"),
        ({"password": "Gracie1234"}, "is the name with little added"),
        ({"email": "nowhere"}, "Not an email address"),
        ({"shown": "a\u202eb"}, "characters that cannot be seen"),
    ],
)
def test_what_cannot_be_is_told_beside_the_form(server: TestClient, changed: dict[str, str], words: str) -> None:
    signed_in(server, "Ada")
    form = form_of(server.get("/sign-up", headers=HTML), "/sign-up")
    answer = form.send(server, **{"name": "Gracie", "password": PASSWORD, "organisation": "Navy & Sons", **changed})
    assert answer.status_code == 400 and words in answer.text, answer.text[-2000:]
    assert "<script>alert" not in answer.text
    back = form_of(answer, "/sign-up").fields
    assert back["organisation"] == "Navy & Sons" and back["password"] == ""


def test_sign_up_by_invitation_and_off(published_home: Path, tmp_path: Path) -> None:
    server = server_app(Settings(home=published_home), database_url=f"sqlite:///{tmp_path / 'a'}", sign_up="invitation")
    accounts = accounts_of(server)
    page = server.get("/sign-up", headers=HTML)
    without = form_of(page, "/sign-up").send(server, name="Eve", password=PASSWORD)
    assert without.status_code == 403 and "An invitation is needed" in without.text
    made = accounts.invitations.create(by=CONSOLE, role=Role.READER)
    wrong = form_of(page, "/sign-up").send(server, name="Eve", password=PASSWORD, invitation="0" * 48)
    assert wrong.status_code == 403 and "does not hold" in wrong.text
    invited = form_of(server.get("/sign-up", params={"invitation": made.code}, headers=HTML), "/sign-up")
    assert invited.fields["invitation"] == made.code
    assert invited.send(server, name="Emmy", password=PASSWORD).status_code == 303
    assert accounts.people.get("Emmy").role is Role.READER
    second = newcomer(server)
    again = form_of(second.get("/sign-up", params={"invitation": made.code}, headers=HTML), "/sign-up")
    assert again.send(second, name="Eve", password=PASSWORD).status_code == 403, "good once"
    accounts.close()
    closed = server_app(Settings(home=published_home), database_url=f"sqlite:///{tmp_path / 'b'}", sign_up="off")
    page = closed.get("/sign-up", headers=HTML)
    assert "Nobody can sign up here" in page.text and not any(each.action == "/sign-up" for each in forms_of(page))
    token = form_of(closed.get("/sign-in", headers=HTML), "/sign-in").fields["csrf"]
    sent = closed.post("/sign-up", data={"csrf": token, "name": "Eve", "password": PASSWORD}, headers=HTML)
    assert sent.status_code == 403 and accounts_of(closed).people.count() == 0
    accounts_of(closed).close()


def test_nobody_makes_oneself_a_maintainer(server: TestClient) -> None:
    form = form_of(server.get("/sign-up", headers=HTML), "/sign-up")
    form.send(server, name="Eve", password=PASSWORD, role="maintainer", scopes="admin", admin="1")
    assert accounts_of(server).people.get("Eve").role is Role.CONTRIBUTOR


def test_a_single_user_is_told_so(client: TestClient) -> None:
    for path in ("/sign-in", "/sign-up"):
        page = client.get(path, headers=HTML)
        assert "This playground has one user" in page.text and "/docs/how-to/run-a-server" in page.text
        assert not [each for each in forms_of(page) if each.method == "post"]
        assert client.get(f"{path}.json").json()["one_user"] is True


# ---- elsewhere


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    provider = Provider()
    provider.start()
    yield provider
    provider.stop()


@pytest.fixture
def sso(running: Provider, published_home: Path, tmp_path: Path) -> Iterator[TestClient]:
    running.reset()
    oidc = {"issuer": running.issuer, "client_id": CLIENT, "client_secret": SECRET, "title": "Example login"}
    url = f"sqlite:///{tmp_path / 'a'}"
    base = "http://localhost"
    made = server_app(Settings(home=published_home), database_url=url, base_url=base, sign_up="open", oidc=oidc)
    yield made
    accounts_of(made).close()


def go(browser: TestClient, provider: Provider, then: str = "/account"):  # type: ignore[no-untyped-def]
    """There and back."""
    start = browser.get("/sign-in/elsewhere", params={"next": then}, headers=HTML, follow_redirects=False)
    assert start.status_code == 303
    back = provider.authorize(start.headers["location"])
    return browser.get("/sign-in/elsewhere/return", params=back, headers=HTML, follow_redirects=False)


def test_there_and_back(sso: TestClient, running: Provider) -> None:
    page = sso.get("/sign-in?next=/account", headers=HTML)
    assert 'href="/sign-in/elsewhere?next=%2Faccount"' in page.text and "Sign in with Example login" in page.text
    answer = go(sso, running)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    cookies = answer.headers.get_list("set-cookie")
    assert any(each.startswith("assay-session=") and "HttpOnly" in each for each in cookies)
    assert any(each.startswith("assay-flow=") and "Max-Age=0" in each for each in cookies)
    account = sso.get("/account", headers=HTML)
    assert "Grace Hopper" in account.text and "You sign in with Example login" in account.text
    assert not any(each.action == "/account/password" for each in forms_of(account))


def test_a_return_that_does_not_fit_is_told_on_the_page(sso: TestClient, running: Provider) -> None:
    start = sso.get("/sign-in/elsewhere", headers=HTML, follow_redirects=False)
    back = running.authorize(start.headers["location"])
    for browser, query in (
        (newcomer(sso), back),
        (sso, {**back, "state": "another"}),
        (sso, {"error": "<b>denied</b>", "state": back["state"]}),
    ):
        answer = browser.get("/sign-in/elsewhere/return", params=query, headers=HTML, follow_redirects=False)
        assert answer.status_code == 401 and 'role="alert"' in answer.text and "<b>denied" not in answer.text
    assert accounts_of(sso).people.count() == 0


@pytest.mark.parametrize("then", ["https://evil.example", "//evil.example", "/\\evil.example"])
def test_nobody_is_led_elsewhere_on_the_way_back(sso: TestClient, running: Provider, then: str) -> None:
    assert go(sso, running, then).headers["location"] == "/"


def test_an_account_is_linked_by_its_own_form_only(sso: TestClient, running: Provider) -> None:
    ada = signed_in(sso, "Ada")
    # An address that somebody else has sent links nothing: it signs in.
    assert go(ada, running, "/account?done=linked").headers["location"] == "/account"
    assert accounts_of(sso).people.get("Ada").issuer is None
    accounts_of(sso).people.delete("grace", by=CONSOLE)
    ada = signed_in(sso, "Ada")
    page = form_of(ada.get("/account", headers=HTML), "/account/link").send(ada)
    url = page.text.partition('class="button" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert parse_qs(urlsplit(url).query)["code_challenge_method"] == ["S256"]
    back = running.authorize(url)
    assert ada.get("/sign-in/elsewhere/return", params=back, headers=HTML, follow_redirects=False).status_code == 303
    assert accounts_of(sso).people.get("Ada").issuer == running.issuer


def test_a_token_links_nothing(sso: TestClient) -> None:
    answer = sso.post("/account/link", headers={**HTML, **token_of(sso, "Ada")})
    assert answer.status_code == 403 and "A token cannot do this" in answer.text


def test_without_a_provider_there_is_no_such_way(server: TestClient) -> None:
    assert server.get("/sign-in/elsewhere", headers=HTML).status_code == 404
    assert server.get("/sign-in/elsewhere/return", headers=HTML).status_code == 404
