from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.base.settings import Settings
from assay.errors import UsageError
from assay.expressions import ExpressionError
from assay.results import leaders as leaders_module
from assay.results.fields import schema
from assay.results.leaders import front, leaders, pareto
from assay.results.query import EVERYTHING, Query
from assay.results.row import Row
from assay.results.store import Store, open_store

from .rows import make_row, put

pytestmark = pytest.mark.usefixtures("nothing_published")


def result(number: int, organisation: str, rate: float | None, watts: float | None, **changes: Any) -> Row:
    return make_row(number, organisation=organisation, samples_per_second=rate, watts=watts, **changes)


ROWS = [
    result(0, "Acme", 300.0, 600.0),
    result(1, "Acme", 100.0, 100.0),
    result(2, "Zeta", 240.0, 300.0),
    result(3, "Zeta", 240.0, 300.0, official=False),
    result(4, "Zeta", None, 5.0),
    result(5, "Beta", 50.0, 400.0),
    result(6, "Beta", 80.0, None, scenario="Server"),
    result(7, "Acme", 90.0, 0.0, round="v2.0", category=()),
    # The same system twice: a second result of its own is no rival.
    result(0, "Acme", 299.0, 900.0, location="closed/Acme/results/box0/again", uid="f" * 16),
]
NAMES = schema()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, nothing_published: None) -> Iterator[Store]:
    home = Settings(tmp_path_factory.mktemp("home"))
    put(home, ROWS)
    with open_store(home) as opened:
        yield opened


# ---- leaders


def test_the_leader_of_each_group_and_its_margin(store: Store) -> None:
    column, found = leaders(store, Query(), NAMES)
    assert column.unit == "samples/s"
    assert [each.group for each in found] == [
        ("v2.0", "resnet", "Offline", "closed", ()),
        ("v3.0", "resnet", "Offline", "closed", ("edge",)),
        ("v3.0", "resnet", "Server", "closed", ("edge",)),
    ]
    old, offline, server = found
    assert (offline.organisation, offline.system, offline.figure, offline.second) == ("Acme", "box0", 300.0, 240.0)
    assert offline.margin == pytest.approx(0.25) and offline.results == 5 and offline.uid == ROWS[0].uid
    assert (server.figure, server.second, server.margin, server.results) == (80.0, None, None, 1)
    assert old.figure == 90.0


def test_where_less_is_better(store: Store) -> None:
    _, found = leaders(store, Query(), NAMES, by="watts", lowest=True, group=["round"])
    assert [(each.group, each.figure, each.second) for each in found] == [
        (("v2.0",), 0.0, None),
        (("v3.0",), 5.0, 100.0),
    ]
    # A twentieth of the second's power is nineteen times better.
    assert found[1].margin == pytest.approx(19.0)


def test_leaders_by_an_expression_among_some(store: Store) -> None:
    column, (found,) = leaders(
        store, Query("scenario == 'Offline' and round == 'v3.0'"), NAMES, by="samples_per_second / watts", group=[]
    )
    assert column.unit == "samples/J" and found.group == ()
    assert (found.system, found.figure, found.second) == ("box1", 1.0, 0.8)
    assert found.margin == pytest.approx(0.25)


def test_a_share_of_nothing_is_none(store: Store) -> None:
    def margin(by: str, *, lowest: bool) -> float | None:
        _, (found,) = leaders(store, Query("watts is not null"), NAMES, by=by, lowest=lowest, group=[])
        assert found.second is not None
        return found.margin

    assert margin("watts", lowest=True) is None
    assert margin("watts - 1000 W", lowest=False) is None
    assert margin("0 W - watts", lowest=True) is None


def test_what_is_looked_at_is_the_querys(store: Store) -> None:
    _, found = leaders(store, Query(scope=EVERYTHING, limit=1, offset=3, columns=["nonsense("]), NAMES)
    assert sum(each.results for each in found) == 8
    assert leaders(store, Query("false"), NAMES)[1] == []


def test_groups_of_something_that_is_missing_come_last(store: Store) -> None:
    _, found = leaders(store, Query(), NAMES, group=["power", "accelerator"])
    assert [each.group for each in found] == [(None, None)]


