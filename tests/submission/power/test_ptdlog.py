from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.submission.issue import Issue
from assay.submission.power.ptdlog import _behind, _Uncertainty

from .damages import ODD_ERROR, UNCERTAIN, put, server
from .measured import NAME, PTD_LOG, Measured, after, build

ACTIVE = f"{after(5)}: Uncertainty checking for YokogawaWT310 is activated"
MARK = f"{after(40)}: Go with mark '{NAME}_ranging'"
DONE = f"{after(1340)}: Completed test"


def issues(measured: Measured, *lines: str, round_name: str = "v3.0", end: str = "\n") -> list[Issue]:
    """What is found in a log of these lines."""
    measured.raw(PTD_LOG, (end.join(lines) + end).encode())
    return measured.checked(round_name)["daemon-log"]


@pytest.fixture
def measured(tmp_path: Path) -> Measured:
    return build(tmp_path, "v3.0")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_ends_do(end: str, measured: Measured) -> None:
    assert issues(measured, ACTIVE, MARK, DONE, end=end) == []


def test_lines_are_told_with_number_and_count(measured: Measured) -> None:
    first, second = (f"{after(at)}: ERROR: bad {at}" for at in (2200, 2300))
    (issue,) = issues(measured, ACTIVE, MARK, DONE, first, "", second)
    assert (issue.code, issue.line, issue.found) == ("power-daemon-error", 4, first)
    assert issue.detail == "an error outside of the ranging run, and on 1 more lines"


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ((MARK, DONE), "power-uncertainty-unwatched"),
        ((MARK, ACTIVE, DONE), ""),
        ((MARK, DONE, ACTIVE.replace(after(5), after(41))), "power-uncertainty-unwatched"),
        ((ACTIVE.replace(after(5), after(41)), ACTIVE, MARK, DONE), "power-uncertainty-unwatched"),
        ((ACTIVE[25:], MARK, DONE), "power-daemon-log-unreadable"),
        ((ACTIVE.replace("WT310", ""), MARK, DONE), "power-uncertainty-unwatched"),
        ((ACTIVE, DONE, MARK), "power-daemon-log-unreadable"),
        ((ACTIVE, MARK), "power-daemon-log-unreadable"),
        ((ACTIVE, DONE), "power-daemon-log-unreadable"),
        ((), "power-daemon-log-unreadable"),
        ((ACTIVE, f"{MARK}  ", f"{DONE} \t"), ""),
        ((ACTIVE, MARK.replace("'", '"'), DONE), "power-daemon-log-unreadable"),
        ((ACTIVE, MARK, DONE, DONE, MARK), ""),
        ((ACTIVE, MARK, DONE, "99-99-2023 00:00:00.000: never read"), ""),
        ((ACTIVE, MARK, "99-99-2023 00:00:00.000: read", DONE), "power-daemon-log-unreadable"),
        ((ACTIVE, MARK, "02-29-2023 00:00:00.000: no leap year", DONE), "power-daemon-log-unreadable"),
        ((ACTIVE, MARK, "02-28-2023 24:00:00.000: no hour", DONE), "power-daemon-log-unreadable"),
        ((ACTIVE, MARK, "02-28-2023 23:00:00x000: no point", DONE), "power-daemon-log-unreadable"),
        ((ACTIVE, MARK, "no time: WARNING no colon", DONE), ""),
        ((ACTIVE, MARK, " 03-01-2023 18:00:05.000: ERROR: a blank before", DONE), "power-daemon-log-untimed"),
        ((ACTIVE, MARK, "99-99-2023 00:00:00.000: ERROR: never", DONE), "power-daemon-log-unreadable"),
        ((ACTIVE, MARK, DONE, "99-99-2023 00:00:00.000: ERROR: never"), "power-daemon-log-untimed"),
    ],
)
def test_marks(lines: tuple[str, ...], code: str, measured: Measured) -> None:
    assert [issue.code for issue in issues(measured, *lines)] == ([code] if code else [])


def test_a_mark_without_a_time_at_the_end(measured: Measured) -> None:
    measured.raw(PTD_LOG, f"{ACTIVE}\n{MARK[23:]}".encode())
    (issue,) = measured.checked("v3.0")["daemon-log"]
    assert (issue.code, issue.detail, issue.line) == ("power-daemon-log-unreadable", "the line has no time", 2)


def test_the_mark_is_written_as_python_writes_the_name(measured: Measured) -> None:
    measured.both(put("session_name", value="it's"))
    assert issues(measured, ACTIVE, f'{after(40)}: Go with mark "it\'s_ranging"', DONE) == []


def test_errors_at_the_very_ends_of_ranging_are_outside(measured: Measured) -> None:
    def at(seconds: float) -> list[str]:
        return [issue.code for issue in issues(measured, ACTIVE, MARK, DONE, f"{after(seconds)}: ERROR: odd")]

    assert at(40) == at(1340) == ["power-daemon-error"]
    assert at(40.001) == at(1339.999) == ["power-daemon-error-ranging"]


def test_a_line_can_be_both(measured: Measured) -> None:
    # The warning is seen first and stops the official checker.
    found = issues(measured, ACTIVE, MARK, DONE, f"{after(2500)}: WARNING: x ERROR: y")
    assert [issue.code for issue in found] == ["power-daemon-warning", "power-daemon-error-unseen"]


