from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.community.conftest import needs_git
from tests.playground.conftest import HTML, csrf_of, form_of, token_of

from assay.community.report import load_reports
from assay.community.server_repository import server_path
from assay.results.audience import EVERYBODY
from assay.results.store import open_store

from .together import ADAS, EMBARGOED, OPEN, SECRETS, WORDS, Together, together

JSON = {"accept": "application/json"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Together]:
    with together(tmp_path_factory.mktemp("reports")) as server:
        yield server


def test_reports_are_listed_with_what_they_are_about(server: Together) -> None:
    lines = {each["name"]: each for each in server.anybody.get("/reports.json").json()["reports"]}
    assert (lines["again"]["verdict"], lines["again"]["contributor"]) == ("reproduced", "bob")
    assert [each["uid"] for each in lines["again"]["results"]] == [ADAS]
    page = server.anybody.get("/reports", headers=HTML).text
    assert '<span class="badge good">reproduced</span>' in page
    assert f'href="/results/{ADAS}"' in page


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"verdict": "failed"}, []),
        ({"verdict": "reproduced", "q": "AGAIN"}, ["again"]),
        ({"q": "elsewhere"}, ["elsewhere"]),
    ],
)
def test_reports_are_filtered(server: Together, asked: dict[str, str], found: list[str]) -> None:
    said = server.anybody.get("/reports.json", params=asked).json()
    assert [each["name"] for each in said["reports"] if not each["name"].startswith("report-")] == found


def test_a_report_compares_its_figures_with_the_published_ones(server: Together) -> None:
    said = server.anybody.get("/reports/again.json").json()
    figures = {each["name"]: each for each in said["figures"]}
    assert figures["value"] == {
        "name": "value", "unit": "Samples/s", "published": 100.0, "reproduced": 50.0, "ratio": 0.5, "text": "",
    }  # fmt: skip
    assert (figures["remark"]["text"], figures["remark"]["ratio"]) == ("warm", None)
    page = server.anybody.get("/reports/again", headers=HTML).text
    assert "As <strong>good</strong>." in page
    assert "<script>alert" not in page
    assert "0.5×" in page


def test_a_report_that_is_told_elsewhere_is_a_link_and_no_redirect(server: Together) -> None:
    page = server.anybody.get("/reports/elsewhere", headers=HTML, follow_redirects=False)
    assert page.status_code == 200
    assert '<a href="https://r.example/x" rel="nofollow noopener noreferrer">' in page.text
    assert "http-equiv" not in page.text


def test_reports_about_what_is_hidden_are_hidden(server: Together) -> None:
    for name in ("anybody", "other", "reader"):
        browser = server.all()[name]
        for path in ("/reports", "/reports.json", "/reports/again"):
            text = browser.get(path, headers=HTML).text
            for word in WORDS:
                assert word not in text, (name, path, word)
        for hidden in ("murmur", "early", "00000000000000e3"):
            answer, nothing = (browser.get(f"/reports/{each}", headers=JSON) for each in (hidden, "nope"))
            assert answer.status_code == nothing.status_code == 404
            assert answer.text.replace(hidden, "nope") == nothing.text
    assert server.member.get("/reports/murmur.json").json()["line"]["challenges"][0]["name"] == "hush"
    # Of an embargo not even a member is told, and the maintainer is.
    assert server.member.get("/reports/early.json").status_code == 404
    assert server.maintainer.get("/reports/early.json").json()["line"]["results"][0]["uid"] == EMBARGOED


def test_the_form_is_for_contributors_and_for_results_that_they_see(server: Together) -> None:
    new = f"/reports/new?result={ADAS}"
    assert server.anybody.get(new, headers=JSON).status_code == 401
    assert server.reader.get(new, headers=JSON).status_code == 403
    page = server.other.get(new, headers=HTML)
    assert page.status_code == 200
    assert form_of(page, "/reports/new").fields["result"] == ADAS
    for hidden in (SECRETS, EMBARGOED):
        answer, nothing = (server.other.get(f"/reports/new?result={each}", headers=JSON) for each in (hidden, "f" * 16))
        assert answer.status_code == nothing.status_code == 404
        assert answer.text.replace(hidden, "f" * 16) == nothing.text
    assert server.other.get("/reports/new?challenge=hush", headers=JSON).status_code == 404
    assert server.other.get("/reports/new", headers=JSON).status_code == 400


