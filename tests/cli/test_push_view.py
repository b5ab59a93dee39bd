from __future__ import annotations

from typing import Any

import pytest

from assay.cli.push_view import exit_code, show_page
from assay.cli.render import Output

FINDING = {"code": "c-one", "title": "a title", "file": "f", "line": 7, "found": "x", "expected": "y", "fix": "mend it"}


@pytest.mark.parametrize(
    ("page", "code"),
    [
        ({"state": "accepted"}, 0),
        ({"state": "partly"}, 1),
        ({"state": "refused", "refused": [{}]}, 1),
        ({"state": "refused", "error": {"what": "no"}}, 4),
        ({"state": "failed", "error": {"what": "no"}}, 5),
    ],
)
def test_the_exit_code_says_what_became_of_it(page: dict[str, Any], code: int) -> None:
    assert exit_code(page) == code


def shown(page: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> str:
    show_page(page, "https://a/uploads/1", "https://a", Output())
    return capsys.readouterr().out


def test_findings_stand_by_their_code_with_some_of_their_places(capsys: pytest.CaptureFixture[str]) -> None:
    findings = [{**FINDING, "file": f"f{number}", "official": "reject"} for number in range(5)]
    page = {
        "state": "refused",
        "refused": [{"path": "p", "reason": "why"}],
        "findings": [{"result": "p", "findings": [*findings, {**FINDING, "code": "c-note", "strict": "warn"}]}],
        "message": "1 refused",
    }
    out = shown(page, capsys)
    assert "c-one: a title" in out
    assert "f2:7  (found x, expected y)" in out
    assert "and 2 places more" in out
    assert "what to do: mend it" in out
    assert "c-note" not in out
    assert out.endswith("1 refused.\nAll of it: https://a/uploads/1\n")


def test_a_server_cannot_write_to_the_terminal_what_it_likes(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b]0;evil\x07"
    page = {
        "state": "refused", "word": evil, "message": evil,
        "error": {"what": evil, "where": evil, "hint": evil},
        "accepted": [{"path": evil, "benchmark": evil, "scenario": evil, "value": 1.0, "unit": evil, "labels": [evil]}],
        "refused": [{"path": evil, "reason": evil}],
        "findings": [{"findings": [{**dict.fromkeys(FINDING, evil), "official": "reject", "line": 1}]}],
        "challenges": [{"name": evil}],
    }  # fmt: skip
    out = shown(page, capsys)
    assert "\x1b" not in out
    assert "\x07" not in out