@pytest.mark.parametrize(
    ("words", "accepted"), [("USB.", True), (" USB. ", True), ("USB", False), ("USB. again", False)]
)
def test_errors_of_the_connection(words: str, accepted: bool, measured: Measured) -> None:
    (issue,) = issues(measured, ACTIVE, MARK, DONE, f"{after(2500)}: ERROR:{words}")
    assert issue.code == ("power-daemon-error-accepted" if accepted else "power-daemon-error")


def test_the_margin_of_v31_is_half_a_second_and_500_seconds_in_its_tool(measured: Measured) -> None:
    measured = build(measured.root / "v3.1", "v3.1")

    def at(seconds: float) -> list[str]:
        line = f"{after(seconds)}: {UNCERTAIN}"
        return [issue.code for issue in issues(measured, ACTIVE, MARK, DONE, line, round_name="v3.1")]

    # LoadGen ran from 2,100 to 3,300 s.
    assert at(2100.5) == at(3299.5) == []
    assert at(2100.501) == at(3299.499) == at(2600) == at(2800) == ["power-uncertainty-high-unseen"]
    assert at(2600.001) == at(2799.999) == ["power-uncertainty-high"]


def test_the_margin_of_v40_leaves_nothing_of_twenty_minutes(measured: Measured) -> None:
    measured = build(measured.root / "v4.0", "v4.0")

    def at(seconds: float) -> list[str]:
        line = f"{after(seconds)}: {UNCERTAIN}"
        return [issue.code for issue in issues(measured, ACTIVE, MARK, DONE, line, round_name="v4.0")]

    assert at(2100.8) == at(3299.2) == []
    assert at(2100.801) == at(3299.199) == at(2700) == ["power-uncertainty-high-unseen"]


def test_what_stands_behind_the_stop_is_unseen(measured: Measured) -> None:
    measured.log(ODD_ERROR, "{testing}: WARNING: well", f"{{testing}}: {UNCERTAIN}")
    assert [issue.code for issue in measured.checked("v3.0")["daemon-log"]] == [
        "power-daemon-error-ranging",
        "power-daemon-warning-unseen",
        "power-uncertainty-high-unseen",
    ]


@pytest.mark.parametrize("zone", [None, "x", [], {}, float("inf"), float("nan"), 10**400])
def test_a_time_zone_has_to_be_a_number(zone: object, measured: Measured) -> None:
    server(put("timezone", value=zone))(measured)
    (issue,) = measured.checked("v3.1")["daemon-log"]
    assert (issue.code, issue.field, issue.expected) == ("power-daemon-log-unreadable", "timezone", "seconds")


@pytest.mark.parametrize("zone", ["3600", 3600.9, True])
def test_a_time_zone_may_be_what_int_takes(zone: object, measured: Measured) -> None:
    server(put("timezone", value=zone))(measured)
    assert measured.checked("v3.0")["daemon-log"] == []


@given(st.text(alphabet="ERO:x ", max_size=30))
def test_behind_a_mark_is_what_the_official_pattern_finds(line: str) -> None:
    found = re.search("(?<=ERROR:).+", line)
    assert _behind("ERROR:", line) == (found[0] if found else None)


@given(st.text(alphabet="019.%x\u0663", max_size=8))
def test_an_uncertainty_is_what_the_official_pattern_finds(number: str) -> None:
    line = f"Uncertainty {number}%, which is above 1.00% limit for the last sample!"
    official = re.search(r"Uncertainty \d+.\d+%, which is above 1.00% limit for the last sample!", line)
    assert _Uncertainty(1.0).official(line) == (official is not None)


def test_a_long_number_does_not_take_long() -> None:
    line = "Uncertainty " + "1" * 2_000_000
    assert not _Uncertainty(1.0).official(line)
    assert not _Uncertainty(1.0).any(line)


_TEXTS = st.sampled_from(
    [
        ": ERROR: Can't evaluate uncertainty of this sample!",
        ": ERROR: Bad watts reading nan from WT310",
        ": ERROR: odd",
        ": ERROR:",
        ": ERROR:USB.",
        f": {ODD_ERROR}",
        f": {UNCERTAIN}",
        ": WARNING: Uncertainty unknown for the last measurement sample!",
        ": WARNING:",
        ": Completed test",
        ": Completed test ",
        ": anything",
        "",
    ]
)
_LINES = st.lists(st.tuples(st.one_of(st.none(), st.integers(0, 3600)), _TEXTS), max_size=12)


@pytest.mark.parametrize("round_name", ["v2.0", "v3.0", "v3.1"])
def test_what_is_passed_over_means_nothing(round_name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    measured = build(tmp_path_factory.mktemp("log") / round_name, round_name)

    @given(_LINES, _LINES, st.booleans())
    def same(before: list[tuple[int | None, str]], behind: list[tuple[int | None, str]], ended: bool) -> None:
        early, late = ([("" if at is None else after(at)) + text for at, text in each] for each in (before, behind))
        text = "\n".join([*early, ACTIVE, MARK, *late, DONE, *late]) + "\n" * ended
        found = []
        # With a letter that is not ASCII in it, a log is read line by line.
        for head in ("plain\n", "plän\n"):
            measured.raw(PTD_LOG, (head + text).encode())
            found.append(measured.checked(round_name)["daemon-log"])
        assert found[0] == found[1]

    same()
