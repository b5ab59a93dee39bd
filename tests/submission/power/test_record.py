from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.submission.power.record import MalformedError, Session, dotted, parse_session

DATA = {
    "version": "1.0",
    "messages": [{"cmd": "a", "reply": "x"}, {"cmd": "b", "reply": "x"}, {"cmd": "a", "reply": "é"}],
    "phases": {"ranging": [[1, 2.5]]},
    "debug": None,
}
TEXT = json.dumps(DATA, indent=4)


def session(data: object = DATA) -> Session:
    return parse_session(json.dumps(data, indent=4).encode(), "server.json", ())


def told(error: pytest.ExceptionInfo[MalformedError]) -> tuple[str, str, str]:
    issue = error.value.issue("some-code")
    assert (issue.code, issue.path) == ("some-code", "server.json")
    return issue.field, issue.found, issue.expected


def test_values_are_found_by_keys() -> None:
    assert session().at("messages", 1, "cmd") == "b"
    assert session().at() == DATA
    assert session().text("version") == "1.0"
    assert session().number("phases", "ranging", 0, 1) == 2.5
    assert session().count("messages") == 3
    assert session().count("version") == 3


@pytest.mark.parametrize(
    "keys", [("none",), ("messages", 3, "cmd"), ("messages", "cmd"), ("version", "x"), ("debug", 0)]
)
def test_what_is_not_there_is_told_as_far_as_it_is(keys: tuple[str | int, ...]) -> None:
    with pytest.raises(MalformedError) as error:
        session().at(*keys)
    field, found, _ = told(error)
    assert found == "nothing"
    assert dotted(keys).startswith(field)


def test_values_of_another_kind_are_told_with_their_line() -> None:
    with pytest.raises(MalformedError) as error:
        session().text("phases", "ranging")
    assert told(error) == ("phases.ranging", "[[1, 2.5]]", "a text")
    line = error.value.issue("x").line
    assert line is not None
    assert '"ranging"' in TEXT.splitlines()[line - 1]
    with pytest.raises(MalformedError) as error:
        session().number("version")
    assert told(error) == ("version", "1.0", "a number")
    with pytest.raises(MalformedError) as error:
        session().count("debug")
    assert told(error) == ("debug", "None", "a list")


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("version",), 2),
        (("messages", 0, "cmd"), 5),
        (("messages", 1, "cmd"), 9),
        (("messages", 2, "cmd"), 13),
        (("messages", 1, "reply"), 10),
        (("messages", 2, "reply"), 14),
        (("messages", 2), 3),
        (("none",), None),
        (("messages", 7, "cmd"), None),
    ],
)
def test_lines(keys: tuple[str | int, ...], line: int | None) -> None:
    assert session().line(*keys) == line


def test_a_line_is_not_known_where_the_file_is_written_in_another_way() -> None:
    packed = parse_session(json.dumps({"uuid": {"client": "é"}}, ensure_ascii=False).encode(), "x", ())
    assert packed.line("uuid", "client") is None


@pytest.mark.parametrize(
    ("raw", "detail"),
    [
        (b"", "no JSON: Expecting value"),
        (b"{", "no JSON: Expecting property name"),
        (b"\xef\xbb\xbf{}", "no JSON: Unexpected UTF-8 BOM"),
        (b"\xff", "not UTF-8 text at byte 0"),
        (b"[" * 200_000, "no JSON: maximum recursion depth exceeded"),
        (b'{"a": ' + b"9" * 5000 + b"}", "no JSON: Exceeds the limit"),
        (b"[1]", "no JSON object"),
        (b"null", "no JSON object"),
        (b'{"a": 1}', "it is not there"),
    ],
)
def test_what_is_no_session(raw: bytes, detail: str) -> None:
    with pytest.raises(MalformedError) as error:
        parse_session(raw, "server.json", ["b", "a", "c"])
    issue = error.value.issue("x")
    assert issue.detail.startswith(detail)
    if raw == b'{"a": 1}':
        assert (issue.field, issue.expected) == ("b", "b, c")


@given(st.binary(max_size=60))
def test_nothing_else_is_raised(raw: bytes) -> None:
    try:
        found = parse_session(raw, "server.json", ())
    except MalformedError as error:
        assert error.issue("x").detail
    else:
        assert found.data == json.loads(raw)


def test_keys_are_written_as_a_path() -> None:
    assert dotted(("phases", "ranging", 1, 0)) == "phases.ranging[1][0]"
    assert dotted((0, "a")) == "[0].a"
    assert dotted(()) == ""
