"""Maintainers look after accounts; everybody else does not."""

from __future__ import annotations

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

PATHS = ("/people", "/people.json", "/people/audit", "/people/audit.json")
CHANGES = (
    ("/people/Eve/role", {"role": "maintainer"}),
    ("/people/Maria/role", {"role": "reader"}),
    ("/people/Maria/disable", {}),
    ("/people/Eve/enable", {}),
    ("/people/invitations", {"role": "maintainer"}),
    ("/people/invitations/0123456789abcdef/revoke", {}),
)


@pytest.fixture
def maria(server: TestClient) -> TestClient:
    """A maintainer's browser."""
    return signed_in(server, "Maria", Role.MAINTAINER)


@pytest.mark.parametrize("path", PATHS)
def test_pages_are_for_maintainers(server: TestClient, maria: TestClient, path: str) -> None:
    assert server.get(path, headers=HTML).status_code == 401
    for role in (Role.READER, Role.CONTRIBUTOR):
        answer = signed_in(server, f"X{role}", role).get(path, headers=HTML)
        assert answer.status_code == 403 and "Maria" not in answer.text
    assert maria.get(path, headers=HTML).status_code == 200
    assert maria.get(path, headers=HTML).headers["cache-control"] == "no-store"
    assert server.get(path, headers=token_of(server, "Maria", Scope.READ, Scope.PUSH)).status_code == 403
    assert server.get(path, headers=token_of(server, "Maria", Scope.ADMIN)).status_code == 200


@pytest.mark.parametrize(("path", "sent"), CHANGES)
def test_nobody_gives_oneself_another_role(
    server: TestClient, maria: TestClient, path: str, sent: dict[str, str]
) -> None:
    eve = signed_in(server, "Eve")
    answer = eve.post(path, data={"csrf": csrf_of(eve), **sent}, headers=HTML)
    assert answer.status_code == 403 and "does not allow this" in answer.text
    visitor = newcomer(server)
    token = form_of(visitor.get("/sign-in", headers=HTML), "/sign-in").fields["csrf"]
    assert visitor.post(path, data={"csrf": token, **sent}, headers=HTML).status_code == 401
    admin = token_of(server, "Maria", Scope.ADMIN)
    assert server.post(path, data=sent, headers={**admin, **HTML}).status_code == 403, "a token is not enough"
    people = accounts_of(server).people
    assert people.get("Eve").role is Role.CONTRIBUTOR and people.get("Maria").role is Role.MAINTAINER
    assert accounts_of(server).invitations.list() == [] and maria.get("/people", headers=HTML).status_code == 200


def test_a_role_is_changed_and_holds_at_once(server: TestClient, maria: TestClient) -> None:
    eve = signed_in(server, "Eve")
    assert eve.get("/people", headers=HTML).status_code == 403
    form = form_of(maria.get("/people", headers=HTML), "/people/Eve/role")
    assert form.fields["role"] == "contributor"
    assert form.send(maria, role="maintainer").headers["location"] == "/people?done=role"
    assert eve.get("/people", headers=HTML).status_code == 200
    form_of(maria.get("/people", headers=HTML), "/people/Eve/role").send(maria, role="reader")
    assert eve.get("/people", headers=HTML).status_code == 403
    log = accounts_of(server).audit.entries(action="account.role")
    assert [(each.account, each.target, each.detail) for each in log] == [
        ("Maria", "Eve", {"before": "maintainer", "after": "reader"}),
        ("Maria", "Eve", {"before": "contributor", "after": "maintainer"}),
    ]


@pytest.mark.parametrize(("action", "role"), [("role", "reader"), ("disable", "")])
def test_the_last_maintainer_stays(server: TestClient, maria: TestClient, action: str, role: str) -> None:
    form = form_of(maria.get("/people", headers=HTML), f"/people/Maria/{action}")
    answer = form.send(maria, **({"role": role} if role else {}))
    assert answer.status_code == 400 and "This is the last maintainer" in answer.text
    assert accounts_of(server).people.get("Maria").role is Role.MAINTAINER
    signed_in(server, "Second", Role.MAINTAINER)
    assert form.send(maria, **({"role": role} if role else {})).status_code == 303


def test_a_role_that_there_is_not(maria: TestClient) -> None:
    answer = form_of(maria.get("/people", headers=HTML), "/people/Maria/role").send(maria, role="<b>king")
    assert answer.status_code == 400 and "There is no such role" in answer.text and "<b>king" not in answer.text
    assert maria.post("/people/nobody1/enable", data={"csrf": csrf_of(maria)}, headers=HTML).status_code == 404


def test_who_is_locked_out_loses_sessions_and_tokens_at_once(server: TestClient, maria: TestClient) -> None:
    eve, headers = signed_in(server, "Eve"), token_of(server, "Eve")
    assert eve.get("/account", headers=HTML).status_code == 200
    form_of(maria.get("/people", headers=HTML), "/people/Eve/disable").send(maria)
    assert eve.get("/account", headers=HTML).status_code == 401
    assert server.get("/api/me.json", headers=headers).status_code == 401
    form = form_of(eve.get("/sign-in", headers=HTML), "/sign-in")
    assert form.send(eve, name="Eve", password=PASSWORD).status_code == 401
    page = maria.get("/people", headers=HTML)
    assert "locked out" in page.text
    form_of(page, "/people/Eve/enable").send(maria)
    assert eve.get("/account", headers=HTML).status_code == 401, "the session stays ended"
    assert server.get("/api/me.json", headers=headers).status_code == 200
    log = [(each.account, each.action) for each in accounts_of(server).audit.entries(target="Eve")]
    assert log[:3] == [("Maria", "account.enable"), (None, "sign-in.failed"), ("Maria", "account.disable")]


