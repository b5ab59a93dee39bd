from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from assay.base.settings import Settings
from assay.errors import AssayError, NotFoundError, UsageError
from assay.expressions import Definition, ExpressionError, Kind, Parameter, parse_unit
from assay.results.fields import FIELDS, schema
from assay.results.model import Method, Origin
from assay.results.query import EVERYTHING, Query, Scope, condition_of, left_out, run_query, statement_of, with_filter
from assay.results.row import Row
from assay.results.store import Store, open_store

from .rows import make_row, put

pytestmark = pytest.mark.usefixtures("nothing_published")


def result(number: int, organisation: str, rate: float | None, **changes: Any) -> Row:
    watts = changes.get("watts")
    return make_row(
        number, organisation=organisation, samples_per_second=rate, value=rate,
        joules_per_sample=watts / rate if watts and rate else None, **changes,
    )  # fmt: skip


ROWS = [
    result(0, "Acme", 100.0, watts=400.0, accelerator="H100-SXM-80GB", labels=("a", "b")),
    result(1, "Acme", 300.0, watts=500.0, accelerator="H100-PCIe-80GB"),
    result(2, "Zeta", 200.0, watts=None, accelerator="A100", notes="100% \"odd\" 'name' \\ _ x"),
    result(3, "Zeta", None, watts=0.0, accelerator=None),
    result(4, "Acme", 50.0, scenario="Server", category=("datacenter",), latency_p99=15e6, watts=900.0),
    result(5, "Beta", 250.0, method=Method.INFERRED),
    result(6, "Beta", 260.0, official=False),
    result(7, "Beta", 270.0, origin=Origin.LOCAL, official=None),
    result(8, "Ünï 漢😀", 80.0, category=("datacenter", "edge"), cores=64, nodes=2),
]
BOXES = {row.system: number for number, row in enumerate(ROWS)}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, nothing_published: None) -> Iterator[Store]:
    home = Settings(tmp_path_factory.mktemp("home"))
    put(home, ROWS)
    with open_store(home) as opened:
        yield opened


def ask(store: Store, filter_: str = "", names: Any = None, **options: Any) -> list[Any]:
    """Rows of an answer; of one column the values alone."""
    options.setdefault("columns", ["system"])
    found = run_query(store, Query(filter=filter_, **options), names).rows
    return [row[0] for row in found] if found and len(found[0]) == 1 else found


def boxes(store: Store, filter_: str = "", **options: Any) -> list[int]:
    """Numbers of the results of an answer, smallest first."""
    return sorted(BOXES[system] for system in ask(store, filter_, **options))


# ---- filters


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", [0, 1, 2, 3, 4, 8]),
        ('scenario == "Server"', [4]),
        ('scenario == "Offline" and watts < 500 and accelerator like "H100%"', [0]),
        ("watts <= 500", [0, 1, 3]),
        ("watts < 0.5 kW", [0, 3]),
        ("not (watts < 500)", [1, 4]),
        ("watts is null", [2, 8]),
        ("watts < 500 or watts is null", [0, 2, 3, 8]),
        ("latency_p99 <= 15 ms", [4]),
        ("latency_p99 < 15 ms", []),
        ('"a" in labels', [0]),
        ('"a" not in labels', [1, 2, 3, 4, 8]),
        ('category == "edge"', [0, 1, 2, 3, 8]),
        ('category == "datacenter"', [4, 8]),
        ('category != "edge"', [4]),
        ('organisation == "Ünï 漢😀"', [8]),
        ("notes contains '100%'", [2]),
        ("notes like '%\\%%'", [2]),
        ("notes contains \"'name' \\\\ _\"", [2]),
        ("samples_per_second / watts > 0.5 samples/J", [1]),
        ("watts == 0 and samples_per_second is null", [3]),
        ("rank(samples_per_second) == 1", [1, 4, 8]),
        ("samples_per_second == best(samples_per_second)", [1, 4, 8]),
        ("cores * nodes >= 128", [8]),
    ],
)
def test_filters(store: Store, text: str, wanted: list[int]) -> None:
    assert boxes(store, text) == wanted


