from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from assay.base.settings import Settings
from assay.errors import NotFoundError, UsageError
from assay.results.one import Found, cautions, compare_results, find_result, recorded
from assay.results.store import Store, open_store

from .rows import make_row, put

pytestmark = pytest.mark.usefixtures("nothing_published")

ROWS = [
    make_row(0, uid="aaaa000000000000", cm_uid="feedfacefeedface", watts=100.0),
    make_row(0, uid="aaaa111111111111", scenario="SingleStream", value=2.5, unit="Latency (ms)", samples_per_second=None),
    make_row(1, uid="bbbb000000000000", url="https://example.org/tree/x/closed/Acme/results/box1/resnet/Offline"),
    make_row(2, uid="cccc000000000000", location="closed/Acme/results/box1/resnet/Offline", round="v2.1"),
    make_row(3, uid="dddd000000000000", location="closed/Acme/results/box3", division="open", method="inferred"),
    make_row(4, uid="eeee000000000000", origin="local", labels=("short-run", "small-dataset"), accuracy_met=False),
]  # fmt: skip


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    put(settings, ROWS)
    with open_store(settings) as opened:
        yield opened


@pytest.mark.parametrize(
    ("name", "uid"),
    [
        ("aaaa000000000000", "aaaa000000000000"),
        (" AAAA0000 ", "aaaa000000000000"),
        ("feedfacefeedface", "aaaa000000000000"),
        ("feedf", "aaaa000000000000"),
        ("closed/Acme/results/box0/resnet/SingleStream/", "aaaa111111111111"),
        ("https://example.org/tree/x/closed/Acme/results/box1/resnet/Offline", "bbbb000000000000"),
        ("/somewhere/closed/Acme/results/box3", "dddd000000000000"),
    ],
)
def test_each_name_of_a_result(store: Store, name: str, uid: str) -> None:
    assert find_result(store, name).values["uid"] == uid


def test_what_belongs_to_it(store: Store) -> None:
    found = find_result(store, "aaaa0000")
    assert found.values["watts"] == 100.0 and found.values["category"] == ["edge"]
    assert found.siblings == (("aaaa111111111111", "SingleStream", 2.5, "Latency (ms)"),)
    assert find_result(store, "dddd").siblings == ()


def test_several_and_none(store: Store) -> None:
    with pytest.raises(UsageError, match="'aaaa' fits 2 results") as caught:
        find_result(store, "aaaa")
    assert "aaaa000000000000 (v3.0 closed/Acme" in str(caught.value.found)
    # One location in two rounds.
    with pytest.raises(UsageError, match="fits 2 results"):
        find_result(store, "closed/Acme/results/box1/resnet/Offline")
    with pytest.raises(UsageError, match="too short"):
        find_result(store, "aaa")
    with pytest.raises(NotFoundError) as missing:
        find_result(store, "closed/Acme/results/boxx/resnet/SingleStream")
    assert missing.value.expected == "closed/Acme/results/box0/resnet/SingleStream"
    for hostile in ("%%%%", "____", "' OR true --", "\x00\x00\x00\x00", "ö" * 10_000):
        with pytest.raises(NotFoundError):
            find_result(store, hostile)


def found_of(**values: Any) -> Found:
    return Found({**dict.fromkeys(_NAMES), "labels": [], **values})


_NAMES = [field.name for field in __import__("assay.results.fields", fromlist=["FIELDS"]).FIELDS]


def test_compared_fields() -> None:
    compared = compare_results(
        [
            found_of(uid="a", watts=100.0, cores=0, strict=True, system="x", category=["edge"]),
            found_of(uid="b", watts=50.0, cores=4, strict=True, system="y", category=["edge"]),
            found_of(uid="c", watts=None, cores=8, strict=True, system="x", category=["edge"]),
        ]
    )
    by_name = {each.name: each for each in compared}
    assert list(by_name) == [name for name in _NAMES if name in by_name]
    assert set(by_name) == {"watts", "cores", "strict", "system", "category"}
    assert by_name["watts"].ratios == (1.0, 0.5, None)
    # Over nothing there is no ratio, and a verdict is no number.
    assert by_name["cores"].ratios == (None, None, None)
    assert by_name["strict"].ratios is None
    assert [name for name, each in by_name.items() if each.differs] == ["system", "watts", "cores"]


@pytest.mark.parametrize(
    ("number", "told"),
    [(0, "no results to compare"), (1, "one result has nothing"), (7, "7 results are too many")],
)
def test_two_to_six(number: int, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        compare_results([found_of(uid=str(each)) for each in range(number)])


def test_cautions(store: Store) -> None:
    first, single, open_, local = (find_result(store, name) for name in ("aaaa0000", "aaaa1111", "dddd", "eeee"))
    assert cautions([first, first]) == []
    assert cautions([first, single]) == ["scenarios differ: their figures are not the same thing"]
    assert [text.split()[0] for text in cautions([first, open_])] == ["divisions", "some"]
    assert cautions([first, local]) == [
        "not all of them reach the closed division's accuracy",
        "some are official and some are not",
        "labels: short-run, small-dataset",
    ]


def test_the_first_of_several_uids_that_is_there(store: Store) -> None:
    assert recorded(store, ["0" * 16, "bbbb000000000000", "aaaa000000000000"]) == "bbbb000000000000"
    assert recorded(store, ["0" * 16]) == ""
    assert recorded(store, []) == ""
