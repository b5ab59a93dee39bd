from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient
from tests.playground.conftest import HTML

from assay.cm.artifact import CHALLENGE

from .together import ADAS, BOBS, OPEN, SECRETS, WORDS, Together, entry, together


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Together]:
    with together(tmp_path_factory.mktemp("challenges")) as server:
        yield server


def names_in(browser: TestClient, **asked: str) -> dict[str, list[str]]:
    found = browser.get("/challenges.json", params=asked).json()
    return {group["status"]: [each["name"] for each in group["challenges"]] for group in found["groups"]}


def test_the_list_has_every_status_in_its_order(server: Together) -> None:
    found = names_in(server.anybody)
    assert list(found) == ["open", "upcoming", "under preparation", "closed"]
    assert "summer" in found["open"]
    assert (found["upcoming"], found["under preparation"]) == (["later"], ["soon"])
    assert "past" in found["closed"]
    page = server.anybody.get("/challenges", headers=HTML).text
    for word in ("Summer tour", "a cup", "1 Jan 2999", "1 Feb 2020", "Under preparation: it takes no results yet"):
        assert word in page
    assert 'datetime="2020-02-02T00:00:00+00:00" data-local' in page


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"status": "upcoming"}, {"upcoming": ["later"]}),
        ({"task": "image classification", "round": "v3.0"}, {"open": ["summer"]}),
        ({"q": "TOUR summer"}, {"open": ["summer"]}),
        ({"q": "%"}, {}),
        ({"status": "' OR 1=1 --"}, {}),
    ],
)
def test_the_list_is_filtered(server: Together, asked: dict[str, str], expected: dict[str, list[str]]) -> None:
    assert names_in(server.anybody, **asked) == expected
    assert server.anybody.get("/challenges", params=asked, headers=HTML).status_code == 200


def test_results_and_contributors_are_counted_as_far_as_they_are_seen(server: Together) -> None:
    for name, browser in server.all().items():
        (summer,) = browser.get("/challenges.json", params={"q": "summer"}).json()["groups"][0]["challenges"]
        assert (summer["results"], summer["contributors"]) == ((3, 2) if name == "maintainer" else (2, 2)), name


def test_broken_entries_are_told_to_who_sees_everything_without_the_machines_folders(server: Together) -> None:
    (problem,) = server.maintainer.get("/challenges.json").json()["problems"]
    assert problem["path"] == "challenge/broken"
    assert problem["reason"].startswith("_cm.yaml: date_open: not a date")
    assert str(server.settings.home) not in server.maintainer.get("/challenges", headers=HTML).text
    for name in ("anybody", "member", "other"):
        assert server.all()[name].get("/challenges.json").json()["problems"] == []
        assert "not a date" not in server.all()[name].get("/challenges", headers=HTML).text


def test_a_page_says_everything_about_a_challenge(server: Together) -> None:
    page = server.anybody.get("/challenges/summer", headers=HTML)
    assert page.status_code == 200
    for word in (
        "Summer tour", "A cup of tea", "Europe/Paris", "Be <strong>kind</strong>.", "A party.", "1 Apr 2026", "blue",
        "assay push RUN --to http://localhost --challenge summer", 'href="/challenges/summer/docs/more"',
        'href="/benchmarks/resnet"', "gptj-99", 'href="/rounds/v3.0"', 'href="/explorer?round=v3.0"',
        '<a href="https://a.example/x" rel="nofollow noopener noreferrer">', "2 points for each group",
        "Sign in to join", "Ran it again", "/challenges/summer/leaderboard.csv", "short run",
    ):  # fmt: skip
        assert word in page.text, word
    assert "playground.example" not in page.text
    for attack in ("<script>alert", "javascript:alert", "onerror=y>", "<img src=x"):
        assert attack not in page.text
    said = server.anybody.get("/challenges/summer.json").json()
    assert said["uid"] == OPEN
    assert said["scoring"] == {"accepted": 2, "first": 5, "second": 0, "third": 0, "report": 3}
    assert [each["name"] for each in said["documents"]] == ["docs/more.md"]
    assert said["other"] == {"colour": "blue"}
    assert [each["name"] for each in said["reports"]] == ["again"]
    # Nobody's token of forms stands on a page that anybody gets.
    assert 'name="csrf"' not in page.text
    assert server.anybody.get(f"/challenges/{OPEN}.json").json() == said


def test_a_further_text_is_a_page_of_its_own(server: Together) -> None:
    page = server.anybody.get("/challenges/summer/docs/more", headers=HTML)
    assert page.status_code == 200
    assert page.text.count("More of it</h1>") == 1
    assert 'href="/challenges/summer"' in page.text
    for wrong in ("nothing", "..%2f_cm", "README"):
        assert server.anybody.get(f"/challenges/summer/docs/{wrong}").status_code == 404