def test_what_a_question_is_about(store: Store) -> None:
    assert boxes(store, scope=Scope(inferred=True)) == [0, 1, 2, 3, 4, 5, 8]
    assert boxes(store, scope=Scope(refused=True)) == [0, 1, 2, 3, 4, 6, 8]
    assert boxes(store, scope=Scope(local=True)) == [0, 1, 2, 3, 4, 7, 8]
    assert boxes(store, scope=EVERYTHING) == list(range(9))
    assert Scope().words() == "published, measured, taken by the official checker"
    assert EVERYTHING.words() == "published and local, measured and inferred, refused ones too"


def test_a_filter_that_speaks_of_the_scope_itself_decides(store: Store) -> None:
    assert boxes(store, 'method == "inferred"') == [5]
    assert boxes(store, "official == false") == [6]
    assert boxes(store, 'origin == "local"') == [7]
    assert boxes(store, 'method == "inferred" and rank(samples_per_second) >= 1') == [5]


def test_ranks_are_of_the_scope_and_not_of_what_the_filter_leaves(store: Store) -> None:
    columns = ["system", "rank(samples_per_second)"]
    assert ask(store, "samples_per_second < 300 and scenario == 'Offline'", columns=columns, sort=["system"]) == [
        ("box0", 3), ("box2", 2), ("box8", 1),
    ]  # fmt: skip
    wider = ask(store, "organisation == 'Zeta'", columns=columns, scope=EVERYTHING, sort=["system"])
    assert wider == [("box2", 5), ("box3", None)]


def test_what_is_left_out_is_told(store: Store) -> None:
    names = schema()
    assert left_out(store, Query(filter="organisation == 'Beta'"), names) == {
        ("inferred",): 1, ("refused",): 1, ("local",): 1,
    }  # fmt: skip
    assert left_out(store, Query(filter="organisation == 'Acme'"), names) == {}
    assert left_out(store, Query(scope=EVERYTHING), names) == {}
    condition, parameters = condition_of(Query(filter="watts < 450"), names)
    (count,) = store.run(f"SELECT count(*) FROM results WHERE {condition}", parameters).fetchall()
    assert count == (2,)


# ---- columns, sorting, paging


def test_columns_have_names_kinds_and_units(store: Store) -> None:
    columns = ["system", "watts", "efficiency = samples_per_second / watts", "latency_p99", "watts", "labels", "1 < 2"]
    table = run_query(store, Query(filter='system == "box0"', columns=columns))
    assert [(each.name, each.kind, each.unit) for each in table.columns] == [
        ("system", Kind.TEXT, ""), ("watts", Kind.NUMBER, "W"), ("efficiency", Kind.NUMBER, "samples/J"),
        ("latency_p99", Kind.NUMBER, "ns"), ("watts (2)", Kind.NUMBER, "W"), ("labels", Kind.TEXTS, ""),
        ("1 < 2", Kind.BOOLEAN, ""),
    ]  # fmt: skip
    assert table.rows == [("box0", 400.0, 0.25, None, 400.0, ["a", "b"], True)]


def test_every_field_can_be_a_column_a_filter_a_sort_and_a_group(store: Store) -> None:
    for field in FIELDS:
        if field.kind is None:
            continue
        name, options = field.name, {"scope": EVERYTHING}
        assert len(ask(store, columns=["system", name], sort=[f"-{name}"], **options)) == 9, name
        assert ask(store, f"{name} is null or {name} is not null", columns=["x = 1"], **options) == [1.0] * 9
        assert sum(row[1] for row in ask(store, group=[name], aggregates=["count()"], **options)) == 9


def test_the_default_columns_and_order(store: Store) -> None:
    table = run_query(store, Query())
    assert table.names[:3] == ["round", "organisation", "system"] and len(table.rows) == 6
    assert [row[2] for row in table.rows] == ["box1", "box2", "box0", "box8", "box3", "box4"]