def test_what_cannot_be_compared(store: Store) -> None:
    with pytest.raises(UsageError, match="is no number"):
        leaders(store, Query(), NAMES, by="system")
    with pytest.raises(ExpressionError) as caught:
        leaders(store, Query(), NAMES, by="wats")
    assert caught.value.position == 0
    for text in ("watts) or (true", "watts) is not null --"):
        with pytest.raises(ExpressionError):
            leaders(store, Query(), NAMES, by=text)


# ---- fronts


def by_definition(points: list[tuple[float, ...]]) -> set[int]:
    """Points that no other beats or equals in every figure while beating it in one; less is better."""

    def dominates(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
        return all(x <= y for x, y in zip(a, b, strict=True)) and any(x < y for x, y in zip(a, b, strict=True))

    return {n for n, point in enumerate(points) if not any(dominates(other, point) for other in points)}


_FIGURE = st.integers(-3, 3).map(float) | st.floats(allow_nan=False, allow_infinity=False)


@given(st.integers(1, 4).flatmap(lambda width: st.lists(st.tuples(*[_FIGURE] * width), min_size=1, max_size=25)))
def test_the_front_is_that_of_the_definition(points: list[tuple[float, ...]]) -> None:
    found = front(np.array(points))
    assert set(found) == by_definition(points) and len(found) == len(set(found))
    firsts = [points[index][0] for index in found]
    assert firsts == sorted(firsts)


def test_the_front_of_nothing() -> None:
    assert front(np.empty((0, 2))) == []


OFFLINE = "scenario == 'Offline' and round == 'v3.0'"


def figures(store: Store, filter_: str = OFFLINE, **options: Any) -> list[tuple[Any, ...]]:
    query = Query(filter_, ["system"], **options)
    return pareto(store, query, NAMES, most=["samples_per_second"], least=["watts"]).rows


def test_the_front_of_speed_and_power(store: Store) -> None:
    assert figures(store) == [("box0", 300.0, 600.0), ("box2", 240.0, 300.0), ("box1", 100.0, 100.0)]
    # Results that are equal in everything stand side by side.
    assert [row[0] for row in figures(store, scope=EVERYTHING)] in (
        ["box0", "box2", "box3", "box1"], ["box0", "box3", "box2", "box1"],
    )  # fmt: skip
    assert figures(store, limit=1, offset=1) == [("box2", 240.0, 300.0)]
    assert figures(store, "false") == []


def test_every_form_of_a_front_has_its_rows_only(store: Store, tmp_path: Path) -> None:
    table = pareto(store, Query(OFFLINE, ["system", "round"]), NAMES, most=["samples_per_second"], least=["watts * 2"])
    assert [(each.name, each.unit) for each in table.columns] == [
        ("system", ""), ("round", ""), ("samples_per_second", "samples/s"), ("watts * 2", "W"),
    ]  # fmt: skip
    rows = [("box0", "v3.0", 300.0, 1200.0), ("box2", "v3.0", 240.0, 600.0), ("box1", "v3.0", 100.0, 200.0)]
    assert table.rows == rows
    assert [tuple(each.values()) for each in table.arrow().to_pylist()] == rows
    assert table.polars().rows() == rows
    table.write_parquet(tmp_path / "front.parquet")
    assert store.run("SELECT * FROM read_parquet(?)", [str(tmp_path / "front.parquet")]).fetchall() == rows


def test_fronts_that_are_none(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(most: list[str], least: list[str]) -> None:
        pareto(store, Query(), NAMES, most=most, least=least)

    for most, least in (([], []), (["watts"], []), ([], ["watts"])):
        with pytest.raises(UsageError, match="two figures"):
            ask(most, least)
    with pytest.raises(UsageError, match="'system' is no number"):
        ask(["system"], ["watts"])
    with pytest.raises(ExpressionError):
        ask(["wats"], ["watts"])
    with pytest.raises(ExpressionError):
        ask(["watts) or (true"], ["watts"])
    monkeypatch.setattr(leaders_module, "_MOST_POINTS", 2)
    with pytest.raises(UsageError, match="too many"):
        ask(["samples_per_second"], ["watts"])
