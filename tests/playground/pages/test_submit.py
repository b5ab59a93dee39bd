"""The page to send in from: forms as browsers send them, runs of this machine, and who may not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient

from assay.base.settings import Settings
from assay.loadgen.record import RunStatus

from ...community.conftest import (  # noqa: F401 - fixtures
    MakeEntry,
    MakeRun,
    make_challenge,
    make_entry,
    make_run,
    needs_git,
)
from ..conftest import HTML, csrf_of, form_of, local_app, newcomer, server_app, signed_in
from ..sending import (  # noqa: F401 - fixtures
    checked_here,
    nothing_published,
    packed,
    queue_of,
    small_tree,
    spoilt_tree,
    verdict,
)

pytestmark = [needs_git, pytest.mark.usefixtures("checked_here")]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "home")


@pytest.fixture
def local(settings: Settings) -> Iterator[TestClient]:
    with local_app(settings) as client:
        yield client


@pytest.fixture
def server(settings: Settings) -> Iterator[TestClient]:
    with server_app(settings, base_url="https://results.example.org") as client:
        yield client


def sent(browser: TestClient, data: bytes, csrf: str, **fields: str | list[str]) -> httpx2.Response:
    """The form of the page, as a browser without scripts sends it."""
    form = {"csrf": csrf, **fields}
    parts: list[tuple[str, object]] = [
        (name, (None, each)) for name, value in form.items() for each in (value if isinstance(value, list) else [value])
    ]
    answer = browser.post(
        "/submit", files=[*parts, ("file", ("tree.tar.gz", data))], headers=HTML, follow_redirects=False
    )
    assert isinstance(answer, httpx2.Response)
    return answer


def test_the_form_works_without_scripts(
    server: TestClient,
    tmp_path: Path,
    make_challenge: MakeEntry,  # noqa: F811
) -> None:
    make_challenge("go")
    ada = signed_in(server, "ada")
    page = ada.get("/submit?challenge=go", headers=HTML)
    form = form_of(page, "/submit")
    assert form.fields["challenge"] == "go"
    assert next(iter(form.fields)) == "csrf"
    answer = sent(ada, packed(small_tree(tmp_path / "tree").root), form.fields["csrf"], challenge=["go"])
    assert answer.status_code == 303, answer.text
    address = answer.headers["location"]
    assert verdict(ada, address.rpartition("/")[2])["challenges"][0]["name"] == "go"


def test_what_is_wrong_is_told_on_the_page(server: TestClient, tmp_path: Path) -> None:
    ada = signed_in(server, "ada")
    answer = sent(ada, b"x", csrf_of(ada), embargo="2020-01-01T00:00", zone="UTC")
    assert answer.status_code == 400
    assert "Nothing was sent in: the embargo is no moment to come" in answer.text
    assert 'action="/submit"' in answer.text
    nothing = ada.post("/submit", files=[("csrf", (None, csrf_of(ada))), ("file", ("", b""))], headers=HTML)
    assert "there is no file in the form" in nothing.text


def test_a_form_of_another_site_sends_nothing(server: TestClient) -> None:
    ada = signed_in(server, "ada")
    assert sent(ada, b"x", "0" * 64).status_code == 403
    assert queue_of(server).store.list(_everything()) == []


def _everything():  # type: ignore[no-untyped-def]
    from assay.playground.upload_store import EVERYTHING

    return EVERYTHING


def test_who_may_not_send_in_is_told_why(server: TestClient) -> None:
    shown = newcomer(server).get("/submit", headers=HTML).text
    assert "/sign-in" in shown
    assert 'type="file"' not in shown
    reader = signed_in(server, "rita", "reader")
    shown = reader.get("/submit", headers=HTML).text
    assert "the role reader may look, and send nothing in" in shown
    assert 'type="file"' not in shown
    assert sent(reader, b"x", csrf_of(reader)).status_code == 403


def test_the_page_says_limits_challenges_and_the_command(
    server: TestClient,
    make_challenge: MakeEntry,  # noqa: F811
) -> None:
    make_challenge("go")
    make_challenge("over", "22" * 8, date_close="20200101")
    make_challenge("secret", "33" * 8, private=True)
    page = signed_in(server, "ada").get("/submit.json?challenge=over&challenge=go").json()
    names = {each["name"]: each["chosen"] for each in page["challenges"]}
    assert names["go"] is True
    assert not {"over", "secret"} & names.keys()
    assert page["unknown"] == "over"
    assert (page["address"], page["may_push"], page["runs"]) == ("https://results.example.org", True, [])
    assert page["limits"]["max_depth"] == 16
    shown = newcomer(server).get("/submit?challenge=go", headers=HTML).text
    assert "assay push ./submission --to https://results.example.org --challenge go" in shown


def test_runs_of_this_machine_are_pushed_with_one_button(
    local: TestClient,
    settings: Settings,
    make_run: MakeRun,  # noqa: F811
) -> None:
    accuracy = make_run(mode="accuracy", number=1, parent=settings.runs_dir)
    performance = make_run(number=2, parent=settings.runs_dir)
    make_run(number=3, parent=settings.runs_dir, status=RunStatus.FAILED)
    form = form_of(local.get("/submit", headers=HTML), "/submit/run")
    assert form.fields["run"] == performance.name
    answer = form.send(local)
    assert answer.status_code == 303, answer.text
    page = verdict(local, answer.headers["location"].rpartition("/")[2])
    assert page["message"] == "1 result accepted"
    assert accuracy.name not in str(page["refused"])
    assert page["accepted"][0]["labels"] == ["stand-in-model", "small-dataset", "short-run"]
    # It is listed no longer.
    assert performance.name not in [each["id"] for each in local.get("/submit.json").json()["runs"]]


@pytest.mark.parametrize("run", ["../../etc", "no-such-run", ""])
def test_a_run_that_is_none(local: TestClient, run: str) -> None:
    csrf = form_of(local.get("/submit", headers=HTML), "/submit").fields["csrf"]
    answer = local.post("/submit/run", data={"csrf": csrf, "run": run}, headers=HTML)
    assert answer.status_code in (404, 422)


def test_nobody_pushes_runs_of_a_server(server: TestClient, settings: Settings, make_run: MakeRun) -> None:  # noqa: F811
    run = make_run(parent=settings.runs_dir)
    boss = signed_in(server, "boss", "maintainer")
    answer = boss.post("/submit/run", data={"csrf": csrf_of(boss), "run": run.name}, headers=HTML)
    assert answer.status_code == 403