@pytest.mark.parametrize(
    ("sort", "wanted"),
    [
        (["samples_per_second"], [4, 8, 0, 2, 1, 3]),
        (["-samples_per_second"], [1, 2, 0, 8, 4, 3]),
        (["organisation", "-watts"], [4, 1, 0, 3, 2, 8]),
        (["-rank(samples_per_second)", "system"], [0, 2, 1, 4, 8, 3]),
        (["fast"], [4, 8, 0, 2, 1, 3]),
        (["- samples_per_second * 2"], [1, 2, 0, 8, 4, 3]),
        (["+samples_per_second"], [4, 8, 0, 2, 1, 3]),
    ],
)
def test_sorting_puts_null_last(store: Store, sort: list[str], wanted: list[int]) -> None:
    columns = ["system", "fast = samples_per_second"]
    assert [BOXES[row[0]] for row in ask(store, columns=columns, sort=sort)] == wanted


@pytest.mark.parametrize("text", ["2", "'a'", "true", "-1", "2 kW", "50%", "1 + 1", "null is null", "if(true, 1, 2)"])
def test_sorting_by_what_is_the_same_for_all_sorts_nothing(store: Store, text: str) -> None:
    assert ask(store, sort=[text, "system"]) == ask(store, sort=["system"])
    assert ask(store, sort=[text]) == ask(store, sort=["round"])
    assert len(ask(store, columns=["rank(watts)"], sort=[text])) == 6
    options: dict[str, Any] = {"group": ["organisation"], "aggregates": ["count()"]}
    assert ask(store, sort=[text], **options) == ask(store, **options)
    assert ask(store, sort=[text], aggregates=["count()"]) == [6]


def test_the_order_is_the_same_every_time(store: Store) -> None:
    first = ask(store, sort=["round"])
    assert first == [row.system for row in sorted((ROWS[n] for n in (0, 1, 2, 3, 4, 8)), key=lambda row: row.uid)]


def test_limit_and_offset(store: Store) -> None:
    whole = ask(store)
    assert ask(store, limit=2) == whole[:2] and ask(store, limit=2, offset=3) == whole[3:5]
    assert ask(store, offset=4) == whole[4:] and ask(store, limit=0) == [] and ask(store, offset=99) == []
    ranked = ask(store, columns=["system", "rank(watts)"], limit=2, offset=1)
    assert [row[0] for row in ranked] == whole[1:3]
    for wrong in ({"limit": -1}, {"offset": -1}, {"limit": 10**30}):
        with pytest.raises(UsageError, match="no number of rows"):
            ask(store, **wrong)


# ---- groups


def test_groups_and_aggregates(store: Store) -> None:
    aggregates = ["count()", "count(watts)", "most = largest(samples_per_second)", "mean(watts)"]
    table = run_query(store, Query(group=["organisation"], aggregates=aggregates))
    assert table.rows == [
        ("Acme", 3, 3, 300.0, 600.0), ("Zeta", 2, 1, 200.0, 0.0), ("Ünï 漢😀", 1, 0, 80.0, None),
    ]  # fmt: skip
    assert [each.heading for each in table.columns] == [
        "organisation", "count()", "count(watts)", "most [samples/s]", "mean(watts) [W]",
    ]  # fmt: skip


def test_groups_are_filtered_sorted_and_cut(store: Store) -> None:
    options: dict[str, Any] = {"group": ["organisation"], "aggregates": ["n = count()"], "sort": ["-n"]}
    assert ask(store, "watts is not null", **options) == [("Acme", 3), ("Zeta", 1)]
    assert ask(store, **options, limit=1, offset=1) == [("Zeta", 2)]
    assert ask(store, "rank(samples_per_second) == 1", **options) == [("Acme", 2), ("Ünï 漢😀", 1)]
    assert ask(store, **{**options, "sort": ["-mean(watts)"]}) == [("Acme", 3), ("Zeta", 2), ("Ünï 漢😀", 1)]
    assert ask(store, **{**options, "sort": ["organisation"]})[0] == ("Acme", 3)
    assert ask(store, **{**options, "sort": ["largest(samples_per_second) * 2"]})[0] == ("Ünï 漢😀", 1)


