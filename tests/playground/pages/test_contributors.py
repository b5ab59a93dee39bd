from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest
from tests.playground.conftest import HTML, local_app

from assay.base.settings import Settings
from assay.cm.artifact import CONTRIBUTOR

from .together import ADAS, EMBARGOED, SECRETS, WORDS, Together, entry, together


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Together]:
    with together(tmp_path_factory.mktemp("contributors")) as server:
        yield server


def test_the_leaderboard_tells_awarded_points_from_computed_ones(server: Together) -> None:
    found = server.anybody.get("/contributors.json").json()
    lines = {each["account"]: each for each in found["contributors"]}
    assert list(lines) == ["ada", "bob"]
    ada, bob = lines["ada"], lines["bob"]
    assert (ada["place"], ada["points"], ada["awarded"], ada["computed"]) == (1, 10, 3, 7)
    assert (ada["results"], ada["reports"], ada["challenges"], ada["trophies"]) == (1, 0, 1, 1)
    assert (bob["place"], bob["points"], bob["awarded"], bob["reports"]) == (2, 5, 0, 1)
    page = server.anybody.get("/contributors", headers=HTML).text
    for word in ("Ada L.", "Acme", 'href="/contributors/ada"', "/contributors.csv"):
        assert word in page


def test_the_leaderboard_is_searched_and_kept_as_a_file(server: Together) -> None:
    found = server.anybody.get("/contributors.json", params={"q": "ACME ada"}).json()
    assert ([each["account"] for each in found["contributors"]], found["found"], found["total"]) == (["ada"], 1, 2)
    assert "Nobody is called that" in server.anybody.get("/contributors", params={"q": "zz"}, headers=HTML).text
    lines = list(csv.DictReader(io.StringIO(server.anybody.get("/contributors.csv").text)))
    assert [(each["account"], each["points"]) for each in lines] == [("ada", "10"), ("bob", "5")]
    assert len(server.anybody.get("/contributors.csv?q=bob").text.splitlines()) == 2


def test_many_contributors_have_several_pages(tmp_path_factory: pytest.TempPathFactory) -> None:
    settings = Settings(tmp_path_factory.mktemp("many"))
    for number in range(60):
        entry(settings, CONTRIBUTOR, f"c{number:02}", f"{number:016x}", name=f"C {number:02}")
    with local_app(settings) as client:
        first, last = client.get("/contributors.json").json(), client.get("/contributors.json?page=99").json()
        assert (len(first["contributors"]), first["pages"]) == (50, 2)
        assert (len(last["contributors"]), last["page"]) == (10, 2)
        assert "Page 1 of 2" in client.get("/contributors", headers=HTML).text
        assert client.get("/contributors.json?page=0").status_code == 422


def test_a_profile_has_the_whole_trail_of_points(server: Together) -> None:
    said = server.anybody.get("/contributors/ada.json").json()
    assert sum(each["points"] for each in said["trail"]) == said["line"]["points"] == 10
    assert {(each["points"], each["by_hand"], each["provisional"]) for each in said["trail"]} == {
        (3, True, False),
        (2, False, False),
        (5, False, True),
    }
    assert [each["result"] for each in said["trail"] if each["result"]] == [ADAS, ADAS]
    assert said["trail"][0]["challenge"]["name"] == "summer"
    assert [each["uid"] for each in said["results"]] == [ADAS]
    assert [(each["day"], each["results"]) for each in said["history"]] == [("2026-01-01", 1)]
    bob = server.anybody.get("/contributors/bob.json").json()
    assert [each["name"] for each in bob["reports"]] == ["again"]
    assert [each["report"]["name"] for each in bob["trail"] if each["report"]] == ["again"]
    assert [each["day"] for each in bob["history"]] == ["2026-02-01", "2026-01-02"]


def test_what_somebody_says_of_themselves_can_do_nothing(server: Together) -> None:
    page = server.anybody.get("/contributors/ADA", headers=HTML)
    assert page.status_code == 200
    assert "I am <strong>Ada</strong>." in page.text
    assert "<script>alert" not in page.text
    assert '<a href="https://ada.example" rel="nofollow noopener noreferrer">' in page.text
    assert '<a href="https://t.example/cup.svg" rel="nofollow noopener noreferrer">cup.svg</a>' in page.text
    assert server.anybody.get("/contributors/nobody", headers=HTML).status_code == 404


def test_nothing_private_is_told_to_others(server: Together) -> None:
    paths = ("/contributors", "/contributors.json", "/contributors.csv", "/contributors/ada", "/contributors/ada.json",
             "/contributors/bob", "/contributors/bob.json")  # fmt: skip
    for name in ("anybody", "other", "reader"):
        browser = server.all()[name]
        for path in paths:
            for accept in ("text/html", "application/json"):
                text = browser.get(path, headers={"accept": accept}).text
                for word in (*WORDS, EMBARGOED, SECRETS):
                    assert word not in text, (name, path, word)
        hidden, nothing = (
            browser.get(f"/contributors/{each}", headers={"accept": "application/json"}) for each in ("Mallory", "Nope")
        )
        assert hidden.status_code == nothing.status_code == 404
        assert hidden.text.replace("Mallory", "Nope") == nothing.text


def test_members_and_maintainers_see_private_points(server: Together) -> None:
    for browser in (server.member, server.maintainer):
        said = browser.get("/contributors/Mallory.json").json()
        assert [each["uid"] for each in said["results"]] == [SECRETS]
        assert said["line"]["points"] > 0
        assert [each["name"] for each in said["challenges"]] == ["hush"]
    assert EMBARGOED in server.maintainer.get("/contributors/bob.json").text
    assert EMBARGOED not in server.member.get("/contributors/bob.json").text
