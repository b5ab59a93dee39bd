from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.submission.power import window as module
from assay.submission.power.window import LoadWindow, WindowError, WindowScan

BEGIN = ':::MLLOG {"key": "power_begin", "value": "03-01-2023 18:00:00.000", "time_ms": 1.5}\n'
END = ':::MLLOG {"key": "power_end", "value": "03-01-2023 18:10:00.125", "time_ms": 1.5}\n'
START = datetime(2023, 3, 1, 18, tzinfo=UTC).timestamp()
GOOD = LoadWindow(START, START + 600.125)


def scan(text: str | bytes, size: int = 1 << 20) -> LoadWindow | WindowError:
    raw = text.encode() if isinstance(text, str) else text
    found = WindowScan("detail.txt")
    for start in range(0, len(raw), size):
        found.feed(raw[start : start + size])
    return found.finish()


@pytest.mark.parametrize("size", [1, 7, 64, 1 << 20])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_pieces_and_line_ends_of_any_kind(size: int, end: str) -> None:
    text = f"first\n{BEGIN}é\n{END}last".replace("\n", end)
    assert scan(text, size) == GOOD


def test_the_order_does_not_matter_and_the_last_before_both_counts() -> None:
    assert scan(END + BEGIN) == GOOD
    assert scan(BEGIN.replace("18:", "17:") + BEGIN + END + END.replace("18:", "19:")) == GOOD


def test_capitals_and_a_last_line_without_an_end() -> None:
    assert scan(BEGIN.upper() + END.rstrip("\n")) == GOOD


def test_a_line_with_both_is_the_begin() -> None:
    found = scan(BEGIN.replace("time_ms", "power_end") + END)
    assert found == GOOD


@pytest.mark.parametrize(
    ("text", "field", "line"),
    [
        ("", "power_begin", None),
        (END, "power_begin", None),
        (BEGIN, "power_end", None),
        (f"x\n{BEGIN}power_end: now\n", "power_end", 3),
        ("power_begin 13-01-2023 18:00:00.0\n", "power_begin", 1),
        ("power_begin 1-1-2023 1:1:1.\n", "power_begin", 1),
        ("\r\nx\rpower_begin\n", "power_begin", 3),
    ],
)
def test_what_is_missing_is_told(text: str, field: str, line: int | None) -> None:
    found = scan(text)
    assert isinstance(found, WindowError)
    issue = found.issue("x")
    assert (issue.path, issue.field, issue.line) == ("detail.txt", field, line)


def test_a_log_that_is_no_text() -> None:
    found = scan(b"first\n\xff\n" + BEGIN.encode() + END.encode())
    assert isinstance(found, WindowError)
    assert (found.issue("x").detail, found.issue("x").line) == ("not UTF-8 text", 2)


def test_what_stands_far_behind_is_not_read() -> None:
    assert scan(BEGIN.encode() + END.encode() + b"x\n" * 5000 + b"\xff\n") == GOOD


def test_a_line_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_LINE", 1000)
    found = scan(b"x" * 5000 + b"\n" + BEGIN.encode() + END.encode(), 100)
    assert isinstance(found, WindowError)
    assert found.issue("x").detail.startswith("a line is longer than")


OFFICIAL = re.compile(r"(\d*-\d*-\d* \d*:\d*:\d*\.\d*)")


@given(st.text(alphabet="0123-: .x", max_size=40))
def test_a_time_is_what_the_official_pattern_finds(text: str) -> None:
    ours, official = module._LOADGEN_TIME.search(text), OFFICIAL.search(text)
    assert (ours and ours[0]) == (official and official[0])


def test_a_long_run_of_digits_does_not_take_long() -> None:
    assert isinstance(scan("power_begin " + "1" * 1_000_000), WindowError)