def test_groups_of_two_and_of_lists(store: Store) -> None:
    assert ask(store, group=["scenario", "category"], aggregates=["count()"]) == [
        ("Offline", ["datacenter", "edge"], 1), ("Offline", ["edge"], 4), ("Server", ["datacenter"], 1),
    ]  # fmt: skip


def test_aggregates_of_everything(store: Store) -> None:
    assert ask(store, aggregates=["count()", "smallest(watts)"]) == [(6, 0.0)]
    assert ask(store, "false", aggregates=["count()", "sum(watts)"]) == [(0, None)]
    assert ask(store, group=["organisation"], columns=["ignored("]) == [("Acme", 3), ("Zeta", 2), ("Ünï 漢😀", 1)]


def test_parameters_of_all_parts_are_in_their_places(store: Store) -> None:
    """Each part of a statement has literals of its own."""
    found = ask(
        store,
        "watts >= 400 and organisation == 'Acme'",
        group=["scenario"],
        aggregates=["a = sum(watts * 2)", "b = count() + 10"],
        sort=["-sum(if(scenario == 'Server', 1, 3))"],
    )
    assert found == [("Offline", 1800.0, 12), ("Server", 1800.0, 11)]
    plain = ask(
        store,
        "watts >= 400 and rank(watts) < 3 and accelerator like 'H%'",
        columns=["system", "x = watts * 2 + 1 W", "y = if(organisation == 'Acme', 'yes', 'no')"],
        sort=["if(system == 'box1', 1, 2)"],
    )
    assert plain == [("box1", 1001.0, "yes"), ("box0", 801.0, "yes")]


# ---- metrics, numbers of the user, the baseline


def test_metrics_and_parameters(store: Store) -> None:
    names = schema(
        {"efficiency": Definition("efficiency", "samples_per_second / watts", parse_unit("samples/J"))},
        {"price": Parameter("price", parse_unit("USD"), 4.0), "rate": Parameter("rate", parse_unit("USD"), None)},
    )
    assert ask(store, "efficiency >= 0.25", names, columns=["efficiency"], sort=["efficiency"]) == [0.25, 0.6]
    table = run_query(store, Query("system == 'box0'", ["price * 2", "rate * 2", "rate"]), names)
    assert table.rows == [(8.0, None, None)] and table.missing == {"rate"}


def test_the_baseline(store: Store) -> None:
    columns = ["system", "samples_per_second / baseline(samples_per_second)"]
    found = ask(
        store, "scenario == 'Offline'", columns=columns, sort=["system"], baseline="accelerator == 'H100-SXM-80GB'"
    )
    assert found == [("box0", 1.0), ("box1", 3.0), ("box2", 2.0), ("box3", None), ("box8", None)]
    nothing = ask(store, columns=columns, baseline="false")
    assert {row[1] for row in nothing} == {None}


# ---- errors