def test_the_board_ranks_the_best_of_everybody(server: Together) -> None:
    board = server.anybody.get("/challenges/summer.json").json()["board"]
    (group,) = board["groups"]
    assert group["title"] == "resnet · Offline · edge"
    assert [(each["place"], each["name"], each["uid"]) for each in group["standings"]] == [
        (1, "Ada L.", ADAS),
        (2, "bob", BOBS),
    ]
    assert group["standings"][0]["margin"] == pytest.approx(0.25)
    assert server.anybody.get("/challenges/summer.json", params={"group": group["key"]}).json()["board"]["chosen"]
    assert server.anybody.get("/challenges/summer", params={"group": "what"}, headers=HTML).status_code == 404
    lines = list(csv.DictReader(io.StringIO(server.anybody.get("/challenges/summer/leaderboard.csv").text)))
    assert [(each["group_benchmark"], each["place"], each["contributor"], each["uid"]) for each in lines] == [
        ("resnet", "1", "ada", ADAS),
        ("resnet", "2", "bob", BOBS),
    ]


def test_a_group_is_drawn(server: Together) -> None:
    spec = server.anybody.get("/challenges/summer/standings.json", params={"group": "resnet/Offline/edge"}).json()
    assert [each["figure"] for each in spec["data"]["values"]] == [100.0, 80.0]
    assert server.anybody.get("/challenges/summer/standings.svg").headers["content-type"] == "image/svg+xml"
    assert server.anybody.get("/challenges/past/standings.json").status_code == 200
    assert server.anybody.get("/challenges/summer/standings.json", params={"group": "x"}).status_code == 404


PATHS = (
    "/challenges/hush", "/challenges/hush.json", "/challenges/hush/leaderboard.csv", "/challenges/hush/standings.json",
    "/challenges/hush/docs/x", "/challenges/00112233445566bb.json",
)  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_a_private_challenge_is_not_there_for_others(server: Together, path: str) -> None:
    for name in ("anybody", "other", "reader"):
        answer = server.all()[name].get(path, headers={"accept": "application/json"})
        nothing = server.all()[name].get(
            path.replace("hush", "nope").replace("00112233445566bb", "nope"), headers={"accept": "application/json"}
        )
        assert answer.status_code == nothing.status_code == 404
        wanted = "00112233445566bb" if "00112233445566bb" in path else "hush"
        assert answer.text.replace(wanted, "nope") == nothing.text


def test_nothing_private_is_told_to_others(server: Together) -> None:
    pages = (
        "/challenges",
        "/challenges.json",
        "/challenges/summer",
        "/challenges/summer.json",
        "/challenges/summer/leaderboard.csv",
    )
    for name in ("anybody", "other", "reader"):
        browser = server.all()[name]
        for path in pages:
            for accept in ("text/html", "application/json"):
                text = browser.get(path, headers={"accept": accept}).text
                for word in WORDS:
                    assert word not in text, (name, path, word)


def test_members_and_maintainers_see_the_private_challenge_with_its_results_and_members(server: Together) -> None:
    for name in ("member", "maintainer"):
        browser = server.all()[name]
        assert "hush" in names_in(browser)["open"]
        said = browser.get("/challenges/hush.json").json()
        assert [each["uid"] for each in said["board"]["groups"][0]["standings"]] == [SECRETS]
        assert [each["account"] for each in said["admitted"]] == ["Mallory"]
        assert [each["name"] for each in said["reports"]] == ["murmur"]
        assert SECRETS in browser.get("/challenges/hush/leaderboard.csv").text
        page = browser.get("/challenges/hush", headers=HTML)
        assert "Only a whisper." in page.text
        assert page.headers["cache-control"] in ("no-store", "private, no-store")


def test_who_joined_a_public_challenge_is_shown_to_maintainers_alone(server: Together) -> None:
    assert server.member.get("/challenges/summer.json").json()["admitted"] == []


def test_texts_of_one_title_are_told_apart_by_their_files(server: Together) -> None:
    folder = entry(server.settings, CHALLENGE, "twice", "00112233445566ab", title="Twice")
    (folder / "docs").mkdir()
    for name in ("one", "two"):
        (folder / "docs" / f"{name}.md").write_text("# Setup\n", encoding="utf-8")
    said = server.anybody.get("/challenges/twice.json").json()
    assert [each["title"] for each in said["documents"]] == ["Setup: one", "Setup: two"]