@needs_git
def test_a_report_is_written_shown_and_committed(server: Together) -> None:
    form = form_of(server.other.get(f"/reports/new?result={ADAS}", headers=HTML), "/reports/new")
    sent = form.send(
        server.other,
        title="Mine was slower",
        text="I ran **it**.\r\n<b>x</b>",
        verdict="differs",
        value="1,050.5",
        act="send",
    )
    assert sent.status_code == 303
    page = server.anybody.get(sent.headers["location"], headers=HTML)
    assert page.status_code == 200
    for word in ("Mine was slower", "I ran <strong>it</strong>.", "differs", "10.5", 'href="/contributors/Otto"'):
        assert word in page.text
    assert "<b>x</b>" not in page.text
    assert "Mine was slower" in server.anybody.get("/challenges/summer", headers=HTML).text
    # It is a report on a result of somebody else, which counts for the challenge.
    trail = server.anybody.get("/contributors/Otto.json").json()["trail"]
    assert [(each["points"], each["report"]["title"]) for each in trail] == [(3, "Mine was slower")]


@needs_git
def test_a_private_report_is_its_writers_and_the_maintainers(server: Together) -> None:
    form = form_of(server.other.get(f"/reports/new?result={ADAS}", headers=HTML), "/reports/new")
    address = form.send(server.other, title="Between us", text="x", private="1", act="send").headers["location"]
    assert [browser.get(address, headers=HTML).status_code for browser in server.all().values()] == [
        404,
        404,
        200,
        404,
        200,
    ]
    assert "Between us" not in server.member.get("/reports", headers=HTML).text


@needs_git
def test_a_program_writes_a_report_with_its_token(server: Together) -> None:
    given = {"result": ADAS, "title": "By a program", "text": "ok", "verdict": "reproduced", "challenge": OPEN}
    assert (
        server.anybody.post("/reports/new", data=given, headers=token_of(server.anybody, "Otto", "read")).status_code
        == 403
    )
    answer = server.anybody.post("/reports/new", data=given, headers=token_of(server.anybody, "Otto"))
    assert answer.status_code == 201
    assert answer.json()["line"]["challenges"] == [{"name": "summer", "title": "Summer tour"}]


def test_a_preview_writes_nothing(server: Together) -> None:
    form = form_of(server.other.get(f"/reports/new?result={ADAS}", headers=HTML), "/reports/new")
    page = form.send(server.other, title="Not yet", text="**Almost** <script>alert(1)</script>", act="preview")
    assert page.status_code == 200
    assert "<strong>Almost</strong>" in page.text
    assert "<script>alert" not in page.text
    assert "**Almost**" in form_of(page, "/reports/new").words
    assert "Not yet" not in server.maintainer.get("/reports", headers=HTML).text


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"title": " "}, "The title is no line of text"),
        ({"title": "x" * 201}, "The title is no line of text"),
        ({"text": " "}, "The report says nothing"),
        ({"text": "x" * 200_001}, "The report is too long"),
        ({"verdict": "splendid"}, "The verdict is none"),
        ({"value": "many"}, "Value is no number"),
        ({"value": "1e999"}, "Value is no number"),
    ],
)
def test_what_is_wrong_is_told_in_the_form_which_keeps_what_was_typed(
    server: Together, changed: dict[str, str], said: str
) -> None:
    form = form_of(server.other.get(f"/reports/new?result={ADAS}", headers=HTML), "/reports/new")
    page = form.send(server.other, **{"title": "A title", "text": "Typed words", "act": "send", **changed})
    assert page.status_code == 400
    assert said in page.text
    assert ("text" in changed) or ("Typed words" in page.text)


def test_forms_of_other_sites_write_nothing(server: Together) -> None:
    given = {"result": ADAS, "title": "x", "text": "x"}
    before = server.maintainer.get("/reports.json").json()["total"]
    for data, headers in (
        (given, {}),
        ({"csrf": "0" * 64, **given}, {}),
        ({"csrf": csrf_of(server.maintainer), **given}, {}),
        ({"csrf": csrf_of(server.other), **given}, {"origin": "https://evil.example"}),
    ):
        assert server.other.post("/reports/new", data=data, headers=headers).status_code == 403
    assert server.maintainer.get("/reports.json").json()["total"] == before


def test_what_was_written_is_in_the_servers_repository(server: Together) -> None:
    with open_store(server.settings) as store:
        written = [
            each for each in load_reports(server.settings, EVERYBODY, store).items if each.name.startswith("report-")
        ]
    assert all(each.repository == "playground" for each in written)
    assert bool(written) == (server_path(server.settings) / "report").is_dir()
