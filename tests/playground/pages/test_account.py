"""The account of who is signed in, and what a token may do in its place."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient
from tests.playground.conftest import (
    HTML,
    PASSWORD,
    accounts_of,
    csrf_of,
    form_of,
    forms_of,
    newcomer,
    signed_in,
    token_of,
)

from assay.playground.accounts.audit import CONSOLE, Actor
from assay.playground.accounts.viewer import Role, Scope

TOKEN = re.compile(r"assay_[0-9a-f]{16}_[0-9a-f]{48}")


def made_token(browser: TestClient, label: str = "robot", **fields: str | list[str]) -> str:
    """A token as the page shows it."""
    form = form_of(browser.get("/account", headers=HTML), "/account/tokens", label="")
    answer = form.send(browser, label=label, **fields)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"].endswith("no-store")
    return TOKEN.findall(answer.text)[0]


def test_from_sign_up_to_a_token_that_is_revoked(server: TestClient) -> None:
    form = form_of(server.get("/sign-up", headers=HTML), "/sign-up")
    assert form.send(server, name="Grace", password=PASSWORD).status_code == 303
    text = made_token(server, scopes=["read", "push"], days="30")
    program = newcomer(server)
    headers = {"Authorization": f"Bearer {text}"}
    me = program.get("/api/me.json", headers=headers)
    assert me.json() == {"name": "Grace", "role": "contributor", "scopes": ["push", "read"], "via": "token"}
    assert me.headers["cache-control"] == "no-store"
    page = server.get("/account", headers=HTML)
    assert text not in page.text and text[-48:] not in page.text, "shown once"
    listed = server.get("/account.json").json()["tokens"]
    assert [(each["label"], each["scopes"], each["state"]) for each in listed] == [("robot", ["read", "push"], "holds")]
    assert listed[0]["last_used"] is not None
    answer = form_of(page, f"/account/tokens/{listed[0]['id']}/revoke").send(server)
    assert answer.headers["location"] == "/account?done=revoked"
    refused = program.get("/api/me.json", headers=headers)
    assert refused.status_code == 401 and refused.json()["what"] == "the token does not hold"
    assert "WWW-Authenticate" in refused.headers
    after = server.get("/account", headers=HTML)
    assert not any(each.action.endswith("/revoke") for each in forms_of(after)) and "revoked" in after.text
    log = [(each.account, each.action, each.target) for each in accounts_of(server).audit.entries(limit=3)]
    assert log == [
        ("Grace", "token.revoke", listed[0]["id"]),
        ("Grace", "token.create", listed[0]["id"]),
        ("Grace", "sign-up", "Grace"),
    ]


def test_the_line_that_uses_a_token_names_this_server(server: TestClient) -> None:
    browser = signed_in(server, "Ada")
    form = form_of(browser.get("/account", headers=HTML), "/account/tokens", label="")
    assert "assay push RUN --to http://localhost" in form.send(browser, label="x", scopes="push").text


def test_who_a_request_comes_from(server: TestClient, client: TestClient) -> None:
    anybody = {"name": None, "role": None, "scopes": ["read"], "via": "anonymous"}
    assert server.get("/api/me.json").json() == anybody
    assert signed_in(server, "Ada").get("/api/me.json").json()["via"] == "session"
    assert server.get("/api/me.json", headers={"Authorization": "Bearer nonsense"}).status_code == 401
    assert client.get("/api/me.json").json()["via"] == "local"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"scopes": "admin"}, "A token cannot do what its account cannot"),
        ({"scopes": "root"}, "There is no such scope"),
        ({"scopes": []}, "A token needs something it may do"),
        ({"scopes": "read", "days": "100000"}, "Not a number of days"),
        ({"scopes": "read", "days": "9999"}, "A token cannot hold so long"),
        ({"scopes": "read", "days": "-1"}, "Not a number of days"),
        ({"scopes": "read", "label": "a" * 81}, "The label is too long"),
    ],
)
def test_a_token_that_cannot_be_is_told_beside_the_form(
    server: TestClient, fields: dict[str, str | list[str]], words: str
) -> None:
    browser = signed_in(server, "Ada")
    form = form_of(browser.get("/account", headers=HTML), "/account/tokens", label="")
    kept = {name: value for name, value in form.fields.items() if name != "scopes"}
    answer = browser.post("/account/tokens", data={**kept, "label": "x", **fields}, headers=HTML)
    assert answer.status_code == 400 and words in answer.text and not TOKEN.search(answer.text)
    assert accounts_of(server).tokens.list("Ada") == []


def test_a_reader_makes_no_token_to_push_and_a_role_that_shrinks_shrinks_tokens(server: TestClient) -> None:
    rob = signed_in(server, "Rob", Role.READER)
    assert 'value="push"' not in rob.get("/account", headers=HTML).text
    sent = {"csrf": csrf_of(rob), "label": "x", "scopes": ["read", "push"]}
    assert rob.post("/account/tokens", data=sent, headers=HTML).status_code == 400
    headers = token_of(server, "Ada", Scope.READ, Scope.PUSH)
    accounts_of(server).people.set_role("Ada", Role.READER, by=CONSOLE)
    assert server.get("/api/me.json", headers=headers).json()["scopes"] == ["read"]


@pytest.mark.parametrize(
    "path",
    ["profile", "password", "tokens", "tokens/0123456789abcdef/revoke", "sessions/end", "delete", "link"],
)
def test_a_token_cannot_look_after_its_account(server: TestClient, path: str) -> None:
    signed_in(server, "Maria", Role.MAINTAINER)
    headers = token_of(server, "Maria", *Scope)
    sent = {"label": "more", "scopes": "admin", "confirm": "Maria", "shown": "x", "old": PASSWORD, "new": PASSWORD * 2}
    answer = server.post(f"/account/{path}", data=sent, headers={**headers, **HTML})
    assert answer.status_code == 403 and "A token cannot do this" in answer.text
    assert server.get("/account.json", headers=headers).status_code == 403
    assert accounts_of(server).people.get("Maria").shown == "Maria"


def test_another_s_token_is_not_there(server: TestClient) -> None:
    ada, eve = signed_in(server, "Ada"), signed_in(server, "Eve")
    made_token(ada, scopes="read")
    theirs = accounts_of(server).tokens.list("Ada")[0]
    answer = eve.post(f"/account/tokens/{theirs.id}/revoke", data={"csrf": csrf_of(eve)}, headers=HTML)
    assert answer.status_code == 404 and accounts_of(server).tokens.list("Ada")[0].revoked is None
    assert theirs.id not in eve.get("/account.json").text


def test_the_profile_is_changed_and_what_is_hostile_is_shown_as_text(server: TestClient) -> None:
    browser = signed_in(server, "Ada")
    form = form_of(browser.get("/account", headers=HTML), "/account/profile")
    hostile = "<img src=x onerror=alert(1)>"
    assert form.send(browser, shown=hostile, organisation='"><script>', email="a@b.org").status_code == 303
    page = browser.get("/account?done=profile", headers=HTML)
    assert hostile not in page.text and '"><script>' not in page.text and "&lt;img" in page.text
    assert "The profile is changed" in page.text
    assert form_of(page, "/account/profile").fields["shown"] == hostile
    wrong = form_of(page, "/account/profile").send(browser, email="nowhere", organisation="Kept")
    assert wrong.status_code == 400 and "Not an email address" in wrong.text
    assert form_of(wrong, "/account/profile").fields["organisation"] == "Kept"
    assert accounts_of(server).people.get("Ada").organisation == '"><script>'
    assert "<script>alert" not in browser.get("/account?done=<script>alert(1)", headers=HTML).text


def test_a_new_password_ends_all_other_sessions(server: TestClient) -> None:
    here, there = signed_in(server, "Ada"), signed_in(server, "Ada")
    before = here.cookies["assay-session"]
    form = form_of(here.get("/account", headers=HTML), "/account/password")
    wrong = form.send(here, old="wrong", new="another good one")
    assert wrong.status_code == 401 and "This is not your present password" in wrong.text
    short = form.send(here, old=PASSWORD, new="short")
    assert short.status_code == 400 and "The password is too short" in short.text
    assert there.get("/account", headers=HTML).status_code == 200
    answer = form.send(here, old=PASSWORD, new="another good one")
    assert answer.status_code == 303
    fresh = re.search(r"assay-session=([0-9a-f]{48})", answer.headers["set-cookie"])
    assert fresh is not None and fresh[1] != before
    assert there.get("/account", headers=HTML).status_code == 401
    assert accounts_of(server).session(before) is None and accounts_of(server).session(fresh[1]) is not None


def test_other_browsers_are_listed_and_signed_out(server: TestClient) -> None:
    here, there, third = (signed_in(server, "Ada") for _ in range(3))
    eve = signed_in(server, "Eve")
    page = here.get("/account", headers=HTML)
    listed = here.get("/account.json").json()["browsers"]
    assert sorted(each["current"] for each in listed) == [False, False, True]
    assert here.cookies["assay-session"] not in page.text
    ends = [each for each in forms_of(page) if each.action == "/account/sessions/end"]
    assert len(ends) == 3
    assert ends[0].send(here).status_code == 303
    assert sum(each.get("/account", headers=HTML).status_code == 200 for each in (there, third)) == 1
    form_of(here.get("/account", headers=HTML), "/account/sessions/end").send(here)
    assert [each.get("/account", headers=HTML).status_code for each in (here, there, third)] == [200, 401, 401]
    own = next(each["id"] for each in here.get("/account.json").json()["browsers"])
    eve.post("/account/sessions/end", data={"csrf": csrf_of(eve), "only": own}, headers=HTML)
    assert here.get("/account", headers=HTML).status_code == 200
    assert [each.detail for each in accounts_of(server).audit.entries(action="session.end")] == [{"sessions": 1}] * 2


def test_a_deleted_account_leaves_its_name_and_its_uploads(server: TestClient) -> None:
    browser = signed_in(server, "Ada")
    accounts = accounts_of(server)
    upload = accounts.uploads.receive("Ada", "run.tar", size=5, sha256="a" * 64, by=Actor("Ada"))
    headers = token_of(server, "Ada", Scope.READ)
    page = browser.get("/account", headers=HTML)
    assert f'href="/uploads/{upload.id}"' in page.text
    wrong = form_of(page, "/account/delete").send(browser, confirm="Bob")
    assert wrong.status_code == 400 and "not that of this account" in wrong.text
    answer = form_of(page, "/account/delete").send(browser, confirm="ada")
    assert answer.headers["location"] == "/" and 'assay-session=""' in answer.headers["set-cookie"]
    assert browser.get("/account", headers=HTML).status_code == 401
    assert server.get("/api/me.json", headers=headers).status_code == 401
    again = form_of(server.get("/sign-up", headers=HTML), "/sign-up").send(server, name="Ada", password=PASSWORD)
    assert again.status_code == 400 and "The name is taken" in again.text
    assert sum(accounts.uploads.counts().values()) == 1


def test_the_last_maintainer_cannot_leave(server: TestClient) -> None:
    browser = signed_in(server, "Maria", Role.MAINTAINER)
    answer = form_of(browser.get("/account", headers=HTML), "/account/delete").send(browser, confirm="Maria")
    assert answer.status_code == 400 and "This is the last maintainer" in answer.text
    assert browser.get("/account", headers=HTML).status_code == 200


def test_challenges_are_told_by_their_titles(server: TestClient) -> None:
    browser = signed_in(server, "Ada")
    accounts_of(server).memberships.admit("Ada", "0" * 16, by=CONSOLE)
    found = browser.get("/account.json").json()["memberships"]
    assert [(each["challenge"], each["title"], each["admitted_by"]) for each in found] == [("0" * 16, None, "console")]
    assert "0" * 16 in browser.get("/account", headers=HTML).text


def test_nobody_has_an_account_page(server: TestClient) -> None:
    page = server.get("/account", headers=HTML)
    assert page.status_code == 401 and 'href="/sign-in?next=%2Faccount"' in page.text
    assert server.get("/account.json").status_code == 401
    assert signed_in(server, "Ada").get("/account", headers=HTML).headers["cache-control"] == "no-store"


def test_a_single_user_is_told_so(client: TestClient) -> None:
    page = client.get("/account", headers=HTML)
    assert page.status_code == 200 and "This playground has one user" in page.text
    assert not [each for each in forms_of(page) if each.method == "post"]


def test_a_single_user_has_nothing_to_change(client: TestClient) -> None:
    program = newcomer(client)
    for path in ("/account/profile", "/account/delete", "/sign-in", "/sign-up", "/people/invitations"):
        answer = program.post(path, headers={**HTML, "X-Assay-Client": "test"})
        assert answer.status_code == 404 and "one user and no accounts" in answer.text, path
