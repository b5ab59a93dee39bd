"""Lists of files."""

from __future__ import annotations

from pathlib import Path

from assay.rules.submission import FileDiff, FileRules
from assay.submission.checks.files import difference, file_list
from assay.submission.tree import Folder

from ..case_runner import each_case, run_case
from ..cases import Case

ID = (1, 2, 3)


@each_case("performance-files")
def test_findings(case: Case, round_name: str, tmp_path: Path) -> None:
    run_case(case, round_name, tmp_path)


def test_the_tool_of_v2_0_looks_at_the_longer_list_only() -> None:
    rules = FileRules(("a", "b"), (), (), (), (), ignored=("t",), compare=FileDiff.LONGER)
    assert difference(Folder(), ("a", "b"), (), rules) == set()
    assert difference(Folder(files={"a": ID}), ("a", "b"), (), rules) == {"b"}
    assert difference(Folder(files={"a": ID, "x": ID, "y": ID}), ("a", "b"), (), rules) == {"x", "y"}
    assert difference(Folder(files={"a": ID, "x": ID}), ("a", "b"), (), rules) == {"b"}


def test_later_tools_look_at_both_lists_and_spare_what_may_be_there() -> None:
    rules = FileRules(("a", "b"), (), (), (), (), ignored=("t",), compare=FileDiff.BOTH)
    assert difference(Folder(files={"a": ID, "x": ID, "t": ID, "o": ID}), ("a", "b"), ("o",), rules) == {"b", "x"}
    (issue,) = file_list("performance-files", "p", Folder(files={"x": ID}), ("a",), (), rules)
    assert (issue.found, issue.expected) == ("missing: a; not asked for: x", "a")
