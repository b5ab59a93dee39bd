from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.system.reader import Reader, parse_cpu_list, run_command


@pytest.mark.parametrize(
    ("text", "count"),
    [("0", 1), ("0-3", 4), ("0-3,8,10-11", 7), (" 5 ", 1), ("", None), ("3-1", None), ("a", None)],
)
def test_cpu_lists(text: str, count: int | None) -> None:
    assert parse_cpu_list(text) == count


@given(st.lists(st.integers(0, 2000), min_size=1, max_size=20, unique=True))
def test_a_list_of_single_cpus_counts_them(cpus: list[int]) -> None:
    assert parse_cpu_list(",".join(map(str, cpus))) == len(cpus)


def test_what_cannot_be_read_is_none(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "words").write_text("not a number\n")
    (tmp_path / "blank").write_text("\n")
    (tmp_path / "bytes").write_bytes(b"\xff\xfename\0\n")
    assert reader.text("absent") is None
    assert reader.text("folder") is None
    assert reader.text("blank") is None
    assert reader.number("words") is None
    assert reader.text("bytes") == "��name"
    assert reader.link_target("absent") is None
    assert reader.children("absent") == []
    assert reader.text("nul\0name") is None


def test_numbers_in_names_sort_as_numbers(tmp_path: Path) -> None:
    for name in ("cpu10", "cpu2", "cpu0", "cpuidle"):
        (tmp_path / "c" / name).mkdir(parents=True)
    assert Reader(tmp_path).children("c", r"cpu\d+") == ["c/cpu0", "c/cpu2", "c/cpu10"]


@pytest.mark.parametrize("text", ["To Be Filled By O.E.M.", "Default string", "N/A", "0000", "Not Specified", "OEM"])
def test_fillers_are_no_names(tmp_path: Path, text: str) -> None:
    (tmp_path / "n").write_text(text)
    assert Reader(tmp_path).name("n") is None


def test_names_lose_extra_space(tmp_path: Path) -> None:
    (tmp_path / "n").write_text("ProLiant   DL380 Gen11 \n")
    assert Reader(tmp_path).name("n") == "ProLiant DL380 Gen11"


def test_commands_that_are_missing_or_fail_give_none() -> None:
    assert run_command([sys.executable, "-c", "print('x')"]) == "x\n"
    assert run_command([sys.executable, "-c", "raise SystemExit(3)"]) is None
    assert run_command(["/nonexistent/command"]) is None
