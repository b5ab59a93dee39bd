from __future__ import annotations

import contextlib
from datetime import date
from typing import Any

import pytest

from assay.base.settings import Settings
from assay.cm.artifact import REPORT
from assay.community.report import Report, Reports, ReportVerdict, add_report, find_report, load_reports
from assay.community.server_repository import server_repository
from assay.errors import NotFoundError, UsageError
from assay.results.audience import ANYBODY, EVERYBODY, Audience
from assay.results.store import open_store

from ..cm.test_git import run_git
from ..results.rows import put
from .boards import MOMENT, accepted
from .conftest import NOW, UID, MakeEntry, needs_git

RESULT = "aaaaaaaaaaaaaaaa"


def reports(settings: Settings, audience: Audience) -> Reports:
    with open_store(settings) as store, contextlib.closing(store.seen_by(audience, MOMENT)) as seen:
        return load_reports(settings, audience, seen)


def report(settings: Settings, name: str, audience: Audience) -> Report:
    with open_store(settings) as store, contextlib.closing(store.seen_by(audience, MOMENT)) as seen:
        return find_report(settings, name, audience, seen)


def test_a_report_of_cm_is_read(settings: Settings, make_entry: MakeEntry) -> None:
    tags = (f"result-{RESULT}", f"challenge-{UID}", "result-nothing", "report")
    make_entry(REPORT, "old", "00000000000000c1", tags=tags, title="Old", date="20230801", redirect="https://r.example",
               password_hash="x", readme="# Text")  # fmt: skip
    make_entry(REPORT, "new", "00000000000000c2", date=20240101)
    found = reports(settings, ANYBODY)
    assert [each.name for each in found.items] == ["new", "old"]
    old = found.items[1]
    assert (old.title, old.date, old.redirect, old.text) == ("Old", date(2023, 8, 1), "https://r.example", "# Text")
    assert (old.results, old.challenges, old.verdict, old.contributor) == ((RESULT,), (UID,), None, "")
    assert found.of_result(RESULT) == (old,)
    assert found.of_challenge(UID) == (old,)
    assert "password" not in repr(found)


def test_one_that_is_wrong_is_told_and_the_others_are_listed(settings: Settings, make_entry: MakeEntry) -> None:
    make_entry(REPORT, "bad", "00000000000000c1", redirect="javascript:alert(1)")
    make_entry(REPORT, "good", "00000000000000c2")
    found = reports(settings, EVERYBODY)
    assert [each.name for each in found.items] == ["good"]
    assert [each.path.name for each in found.problems] == ["bad"]
    assert reports(settings, ANYBODY).problems == ()


def test_a_private_one_is_its_writers(settings: Settings, make_entry: MakeEntry) -> None:
    make_entry(REPORT, "mine", "00000000000000c1", private=True, contributor="ada")
    make_entry(REPORT, "nobodys", "00000000000000c2", private=True)
    assert reports(settings, ANYBODY).items == ()
    assert [each.name for each in reports(settings, Audience(frozenset({"account:ada"}))).items] == ["mine"]
    assert len(reports(settings, EVERYBODY).items) == 2
    with pytest.raises(NotFoundError, match="unknown report 'mine'"):
        report(settings, "mine", ANYBODY)


@needs_git
def test_a_report_is_written_as_a_commit_of_its_writer(settings: Settings) -> None:
    written = add_report(
        settings,
        contributor="ada",
        title="  Ran it\nagain ",
        text="# Same\n",
        now=NOW,
        results=(RESULT,),
        challenges=(UID,),
        verdict=ReportVerdict.DIFFERS,
        figures={"samples_per_second": 210.5},
        display_name="Ada",
    )
    assert report(settings, written.uid, ANYBODY) == written
    assert (written.title, written.date, written.contributor) == ("Ran it again", date(2026, 12, 1), "ada")
    assert (written.verdict, written.text) == (ReportVerdict.DIFFERS, "# Same\n")
    assert dict(written.figures) == {"samples_per_second": 210.5}
    root = server_repository(settings).path
    assert run_git(root, "log", "-1", "--format=%an %s") == "Ada Report by ada: Ran it again"
    assert run_git(root, "status", "--porcelain") == ""


@needs_git
@pytest.mark.parametrize(
    "wrong",
    [
        {"title": " "},
        {"title": "x" * 201},
        {"title": "a\x1b[31m"},
        {"text": "x" * ((1 << 20) + 1)},
        {"results": ("../../x",)},
        {"challenges": ("x,y",)},
        {"results": (RESULT,) * 101},
        {"contributor": "../x"},
    ],
)
def test_what_cannot_be_a_report(settings: Settings, wrong: dict[str, Any]) -> None:
    given: dict[str, Any] = {"contributor": "ada", "title": "t", "text": "x", "now": NOW}
    with pytest.raises(UsageError):
        add_report(settings, **{**given, **wrong})
    assert reports(settings, EVERYBODY).items == ()


def test_who_may_not_see_a_challenge_or_a_result_sees_no_report_about_it(
    settings: Settings, make_entry: MakeEntry, make_challenge: MakeEntry
) -> None:
    make_challenge("secret", private=True)
    mine, early = (
        accepted(1, "ada", 10.0, access=f"challenge:{UID}"),
        accepted(2, "ada", 10.0, challenges=(), access="account:ada", embargo="2026-12-02T00:00:00Z"),
    )
    put(settings, [mine, early, open_ := accepted(3, "ada", 10.0, challenges=())])
    for number, (name, tag) in enumerate(
        [("challenge", f"challenge-{UID}"), ("result", f"result-{mine.uid}"), ("embargo", f"result-{early.uid}")]
    ):
        make_entry(REPORT, name, f"00000000000000c{number}", tags=(f"result-{open_.uid}", tag), contributor="bob")
    make_entry(REPORT, "gone", "00000000000000c9", tags=("result-ffffffffffffffff", f"result-{open_.uid}"))
    member = Audience(frozenset({f"challenge:{UID}"}))
    assert [each.name for each in reports(settings, ANYBODY).items] == ["gone"]
    assert {each.name for each in reports(settings, member).items} == {"gone", "challenge", "result"}
    assert {each.name for each in reports(settings, Audience(frozenset({"account:ada"}))).items} == {"gone", "embargo"}
    assert len(reports(settings, EVERYBODY).items) == 4
    with pytest.raises(NotFoundError, match="unknown report 'result'"):
        report(settings, "result", ANYBODY)
