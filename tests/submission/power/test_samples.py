from __future__ import annotations

from pathlib import Path

import pytest

from assay.submission.issue import Issue

from .damages import text, watts
from .measured import LOGS, build

SPL = "run_1/spl.txt"


def issues(tmp_path: Path, *edits: object) -> list[Issue]:
    measured = build(tmp_path, "v3.0")
    for edit in edits:
        edit(measured)  # type: ignore[operator]
    return measured.checked("v3.0")["samples"]


def test_missing_samples_are_counted(tmp_path: Path) -> None:
    def every(number: int) -> object:
        return lambda measured: measured.text(SPL, lambda old: "".join(old.splitlines(keepends=True)[::number]))

    assert issues(tmp_path / "1", every(1)) == []
    (issue,) = issues(tmp_path / "2", every(2))
    assert (issue.code, issue.found, issue.expected) == ("power-samples-few", "599", "one a second, 1200 in all")
    assert issue.path.endswith(SPL)


@pytest.mark.parametrize(("value", "shown"), [("0.000000", "0"), ("-5.5", "-5.5"), ("nan", "nan"), ("inf", "inf")])
def test_samples_without_power(value: str, shown: str, tmp_path: Path) -> None:
    (issue,) = issues(tmp_path, text(SPL, r"(?<=\d,Watts,)105\.0*(?=,)", value))
    assert (issue.code, issue.field, issue.found, issue.expected) == ("power-sample-strange", "Watts", shown, "above 0")
    assert issue.detail.endswith("of 1199 samples in the window")


def test_what_others_tell_is_not_told_again(tmp_path: Path) -> None:
    assert issues(tmp_path / "1", text(SPL, r"\A", "\n")) == []
    assert issues(tmp_path / "2", lambda measured: (measured.path / SPL).unlink()) == []
    assert issues(tmp_path / "3", text(f"run_1/{LOGS[0]}", "power_end", "end")) == []


def test_both_at_once(tmp_path: Path) -> None:
    found = issues(tmp_path, watts("run_1", 0), lambda measured: measured.move_window("run_1", end=900))
    assert [issue.code for issue in found] == ["power-sample-strange", "power-samples-few"]