@pytest.mark.parametrize(
    ("query", "position"),
    [
        (Query("scenari == 'Server'"), 0),
        (Query("watts < 15 ms"), 6),
        (Query("watts <"), 7),
        (Query(columns=["watts", "watts + wats"]), 8),
        (Query(columns=["x = watts + wats"]), 8),
        (Query(sort=["-wats"]), 0),
        (Query(baseline="watts <"), 7),
        (Query(group=["scenario"], aggregates=["mean(wats)"]), 5),
        (Query(aggregates=["rank(watts)"]), 0),
        (Query(group=["scenario"], aggregates=["watts"]), 0),
        (Query("mean(watts) > 1 W"), 0),
        (Query("'unclosed"), 0),
    ],
)
def test_an_error_points_at_the_character(store: Store, query: Query, position: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        run_query(store, query)
    assert caught.value.position == position, caught.value.rendered


def test_a_group_that_is_no_field(store: Store) -> None:
    with pytest.raises(NotFoundError, match="organisation"):
        ask(store, group=["organization"])
    with pytest.raises(NotFoundError):
        ask(store, group=["watts; DROP TABLE rows"])


@pytest.mark.parametrize("part", ["columns", "sort", "aggregates"])
def test_no_more_columns_than_somebody_can_read(store: Store, part: str) -> None:
    with pytest.raises(UsageError, match="too many"):
        run_query(store, Query(**{part: ["watts"] * 101}))


# ---- hostile texts

INJECTIONS = [
    "1; DROP TABLE rows", "' OR 1=1 --", "watts) FROM results; DELETE FROM rows; --", '"; DROP TABLE rows; --',
    "(SELECT 1)", "system UNION SELECT uid FROM rows", "read_csv('/etc/passwd')", "getenv('HOME')", "__import__('os')",
    "system /* */", "system -- x", "?", "$1", "watts::VARCHAR", "hidden", "file_id", "rowid", "*", "results.watts",
    "system \0", "\ud800", "pg_sleep(9)", "x' || (SELECT path FROM files) || '", "COPY rows TO 'x'",
    "`watts`; DROP", "a=b=c", "=", "x =", "= watts", "x = y = watts", "ATTACH 'x'", "`\"; DROP TABLE rows; --`",
]  # fmt: skip
PARTS = ["filter", "columns", "sort", "group", "aggregates", "baseline"]


def with_text(part: str, text: str) -> Query:
    """A question with a text in one place."""
    return Query(**{part: text if part in ("filter", "baseline") else [text]})


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("text", INJECTIONS)
def test_no_text_becomes_sql(store: Store, part: str, text: str) -> None:
    with pytest.raises(AssayError):
        run_query(store, with_text(part, text)).rows  # noqa: B018
    assert store.status().rows == 9


@pytest.mark.parametrize(
    "text", ["'; DROP TABLE rows; --", '" OR 1=1 --', "\\", "''", "%", "?", "{}", "\U0001d54f\u202e"]
)
def test_literals_are_values(store: Store, text: str) -> None:
    quoted = "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
    assert ask(store, columns=[f"x = {quoted}"], limit=1) == [text]
    assert ask(store, f"organisation == {quoted}") == []
    assert text not in statement_of(Query(f"notes contains {quoted}"), schema()).sql or text == "?"


@given(
    st.sampled_from(PARTS),
    st.text(max_size=40)
    | st.lists(st.sampled_from([*"()'\"`;=-,*?<>", "watts", " ", "rank(", "is null", "count()"])).map("".join),
)
@hypothesis_settings(max_examples=60, deadline=None)
def test_any_text_is_an_answer_or_a_clear_error(store: Store, part: str, text: str) -> None:
    try:
        run_query(store, with_text(part, text)).rows  # noqa: B018
    except AssayError:
        pass
    except duckdb.Error as error:  # pragma: no cover - what must not be
        pytest.fail(f"{part}: {text!r}: {error}")


# ---- one condition more


def test_a_condition_more(store: Store) -> None:
    both = with_filter(Query("watts > 450 or samples_per_second < 90"), 'organisation == "Acme"')
    assert boxes(store, both.filter) == [1, 4]
    assert with_filter(Query("watts > 1"), " ") == Query("watts > 1")
    assert with_filter(Query("  "), "watts > 1") == Query("watts > 1")


@pytest.mark.parametrize("text", ["true) or (true", "watts > 1) or (1 == 1", "(true", "true)", "true) # (", "true and"])
def test_nobody_gets_out_of_the_parentheses(text: str) -> None:
    for query, more in ((Query(text), "watts > 1"), (Query("watts > 1"), text)):
        with pytest.raises(ExpressionError):
            with_filter(query, more)


def test_a_question_is_a_value() -> None:
    assert replace(Query(), limit=3) == Query(limit=3) != Query()
