from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import errors
from assay.errors import AssayError, InvalidInputError, NotFoundError, nearest, unknown

EXIT_CODES = {
    "AssayError": 1,
    "UsageError": 2,
    "NotFoundError": 3,
    "MissingDependencyError": 3,
    "InvalidInputError": 4,
    "RunFailedError": 5,
    "MachineError": 5,
}


def test_every_error_has_its_documented_exit_code() -> None:
    found = {
        name: value.exit_code
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, AssayError)
    }
    assert found == EXIT_CODES
    for name in EXIT_CODES:
        assert name in (errors.__doc__ or "")


def test_one_line_says_where_what_expected_and_found() -> None:
    error = InvalidInputError("no number", where=Path("a.json"), expected="a count", found="'x'", hint="assay x")
    assert str(error) == "a.json: no number; expected a count; found 'x'"
    assert str(AssayError("only this")) == "only this"


def test_an_error_is_one_json_object() -> None:
    assert NotFoundError("gone", hint="look").to_dict() == {
        "error": "NotFound",
        "what": "gone",
        "where": None,
        "expected": None,
        "found": None,
        "hint": "look",
        "exit_code": 3,
    }


@pytest.mark.parametrize(
    ("name", "close"),
    [("Offlin", ["Offline"]), ("SERVR", ["Server"]), ("zzzz", []), ("offline", ["Offline"])],
)
def test_close_names_compare_without_case(name: str, close: list[str]) -> None:
    assert nearest(name, ["Offline", "Server", "MultiStream"]) == close


def test_an_unknown_name_comes_with_close_ones_or_all() -> None:
    assert unknown("scenario", "offlin", ["Offline", "Server"]).expected == "Offline"
    assert unknown("scenario", "zzz", ["Server", "Offline"]).expected == "Offline, Server"
    assert unknown("scenario", "zzz", []).expected is None


@given(st.text(max_size=30), st.lists(st.text(max_size=10), max_size=10))
def test_close_names_are_known_ones_and_few(name: str, known: list[str]) -> None:
    close = nearest(name, known)
    assert len(close) <= 3
    assert set(close) <= set(known)
