from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from assay.community.challenge import Challenge, Status
from assay.community.leaderboard import Group, Leaderboard, Standing
from assay.playground.upload_view import FindingLine, grouped, places_of

CHALLENGE = Challenge("a" * 16, "go", "local", Path(), "Go", Status.OPEN)


def finding(result: str, official: str = "", strict: str = "", code: str = "code") -> FindingLine:
    return FindingLine(code=code, title="t", result=result, official=official, strict=strict)


def test_findings_are_put_to_what_they_are_about_the_gravest_first() -> None:
    groups = grouped(
        [
            finding("b", "warn"),
            finding("a", "note", "ignore"),
            finding("b", "ignore", "reject"),
            finding("c", "reject", "reject"),
            finding("c", "flag"),
            finding("", "warn"),
        ]
    )
    assert [(each.result, each.grave) for each in groups] == [("", 0), ("c", 2), ("b", 1), ("a", 0)]
    assert [each.level for each in groups[2].findings] == ["reject", "warn"]
    assert groups[3].findings[0].level == "note"


def test_only_codes_of_the_checker_are_explained() -> None:
    assert finding("", code="result-invalid").explained
    assert not finding("", code="minimum duration").explained
    assert not finding("", code="").explained


def board(*uids: str, owners: dict[str, str] | None = None, problem: str = "") -> Leaderboard:
    standings = tuple(
        Standing(place, "ada", uid, 1.0, None, None, "2026-12-01T00:00:00Z") for place, uid in enumerate(uids, 1)
    )
    groups = (Group((("scenario", "Offline"),), standings),) if standings else ()
    return Leaderboard(CHALLENGE, "x", "", lowest=False, groups=groups, owners=owners or {}, problem=problem)


def test_a_result_has_its_place() -> None:
    (place,) = places_of("b" * 16, board("a" * 16, "b" * 16))
    assert (place.place, place.of, place.group, place.title) == (2, 2, "Offline", "Go")


def test_a_result_of_two_categories_has_two_places() -> None:
    one = board("a" * 16)
    both = replace(one, groups=(*one.groups, Group((("scenario", "Server"),), one.groups[0].standings)))
    assert [each.group for each in places_of("a" * 16, both)] == ["Offline", "Server"]


def test_a_result_without_a_place_says_why() -> None:
    assert "condition" in places_of("b" * 16, board("a" * 16))[0].why
    assert "a better result of yours" in places_of("b" * 16, board("a" * 16, owners={"b" * 16: "ada"}))[0].why
    assert "is wrong: no such field" in places_of("b" * 16, board(problem="no such field"))[0].why
