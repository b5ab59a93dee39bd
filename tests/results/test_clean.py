from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.results import clean

GB, TB = 1 << 30, 1 << 40
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["N/A", "-", "\ud800", "1\0"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
# What a hostile file could hold where a word or a number belongs.
HOSTILE = ["\ud800" * 9, "\0", "x" * 10**6, "9" * 10**5, "1" + " " * 10**5 + "x", "4 (" * 10**5, "1;" * 10**5,
           "1x" * 10**5, "\N{ARABIC-INDIC DIGIT FOUR}", "²", 10**5000, -(10**5000), 10**400, float("nan"),
           float("inf"), -0.0, b"x", object]  # fmt: skip


@pytest.mark.parametrize(
    "word",
    [
        "",
        " ",
        "-",
        "--",
        "N/A",
        "n/a",
        "NA",
        "na ",
        "None",
        "none",
        "NULL",
        "NaN",
        "TBD",
        "Unknown",
        "\0",
        "\t\n",
        None,
    ],
)
def test_words_that_say_that_there_is_none(word: object) -> None:
    assert clean.text(word) is None
    assert clean.number(word) is None and clean.whole(word) is None
    assert clean.cores(word) is None and clean.memory(word) is None and clean.categories(word) == ()


@pytest.mark.parametrize("word", ["0", "no", "none at all", "N/A (see notes)", "nano", "---"])
def test_words_that_are_like_those_and_say_something(word: str) -> None:
    assert clean.text(word) == word


def test_a_text_is_itself() -> None:
    assert clean.text("  Ubuntu 22.04\n") == "Ubuntu 22.04"
    assert clean.text("Größe 漢😀") == "Größe 漢😀"
    assert (clean.text(4), clean.text(2.5), clean.text(True)) == ("4", "2.5", "True")
    assert clean.text({"a": 1}) is None and clean.text(["a"]) is None
    assert clean.text("a\0b\ud83d") == "ab?"


def test_a_text_is_cut_and_has_no_blank_at_its_end() -> None:
    assert clean.text("ab" * 10_000) == "ab" * 2000
    assert clean.text(" " * 3000 + "x" * 3999 + " y") == "x" * 3999


@pytest.mark.parametrize(
    ("given", "number"),
    [
        (3, 3.0), (2.5, 2.5), ("2.5", 2.5), (" 1e-3 ", 0.001), ("-4", -4.0), (2**70, float(2**70)), ("0", 0.0),
        (True, None), ("1_000", None), ("1,5", None), ("fast", None), ("nan", None), ("-inf", None), ("1e999", None),
        (10**400, None), ([1], None), ({}, None), (float("nan"), None), (float("inf"), None),
    ],
)  # fmt: skip
def test_numbers(given: object, number: float | None) -> None:
    assert clean.number(given) == number


@pytest.mark.parametrize(
    ("given", "count"),
    [
        (8, 8), ("8", 8), (" 8 ", 8), (8.0, 8), ("8.0", 8), ("8.", 8), (0, 0), ("0", 0),
        ("(8,4)", None), ("", None), (8.5, None), ("8.5", None), (-1, None), ("-1", None), (True, None), (10**9, None),
        ("9999999999", None), ("8x", None), (float("inf"), None), (float("nan"), None), ([8], None), ({}, None),
    ],
)  # fmt: skip
def test_counts(given: object, count: int | None) -> None:
    assert clean.whole(given) == count


@pytest.mark.parametrize(
    ("given", "count"),
    [
        (64, 64), ("64", 64), ("4 (big); 4 (LITTLE)", 8), ("4 (big);4(LITTLE)", 8), ("1 (prime); 3 (big); 4 (little)", 8),
        (" 2 (big) ", 2), ("4 big", None), ("4 (big); many", None), (";", None), ("0", None), ("4 (big", None),
        ("4 ((big))", None), (True, None), (None, None), ({"big": 4}, None),
    ],
)  # fmt: skip
def test_cores(given: object, count: int | None) -> None:
    assert clean.cores(given) == count


@pytest.mark.parametrize(
    ("given", "size"),
    [
        ("512 GB", 512 * GB), ("512GB", 512 * GB), ("512 GiB", 512 * GB), ("16x 64 GB", TB), ("16 x 64GB", TB),
        ("16x64 gb", TB), ("1T", TB), ("1 TB", TB), ("1.5 TB", 1536 * GB), ("2 Tbytes", 2 * TB), ("32768 KB", 32 << 20),
        ("96 MB", 96 << 20), ("0 GB", 0), ("512", None), ("GB", None), ("512 GB DDR4", None), ("-1 GB", None),
        (512, None), (None, None), ("9999x 999999999 TB", None), ("999999999 T", None),
    ],
)  # fmt: skip
def test_memory(given: object, size: int | None) -> None:
    assert clean.memory(given) == size


@pytest.mark.parametrize(
    ("given", "categories"),
    [
        ("edge", ("edge",)), ("datacenter,edge", ("datacenter", "edge")), ("edge, datacenter", ("datacenter", "edge")),
        ("Edge", ("edge",)), ("edge,,edge", ("edge",)), (",", ()), ("N/A", ()), (None, ()), (["edge"], ()),
    ],
)  # fmt: skip
def test_categories(given: object, categories: tuple[str, ...]) -> None:
    assert clean.categories(given) == categories


def check(value: object) -> None:
    """What holds for whatever is given: it can be kept in a database."""
    text, number = clean.text(value), clean.number(value)
    if text is not None:
        assert 0 < len(text) <= 4000 and text == text.strip() and "\0" not in text
        text.encode("utf-8")
        assert clean.text(text) == text
    assert number is None or number * 0 == 0
    for count in (clean.whole(value), clean.cores(value)):
        assert count is None or (type(count) is int and 0 <= count < 10**9)
    size = clean.memory(value)
    assert size is None or 0 <= size < 2**63
    for category in clean.categories(value):
        category.encode("utf-8")


@given(ANYTHING)
def test_anything_can_be_given(value: object) -> None:
    check(value)


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: f"{type(value).__name__}")
def test_hostile_values_are_none_and_take_no_time(value: object) -> None:
    started = time.perf_counter()
    check(value)
    assert time.perf_counter() - started < 1


@given(st.text(st.characters()))
def test_encodable_texts_can_be_encoded_and_others_stay_as_they_are(words: str) -> None:
    found = clean.encodable(words)
    found.encode("utf-8")
    assert len(found) == len(words)
    assert all(new in (old, "?") for new, old in zip(found, words, strict=True))
