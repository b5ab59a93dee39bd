from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.submission.issue import Issue
from assay.submission.power.daemon import daemon_version

from .damages import put, said
from .measured import build


def issues(tmp_path: Path, *edits: object) -> list[Issue]:
    measured = build(tmp_path, "v3.0")
    for edit in edits:
        edit(measured)  # type: ignore[operator]
    return measured.checked("v3.0")["daemon"]


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        ("YokogawaWT310,1000,version=1.10.0-ed9a21d2-20220817,OS", "1.10.0"),
        ("version=1.9.2-", "1.9.2"),
        ("version=1.9.2", ""),
        ("version=-1-", "-1"),
        ("version=--", "-"),
        ("version=-", ""),
        ("version=1\nversion=2-3", "2"),
        ("version=1version=2-", "1version=2"),
        ("1.10.0-", ""),
        ("", ""),
    ],
)
def test_the_version_stands_before_a_hyphen(answer: str, version: str) -> None:
    assert daemon_version(answer) == version


@given(st.text(alphabet="version=1-\n.", max_size=40))
def test_a_version_is_part_of_the_answer(answer: str) -> None:
    version = daemon_version(answer)
    assert not version or f"version={version}-" in answer


def test_a_wrong_version_is_told_with_place_and_what_would_do(tmp_path: Path) -> None:
    (issue,) = issues(tmp_path, said("Identify", pattern=r"version=[\d.]+", by="version=1.8.0"))
    assert (issue.field, issue.found, issue.expected) == ("ptd_messages[1].reply", "1.8.0", "1.10.0")
    assert issue.path.endswith("/power/server.json")
    text = (tmp_path / issue.path).read_text(encoding="utf-8").splitlines()
    assert issue.line is not None
    assert "version=1.8.0" in text[issue.line - 1]


def test_every_wrong_answer_is_told(tmp_path: Path) -> None:
    found = issues(tmp_path, said("SR,V", reply="Error"), said("SR,A", number=2, reply="No"), said("Stop", reply="?"))
    assert [(issue.field, issue.found) for issue in found] == [
        ("ptd_messages[8].reply", "No"),
        ("ptd_messages[3].reply", "Error"),
        ("ptd_messages[6].reply", "?"),
    ]
    assert found[0].detail == "answer to SR,A,3.7"


def test_a_stop_after_the_third_has_nothing_to_stop_either(tmp_path: Path) -> None:
    def stop_again(reply: str) -> object:
        more = {"cmd": "Stop", "reply": reply}
        return lambda measured: measured.json("server", lambda data: data["ptd_messages"].append(more))

    assert issues(tmp_path / "1", stop_again("Error: no measurement to stop")) == []
    (issue,) = issues(tmp_path / "2", stop_again("Stopping untimed measurement"))
    assert issue.expected == "Error: no measurement to stop"


def test_ranges_that_were_fixed_have_to_be_set_again(tmp_path: Path) -> None:
    fixed = said("RR", reply="Ranges,0,2.0,0,300.0")
    restored = said("SR,A", number=3, cmd="SR,A,2.0"), said("SR,V", number=3, cmd="SR,V,300.0")
    assert issues(tmp_path / "1", fixed, *restored) == []
    found = issues(tmp_path / "2", fixed)
    assert [(issue.found, issue.expected) for issue in found] == [
        ("SR,A,Auto", "SR,A,2.0"),
        ("SR,V,Auto", "SR,V,300.0"),
    ]


def test_a_long_answer_is_shortened(tmp_path: Path) -> None:
    found = issues(
        tmp_path, lambda m: m.json("server", put("ptd_messages", 2, "reply", value=f"R,0,{'9' * 99_999},1,1"))
    )
    assert [issue.code for issue in found] == ["power-ranges-not-restored"]
    assert len(found[0].expected) < 200


def test_commands_set_too_seldom(tmp_path: Path) -> None:
    (issue,) = issues(tmp_path, said("SR,A", number=3, drop=True))
    assert (issue.found, issue.expected) == ("2 of them", "SR,A,Auto")
    assert issue.detail == "command 3 that begins with SR,A is not there"
