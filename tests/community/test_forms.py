from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.community.forms import read_day, web_address


@pytest.mark.parametrize("text", ["https://a.example", "http://a.example:8080/x?y=z#w", " https://a.example ", ""])
def test_addresses_of_the_web(text: str) -> None:
    assert web_address(text) == text.strip()


@pytest.mark.parametrize(
    "text",
    ["javascript:alert(1)", "JaVaScRiPt:x", "//evil.example", "file:///etc/passwd", "https:///x", "https://a b",
     "https://a.example/\"onload=", "https://a.example/<b>", "https://a.example/\n", "data:text/html,x", "x"],
)  # fmt: skip
def test_nothing_else_is_one(text: str) -> None:
    with pytest.raises(ValueError, match="address"):
        web_address(text + ("\nx" if text.endswith("\n") else ""))


@given(st.text(max_size=40))
def test_whatever_comes_through_begins_with_http(text: str) -> None:
    try:
        found = web_address(text)
    except ValueError:
        return
    assert found == "" or found.lower().startswith(("http://", "https://"))


@pytest.mark.parametrize("value", ["2026", True, 20260230, "20261301", "19000101", 1.5, []])
def test_what_is_no_day(value: object) -> None:
    with pytest.raises(ValueError, match="."):
        read_day(value)
