from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.cm.places import places, registered, resolved


def test_local_ones_come_first_and_each_once(tmp_path: Path) -> None:
    home, cm = tmp_path / "home", tmp_path / "cm"
    (cm / "repos" / "me@mine").mkdir(parents=True)
    home.mkdir()
    (cm / "repos.json").write_text(json.dumps(["me@mine", "/elsewhere", str(tmp_path / "x")]))
    (home / "repos.json").write_text(json.dumps([str(tmp_path / "x"), "/elsewhere/"]))
    (home / "repo-identities.json").write_text(json.dumps({"/bare": {"alias": "a"}}))
    found, wrong = places(str(home), str(cm))
    assert found == [
        str(home / "repos" / "local"),
        str(tmp_path / "x"),
        "/elsewhere",
        str(cm / "repos" / "local"),
        str(cm / "repos" / "me@mine"),
        "/bare",
    ]
    assert wrong == []


def test_nothing_there_is_no_error(tmp_path: Path) -> None:
    assert places(str(tmp_path), "") == ([str(tmp_path / "repos" / "local")], [])
    (tmp_path / "repos.json").write_text("[]\n")
    assert registered(str(tmp_path)) == ([], "")


@pytest.mark.parametrize("text", ["{", "{}x", '{"a": 1}', "[1]", '[""]', '["a\\u0000"]', "[" * 100_000, "\xff", ""])
def test_a_broken_list_is_told_and_stops_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "repos.json").write_text(text, encoding="latin-1")
    found, wrong = places(str(tmp_path), "")
    assert found == [str(tmp_path / "repos" / "local")]
    assert len(wrong) == 1 and wrong[0].startswith(str(tmp_path / "repos.json"))


def test_a_huge_list_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "repos.json").open("wb") as stream:
        stream.truncate(1 << 30)
    assert registered(str(tmp_path))[0] == []


def test_an_entry_is_first_looked_for_below_repos(tmp_path: Path) -> None:
    (tmp_path / "repos" / "one").mkdir(parents=True)
    (tmp_path / "two").mkdir()
    assert resolved(str(tmp_path), "one") == str(tmp_path / "repos" / "one")
    assert resolved(str(tmp_path), "two") == str(tmp_path / "two")
    assert resolved(str(tmp_path), "/three") == "/three"
