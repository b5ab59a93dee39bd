from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.cli.main import VERBS
from assay.community.challenge import Status
from assay.community.challenges import SHIPPED, find_challenge, load_challenges
from assay.errors import NotFoundError
from assay.results.audience import ANYBODY, EVERYBODY, Audience

from .conftest import NOW, UID, MakeEntry

OWN = ("optimize-mlperf-inference-v3.1", "reproduce-and-improve-mlperf-inference")


def names(settings: Settings, audience: Audience = ANYBODY) -> list[str]:
    return [each.name for each in load_challenges(settings, audience, NOW).items]


def test_two_come_with_assay_and_nothing_is_wrong_with_them(settings: Settings) -> None:
    found = load_challenges(settings, EVERYBODY, NOW)
    assert found.problems == ()
    assert sorted(each.name for each in found.items) == sorted(OWN)
    assert all(each.other == {} for each in found.items)
    seed = find_challenge(settings, OWN[0], ANYBODY, NOW)
    assert seed.status is Status.CLOSED
    assert seed.status_at(datetime(2023, 8, 17, 23, 59, tzinfo=UTC)) is Status.OPEN
    assert len(seed.tasks) == 7
    assert len([each for each in seed.documents if each.name.startswith("docs/")]) == 7
    assert find_challenge(settings, OWN[1], ANYBODY, NOW).status is Status.OPEN


def test_their_commands_are_ones_that_exist(settings: Settings) -> None:
    known = {verb.name for verb in VERBS} | {"push"}
    for challenge in load_challenges(settings, ANYBODY, NOW).items:
        commands = [each.command for each in challenge.how_to]
        for document in challenge.documents:
            commands += [line[2:] for line in document.text.splitlines() if line.startswith("$ assay")]
        assert commands
        assert {command.split()[1] for command in commands} <= known


def test_the_links_of_their_texts_lead_somewhere() -> None:
    for page in SHIPPED.rglob("*.md"):
        for link in page.read_text().split("](")[1:]:
            target = link.partition(")")[0]
            assert target.startswith(("?name=", "https://")) or (page.parent / target).is_file(), (page, target)


def test_one_that_is_wrong_is_told_and_the_others_are_listed(settings: Settings, make_challenge: MakeEntry) -> None:
    make_challenge("good", "00000000000000aa")
    make_challenge("bad", "00000000000000bb", date_close="never")
    (make_challenge("ugly", "00000000000000cc") / "_cm.yaml").write_text("a: [")
    found = load_challenges(settings, EVERYBODY, NOW)
    assert {"good", *OWN} == {each.name for each in found.items}
    assert sorted(each.path.name for each in found.problems) == ["bad", "ugly"]
    # What is wrong names paths of the server.
    assert load_challenges(settings, ANYBODY, NOW).problems == ()


def test_a_text_that_cannot_be_read_leaves_the_rest(settings: Settings, make_challenge: MakeEntry) -> None:
    (make_challenge("good", readme="x") / "README.md").write_bytes(b"\xff")
    found = load_challenges(settings, EVERYBODY, NOW)
    assert "good" in {each.name for each in found.items}
    assert [each.listed for each in found.problems] == [True]


def test_a_private_one_is_there_for_those_who_hold_it_alone(settings: Settings, make_challenge: MakeEntry) -> None:
    make_challenge("secret", UID, private=True)
    assert "secret" not in names(settings)
    assert "secret" not in names(settings, Audience(frozenset({"account:ada"})))
    assert "secret" in names(settings, Audience(frozenset({f"challenge:{UID}"})))
    assert "secret" in names(settings, EVERYBODY)
    for name in ("secret", UID, "SECRET"):
        with pytest.raises(NotFoundError) as hidden:
            find_challenge(settings, name, ANYBODY, NOW)
        absent = str(hidden.value)
        assert "unknown challenge" in absent
        assert "secret" not in absent.replace(repr(name), "")


def test_one_is_found_by_alias_and_uid_also_when_it_is_not_listed(
    settings: Settings, make_challenge: MakeEntry
) -> None:
    make_challenge("quiet", UID, skip=True)
    assert "quiet" not in names(settings)
    assert find_challenge(settings, "Quiet", ANYBODY, NOW).uid == UID
    assert find_challenge(settings, UID, ANYBODY, NOW).name == "quiet"
    with pytest.raises(NotFoundError):
        find_challenge(settings, "", ANYBODY, NOW)


def test_a_change_is_seen_at_once(settings: Settings, make_challenge: MakeEntry) -> None:
    make_challenge(readme="one")
    assert find_challenge(settings, "go", ANYBODY, NOW).readme.text == "one"  # type: ignore[union-attr]
    make_challenge(readme="other", title="New")
    found = find_challenge(settings, "go", ANYBODY, NOW)
    assert (found.title, found.readme.text if found.readme else "") == ("New", "other")


def test_a_repository_of_the_user_goes_before_what_comes_with_assay(
    settings: Settings, make_challenge: MakeEntry
) -> None:
    uid = find_challenge(settings, OWN[1], ANYBODY, NOW).uid
    make_challenge("mine", uid)
    assert sorted(names(settings)) == sorted([OWN[0], "mine"])


def test_hot_ones_first_then_open_upcoming_and_closed(settings: Settings, make_challenge: MakeEntry) -> None:
    make_challenge("over", "00000000000000a1", date_close="20261101")
    make_challenge("later", "00000000000000a2", date_close="20270601")
    make_challenge("soon", "00000000000000a3", date_close="20261205")
    make_challenge("first", "00000000000000a4", date_close="20280101", sort=-1)
    make_challenge("coming", "00000000000000a5", date_open="20270101")
    make_challenge("hot", "00000000000000a6", date_close="20261101", hot=True)
    assert [name for name in names(settings) if name not in OWN] == [
        "hot", "first", "soon", "later", "coming", "over",
    ]  # fmt: skip


def test_what_is_inherited_counts(settings: Settings, make_challenge: MakeEntry) -> None:
    make_challenge("base", "00000000000000b1", skip=True, prize="gold")
    make_challenge("child", "00000000000000b2", skip=False, _base="base")
    assert find_challenge(settings, "child", ANYBODY, NOW).prize == "gold"


def test_the_shipped_folder_is_only_read(settings: Settings) -> None:
    before = {path: path.stat().st_mtime_ns for path in Path(SHIPPED).rglob("*")}
    load_challenges(settings, ANYBODY, NOW)
    assert {path: path.stat().st_mtime_ns for path in Path(SHIPPED).rglob("*")} == before