def test_an_invitation_is_shown_once_used_once_and_revoked(server: TestClient, maria: TestClient) -> None:
    form = form_of(maria.get("/people", headers=HTML), "/people/invitations")
    answer = form.send(maria, note="Emmy <b>", role="reader", days="7")
    assert answer.status_code == 200 and answer.headers["cache-control"].endswith("no-store")
    code = answer.text.partition("/sign-up?invitation=")[2][:48]
    page = maria.get("/people", headers=HTML)
    assert len(code) == 48 and code not in page.text and "Emmy &lt;b&gt;" in page.text
    visitor = newcomer(server)
    signing = form_of(visitor.get("/sign-up", params={"invitation": code}, headers=HTML), "/sign-up")
    assert signing.send(visitor, name="Emmy", password=PASSWORD).status_code == 303
    listed = maria.get("/people.json").json()
    assert [(each["state"], each["used_by"]) for each in listed["invitations"]] == [("used", "Emmy")]
    assert {each["name"]: each["role"] for each in listed["people"]}["Emmy"] == "reader"
    form.send(maria)
    kept = accounts_of(server).invitations.list()[0]
    form_of(maria.get("/people", headers=HTML), f"/people/invitations/{kept.id}/revoke").send(maria)
    assert maria.get("/people.json").json()["invitations"][0]["state"] == "revoked"


@pytest.mark.parametrize("changed", [{"days": "x"}, {"days": "400"}, {"note": "a" * 200}, {"role": "king"}])
def test_an_invitation_that_cannot_be(maria: TestClient, changed: dict[str, str]) -> None:
    answer = form_of(maria.get("/people", headers=HTML), "/people/invitations").send(maria, **changed)
    assert answer.status_code == 400 and 'role="alert"' in answer.text


def test_accounts_are_told_in_pages(server: TestClient, maria: TestClient) -> None:
    people = accounts_of(server).people
    for number in range(100):
        people.add(f"p{number:03}", by=CONSOLE)
    first = maria.get("/people.json").json()
    assert (len(first["people"]), first["total"], first["more"]) == (100, 101, "p098")
    second = maria.get("/people.json", params={"after": first["more"]}).json()
    assert [each["name"] for each in second["people"]] == ["p099"] and second["more"] is None
    assert 'href="/people?after=p098"' in maria.get("/people", headers=HTML).text


# ---- the log


def test_the_log_is_told_in_pages_and_filtered(server: TestClient, maria: TestClient) -> None:
    audit = accounts_of(server).audit
    for number in range(120):
        audit.add("test.line", f"<i>{number}", by=Actor("Ada" if number % 2 else None, "203.0.113.77"))
    seen: list[str] = []
    address = "/people/audit.json?action=test.line"
    while address:
        page = maria.get(address).json()
        seen += [each["target"] for each in page["entries"]]
        address = f"/people/audit.json?action=test.line&before={page['older']}" if page["older"] else ""
    assert seen == [f"<i>{number}" for number in reversed(range(120))]
    shown = maria.get("/people/audit", params={"account": "Ada"}, headers=HTML)
    assert "&lt;i&gt;119" in shown.text and "<i>1" not in shown.text and "203.0.113.77" not in shown.text
    assert "203.0.113.0/24" in shown.text and 'rel="next"' in shown.text
    assert "No line is like that" in maria.get("/people/audit?account=nobody'--", headers=HTML).text
    assert maria.get("/people/audit?before=0", headers=HTML).status_code == 422
    program = server.get("/people/audit.json?account=Ada", headers=token_of(server, "Maria", Scope.ADMIN))
    assert len(program.json()["entries"]) == 50


def test_no_secret_stands_in_the_log(server: TestClient, maria: TestClient) -> None:
    answer = form_of(maria.get("/people", headers=HTML), "/people/invitations").send(maria)
    code = answer.text.partition("/sign-up?invitation=")[2][:48]
    text = token_of(server, "Maria", Scope.READ)["Authorization"].rpartition("_")[2]
    form = form_of(server.get("/sign-in", headers=HTML), "/sign-in")
    form.send(server, name="a-password-in-the-wrong-field", password="secret")
    log = maria.get("/people/audit.json").text
    for secret in (code, text, "a-password-in-the-wrong-field", PASSWORD, maria.cookies["assay-session"]):
        assert secret not in log


def test_a_single_user_is_told_so(client: TestClient) -> None:
    for path in ("/people", "/people/audit"):
        page = client.get(path, headers=HTML)
        assert "This playground has one user" in page.text
        assert not [each for each in forms_of(page) if each.method == "post"]
    told = client.get("/people.json").json()
    assert told["one_user"] is True and told["people"] == []
