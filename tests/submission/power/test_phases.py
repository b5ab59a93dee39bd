from __future__ import annotations

from pathlib import Path

from assay.submission.issue import Issue

from .damages import add, client, put, server, shorter, text, watts
from .measured import build


def issues(tmp_path: Path, round_name: str, *edits: object) -> list[Issue]:
    measured = build(tmp_path, round_name)
    for edit in edits:
        edit(measured)  # type: ignore[operator]
    return measured.checked(round_name)["times"]


def test_clocks_apart_are_told_in_milliseconds(tmp_path: Path) -> None:
    (issue,) = issues(tmp_path, "v2.1", server(add("phases", "testing", 2, 0, by=0.75)))
    assert (issue.field, issue.found) == ("phases.testing[2][0]", "750 ms apart")
    assert issue.expected == "at most 500 ms from server.json"


def test_the_very_limit_is_allowed_from_v21_on(tmp_path: Path) -> None:
    half = server(add("phases", "testing", 1, 0, by=0.5))
    assert issues(tmp_path / "1", "v2.1", half) == []
    fifth = (
        server(put("phases", "testing", 0, 0, value=0.2)),
        client(put("phases", "testing", 0, 0, value=0.0)),
    )
    (issue,) = issues(tmp_path / "2", "v2.0", *fifth)
    assert (issue.found, issue.expected) == ("200 ms apart", "less than 200 ms from server.json")


def test_every_point_is_looked_at(tmp_path: Path) -> None:
    found = issues(tmp_path, "v3.0", *(server(add("phases", "ranging", at, 0, by=2)) for at in range(4)))
    assert [issue.field for issue in found] == [f"phases.ranging[{at}][0]" for at in range(4)]


def test_a_window_outside_is_told_with_both(tmp_path: Path) -> None:
    (issue,) = issues(tmp_path, "v3.0", lambda measured: measured.move_window("run_1", end=100))
    assert (issue.code, issue.field) == ("power-window-outside", "power_end")
    assert issue.found == "03-01-2023 18:56:40.000"
    assert issue.expected == (
        "between 03-01-2023 18:34:00.000 and 03-01-2023 18:55:40.000, phases.testing of client.json"
    )
    assert issue.path.endswith("run_1/mlperf_log_detail.txt")


def test_a_point_that_is_no_time_is_shown_as_it_is(tmp_path: Path) -> None:
    both = lambda measured: measured.both(put("phases", "ranging", 2, 0, value=-1e300))  # noqa: E731
    found = issues(tmp_path, "v3.0", both)
    assert {issue.code for issue in found} == {"power-window-outside"}
    assert "-1e+300" in found[0].expected


def test_durations_are_told_with_their_share(tmp_path: Path) -> None:
    (issue,) = issues(tmp_path / "1", "v3.0", shorter(0.2))
    assert (issue.found, issue.expected) == (
        "960.0 s, 20.0 % off",
        "about 1200.0 s as the ranging run, within 15 %",
    )
    (issue,) = issues(tmp_path / "2", "v3.1", shorter(0.75))
    assert (issue.code, issue.found) == ("power-duration-shorter", "300.0 s, 75.0 % off")


def test_a_longer_testing_run_is_nothing_to_v31(tmp_path: Path) -> None:
    longer = lambda measured: measured.move_window("ranging", begin=800)  # noqa: E731
    assert issues(tmp_path / "1", "v3.1", longer) == []
    assert [issue.code for issue in issues(tmp_path / "2", "v3.0", longer)] == ["power-duration-differs"]


def test_average_power_is_told_with_both(tmp_path: Path) -> None:
    (issue,) = issues(tmp_path, "v3.1", watts("run_1", 0.9))
    assert issue.code == "power-average-low"
    assert issue.found == "92.70 W on average, -10 %"
    assert issue.expected == "less than 5 % below the ranging run's 103.00 W"


def test_five_percent_are_too_much(tmp_path: Path) -> None:
    # Rounded to two digits of a percent, as the official checker does.
    assert issues(tmp_path / "1", "v3.1", watts("run_1", 0.9501)) == []
    assert [issue.code for issue in issues(tmp_path / "2", "v3.1", watts("run_1", 0.95))] == ["power-average-low"]


def test_no_sample_above_zero(tmp_path: Path) -> None:
    (issue,) = issues(tmp_path, "v3.1", watts("run_1", 0))
    assert issue.found == "no sample above 0 W"


def test_an_average_of_zero_cannot_be_compared(tmp_path: Path) -> None:
    (issue,) = issues(tmp_path, "v3.1", watts("ranging", 1e-8), text("ranging/spl.txt", r"0\.0000\d\d", "0.0e-9"))
    # 0.0e-9 is no sample above 0, so that the average is -1 W as in the official checker.
    assert issue.code == "power-average-low"
    tiny = text("ranging/spl.txt", r"(?<=\d,Watts,)[\d.]+", "1e-9")
    (issue,) = issues(tmp_path / "2", "v3.1", tiny)
    assert (issue.code, issue.detail) == ("power-average-unreadable", "the average while ranging is 0 W")


def test_a_broken_sample_is_told_with_its_line(tmp_path: Path) -> None:
    def broken(line: int) -> object:
        def edit(old: str) -> str:
            lines = old.splitlines(keepends=True)
            lines[line - 1] = lines[line - 1].replace("Watts,", "Watts,many", 1)
            return "".join(lines)

        return lambda measured: measured.text("ranging/spl.txt", edit)

    # Outside of the window only the time is read.
    assert issues(tmp_path / "1", "v3.1", broken(5)) == []
    (issue,) = issues(tmp_path / "2", "v3.1", broken(30))
    assert (issue.code, issue.line) == ("power-average-unreadable", 30)
    assert issue.found.startswith("Time,03-01-2023 18:01:49.000,Watts,many")
    assert issues(tmp_path / "3", "v3.0", broken(30)) == []
