"""Looking for words: what is found, in what order, for whom, and that no text is anything but a text."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from assay.base.settings import Settings
from assay.results.audience import ANYBODY
from assay.results.fields import schema
from assay.results.query import EVERYTHING, Query, run_query
from assay.results.search import Term, find_results, find_terms, load_terms, rank, words_of
from assay.results.store import Store, open_store

from .rows import make_row, put

pytestmark = pytest.mark.usefixtures("nothing_published")

ROWS = [
    make_row(0, uid="aaaa000000000000", cm_uid="feedfacefeedface", accelerator="H100-SXM-80GB", organisation="NVIDIA"),
    make_row(1, uid="aaaa111111111111", accelerator="H100-PCIe-80GB", organisation="Dell", system="XE8545_100%"),
    make_row(2, uid="bbbb000000000000", benchmark="bert-99", organisation="Dell", method="inferred"),
    make_row(
        3, uid="cccc000000000000", access="account:ada", organisation="Secret", system="hidden-h100", notes="hush"
    ),
    make_row(4, uid="dddd000000000000", notes="Fan speed set to 40%", url="https://x.example/closed/Acme/results/box4"),
]


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    put(settings, ROWS)
    with open_store(settings) as opened:
        yield opened


def found(store: Store, text: str) -> list[str]:
    return [each.uid[:4] for each in find_results(store, load_terms(store), text, 10).hits]


@pytest.mark.parametrize(
    ("text", "uids"),
    [
        ("aaaa000000000000", ["aaaa"]),
        ("AAAA", ["aaaa", "aaaa"]),
        ("feedface", ["aaaa"]),
        ("closed/acme/results/box4", ["dddd"]),
        ("https://x.example/closed/Acme/results/box4", ["dddd"]),
        ("https://host/tree/main/closed/Acme/results/box4/resnet/Offline", ["dddd"]),
        ("nvidia", ["aaaa"]),
        ("dell bert", ["bbbb"]),
        ("h100 resnet dell", ["aaaa"]),
        ("fan speed", ["dddd"]),
        ("dell nothing", []),
        ("", []),
        ("100%", ["aaaa"]),
        ("%", ["aaaa"]),
        ("_", ["aaaa"]),
        ("*", []),
        ("'; drop table rows; --", []),
        ("\\", []),
        ("\0", []),
        ("a" * 5000, []),
    ],
)
def test_results_are_found(store: Store, text: str, uids: list[str]) -> None:
    assert found(store, text)[: len(uids)] == uids
    assert bool(found(store, text)) == bool(uids)


def test_measured_ones_come_first_and_all_are_counted(store: Store) -> None:
    some = find_results(store, load_terms(store), "dell", 1)
    assert (some.count, [each.uid[:4] for each in some.hits]) == (2, ["aaaa"])


@pytest.mark.parametrize("text", ["dell", "h100 resnet", "XE8545_100%", "offline v3.0", "fan"])
def test_the_filter_says_the_same(store: Store, text: str) -> None:
    some = find_results(store, load_terms(store), text, 100)
    table = run_query(store, Query(some.filter, columns=("uid",), scope=EVERYTHING), schema())
    assert {row["uid"] for row in table.dicts()} == {each.uid for each in some.hits}


def test_what_is_not_for_everybody_is_not_found(store: Store) -> None:
    seen = store.seen_by(ANYBODY, "2026-12-01T00:00:00Z")
    try:
        terms = load_terms(seen)
        for text in ("secret", "hidden", "cccc000000000000", "hush", "closed/acme/results/hidden"):
            assert find_results(store, load_terms(store), text, 10).count == 1, text
            assert find_results(seen, terms, text, 10).count == 0, text
        assert "Secret" not in {term.value for name in terms.by_field for term in terms.of(name)}
    finally:
        seen.close()


def test_names_are_ranked() -> None:
    assert rank("dell", ["dell"]) == 0
    assert rank("dell emc", ["dell"]) == 1
    assert rank("the-dell box", ["dell"]) == 2
    assert rank("mydell", ["dell"]) == 3
    assert rank("acme", ["dell"]) is None
    assert rank("acme", []) is None
    terms = [
        Term(value, count, "", value) for value, count in (("mydell", 9), ("dell emc", 1), ("dell", 1), ("dell xe", 5))
    ]
    assert [term.value for term in find_terms(terms, ["dell"])] == ["dell", "dell xe", "dell emc", "mydell"]


def test_words_are_few_and_compared_without_case() -> None:
    assert words_of("  Dell DELL  H100 ") == ["dell", "h100"]
    assert len(words_of(" ".join(str(number) for number in range(100)))) == 8
    assert words_of("x" * 9999) == ["x" * 200]
