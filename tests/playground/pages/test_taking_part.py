from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.community.conftest import needs_git
from tests.playground.conftest import HTML, accounts_of, csrf_of, form_of, local_app, signed_in, token_of

from assay.base.settings import Settings
from assay.playground.accounts.audit import CONSOLE

from .together import OPEN, SECRET, Together, together

JSON = {"accept": "application/json"}
pytestmark = needs_git


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Together]:
    with together(tmp_path / "home") as server:
        yield server


def joined(server: Together) -> set[str]:
    return {each["account"] for each in server.anybody.get("/challenges/summer.json").json()["members"]}


def test_a_contributor_joins_and_leaves(server: Together) -> None:
    page = server.other.get("/challenges/summer", headers=HTML)
    answer = form_of(page, "/challenges/summer/join").send(server.other)
    assert (answer.status_code, answer.headers["location"]) == (303, "/challenges/summer")
    page = server.other.get("/challenges/summer", headers=HTML)
    assert "you take part" in page.text
    assert "Otto" in joined(server)
    assert server.other.get("/challenges/summer.json").json()["part"]
    assert [each.challenge for each in accounts_of(server.other).memberships.of("Otto")] == [OPEN]
    assert "Summer tour" in server.anybody.get("/contributors/Otto", headers=HTML).text
    assert form_of(page, "/challenges/summer/leave").send(server.other).status_code == 303
    assert "Otto" not in joined(server)
    assert accounts_of(server.other).memberships.of("Otto") == []


def test_who_may_not_join(server: Together) -> None:
    assert "may only read" in server.reader.get("/challenges/summer", headers=HTML).text
    sent = {"csrf": csrf_of(server.reader)}
    assert server.reader.post("/challenges/summer/join", data=sent, headers=JSON).status_code == 403
    assert server.anybody.post("/challenges/summer/join", headers={**JSON, "x-assay-client": "1"}).status_code == 401
    assert server.other.post("/challenges/summer/join", headers=JSON).status_code == 403
    token = token_of(server.anybody, "Otto")
    assert server.anybody.post("/challenges/past/join", headers=token).status_code == 400
    assert server.anybody.post("/challenges/summer/join", headers=token).json()["joined"] == OPEN
    assert joined(server) == {"ada", "bob", "Otto"}


def test_a_private_challenge_is_joined_by_being_let_in(server: Together) -> None:
    accounts = accounts_of(server.other)
    for path in ("join", "leave"):
        hidden, nothing = (
            server.other.post(f"/challenges/{name}/{path}", data={"csrf": csrf_of(server.other)}, headers=JSON)
            for name in ("hush", "nope")
        )
        assert hidden.status_code == nothing.status_code == 404
        assert hidden.text.replace("hush", "nope") == nothing.text
    for browser, status in ((server.other, 403), (server.member, 403)):
        sent = {"csrf": csrf_of(browser), "account": "Otto"}
        assert browser.post("/challenges/hush/admit", data=sent, headers=JSON).status_code == status
    page = server.maintainer.get("/challenges/hush", headers=HTML)
    assert form_of(page, "/challenges/hush/admit").send(server.maintainer, account="Otto").status_code == 303
    assert server.other.get("/challenges/hush", headers=HTML).status_code == 200
    assert [(each.account, each.admitted_by) for each in accounts.memberships.members(SECRET)][-1] == ("Otto", "Maria")
    # Nothing of it stands in an entry that everybody reads.
    assert server.anybody.get("/contributors/Otto", headers=HTML).status_code == 404
    page = server.maintainer.get("/challenges/hush", headers=HTML)
    answer = form_of(page, "/challenges/hush/leave", account="Otto").send(server.maintainer)
    assert answer.headers["location"] == "/challenges/hush"
    assert server.other.get("/challenges/hush", headers=HTML).status_code == 404
    answer = form_of(server.member.get("/challenges/hush", headers=HTML), "/challenges/hush/leave").send(server.member)
    assert answer.headers["location"] == "/challenges"
    assert server.member.get("/challenges/hush", headers=HTML).status_code == 404


def test_nobody_ends_somebody_elses_part_and_nobody_unknown_is_let_in(server: Together) -> None:
    sent = {"csrf": csrf_of(server.other), "account": "Mallory"}
    assert server.other.post("/challenges/summer/leave", data=sent, headers=JSON).status_code == 403
    sent = {"csrf": csrf_of(server.maintainer), "account": "nobody"}
    assert server.maintainer.post("/challenges/hush/admit", data=sent, headers=JSON).status_code == 404


def test_a_single_user_joins_under_the_local_name(tmp_path: Path) -> None:
    with local_app(Settings(tmp_path / "home")) as client:
        page = client.get("/challenges/reproduce-and-improve-mlperf-inference", headers=HTML)
        assert page.headers["cache-control"] == "private, no-store"
        assert form_of(page, "/challenges/reproduce").send(client).status_code == 303
        said = client.get("/challenges/reproduce-and-improve-mlperf-inference.json").json()
        assert said["part"]
        assert [each["account"] for each in said["members"]] == ["me"]
        page = client.get("/challenges/reproduce-and-improve-mlperf-inference", headers=HTML)
        assert form_of(page, "/challenges/reproduce-and-improve-mlperf-inference/leave").send(client).status_code == 303
        assert not client.get("/challenges/reproduce-and-improve-mlperf-inference.json").json()["part"]
        sent = {"csrf": form_of(page).fields["csrf"], "account": "x"}
        answer = client.post("/challenges/optimize-mlperf-inference-v3.1/admit", data=sent, headers=JSON)
        assert answer.status_code == 404


def test_the_organisation_of_an_account_goes_into_its_entry(server: Together) -> None:
    accounts = accounts_of(server.other)
    browser = signed_in(server.other, "Zoe")
    accounts.people.change("Zoe", shown="Zoe Z.", organisation="Acme", email=None, by=CONSOLE)
    form_of(browser.get("/challenges/summer", headers=HTML), "/challenges/summer/join").send(browser)
    line = server.anybody.get("/contributors/Zoe.json").json()["line"]
    assert (line["name"], line["organisation"]) == ("Zoe Z.", "Acme")
