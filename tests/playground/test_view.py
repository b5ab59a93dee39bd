"""Addresses and views: each address has one meaning, each view one address, and nothing in one breaks a page."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.base.settings import Settings
from assay.errors import AssayError, InvalidInputError, UsageError
from assay.expressions import Kind
from assay.playground.view import COLUMNS, View, heading_sort, read_view, split
from assay.results.metrics import load_metrics
from assay.results.plots import Mark
from assay.results.table import Column

METRICS = load_metrics(Settings(home=Path("nowhere")))


def view_of(address: str) -> View:
    return read_view(parse_qsl(urlsplit(address).query, keep_blank_values=True))


def test_an_empty_address_is_the_usual_view() -> None:
    assert read_view([]) == View()
    assert View().address() == "/explorer"
    assert View().shown_columns == COLUMNS


def test_the_figures_of_the_plot_stand_right_behind_the_system() -> None:
    columns = View(y="samples_per_joule", x="watts").shown_columns
    at = columns.index("accelerator")
    assert columns[at + 1 : at + 3] == ("samples_per_joule", "watts")
    assert sorted(columns) == sorted(COLUMNS)


def test_an_address_says_what_the_view_is() -> None:
    address = (
        "/explorer?round=v3.0&round=v2.1&benchmark=resnet&include=inferred&metric=per_watt=samples_per_second%20/%20watts"
        "&filter=watts%20%3C%20100&mark=bar&x=system&y=per_watt&xlog=1&best=1&xlines=10,20&columns=uid,per_watt&sort=-per_watt&page=3"
    )
    view = view_of(address)
    assert view.chosen == {"round": ("v3.0", "v2.1"), "benchmark": ("resnet",)}
    assert view.include == {"inferred"}
    assert view.metrics == (("per_watt", "samples_per_second / watts"),)
    assert (view.mark, view.x, view.y, view.xlog, view.best, view.page) == (
        Mark.BAR,
        "system",
        "per_watt",
        True,
        True,
        3,
    )
    assert view.xlines == (10.0, 20.0)
    assert view.columns == ("uid", "per_watt")
    assert view_of(view.address()) == view


texts = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\x00"), max_size=40)


@given(
    st.builds(
        View,
        chosen=st.dictionaries(
            st.sampled_from(["round", "organisation", "accelerator", "system"]),
            st.lists(texts.filter(bool), min_size=1, max_size=4, unique=True).map(tuple),
        ),
        filter=texts.map(str.strip),
        include=st.frozensets(st.sampled_from(["inferred", "refused", "local"])),
        mark=st.sampled_from(Mark),
        x=texts.map(str.strip),
        y=texts.map(str.strip),
        color=texts.map(str.strip),
        xlog=st.booleans(),
        pareto=st.booleans(),
        xbest=st.sampled_from(["", "most", "least"]),
        xlines=st.lists(st.floats(-1e9, 1e9).map(lambda x: float(f"{x:.6g}")), max_size=3).map(tuple),
        page=st.integers(1, 999),
        per=st.sampled_from([25, 50, 100, 250]),
        title=texts.map(str.strip),
    )
)
def test_a_view_comes_back_from_its_address(view: View) -> None:
    assert view_of(view.address()) == view


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["x", "filter", "mark", "page", "per", "columns", "metric", "include", "xlines", "best", "round", "zz"]
            ),
            texts,
        ),
        max_size=8,
    )
)
def test_whatever_an_address_says_it_is_a_view_or_an_error_that_names_it(parameters: list[tuple[str, str]]) -> None:
    try:
        view = read_view(parameters)
    except AssayError as error:
        assert error.what
    else:
        assert view_of(view.address()) == read_view([*view.parameters()])


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("?page=0", "page"),
        ("?page=-1", "page"),
        ("?page=99999999", "page"),
        ("?per=7", "per"),
        ("?best=perhaps", "best"),
        ("?include=everything", "include"),
        ("?xlines=1,abc", "xlines"),
        ("?xlines=inf", "xlines"),
        ("?xbest=fastest", "xbest"),
        ("?metric=watts=1", "watts"),
        ("?metric=1x=2", "metric"),
        ("?metric=nothing", "metric"),
        ("?mark=pie", "pie"),
        (f"?filter={'x' * 5000}", "filter"),
        ("?" + "&".join(f"round=v{n}" for n in range(201)), "round"),
        ("?columns=" + ",".join(f"c{n}" for n in range(41)), "columns"),
    ],
)
def test_what_cannot_be_meant_is_named(address: str, told: str) -> None:
    with pytest.raises(AssayError) as caught:
        view_of(address)
    assert told in str(caught.value)
    assert len(str(caught.value)) < 400


def test_what_is_not_known_is_told_and_passed_over() -> None:
    view = view_of("?round=v3.0&utm_source=mail&colour=blue")
    assert view.unknown == ("utm_source", "colour")
    assert view.chosen == {"round": ("v3.0",)}


def test_changing_a_view_goes_back_to_its_first_page() -> None:
    view = view_of("?round=v3.0&page=4")
    assert "page" not in view.address(sort="-watts")
    assert view.address(page=5).endswith("page=5")
    assert view_of(view.address(chosen={"round": ()})).chosen == {}


def test_choices_and_filter_are_one_condition() -> None:
    view = view_of("?round=v3.0&category=edge&filter=watts < 100 or watts is null")
    assert view.whole_filter == '(round == "v3.0" and category == "edge") and (watts < 100 or watts is null)'


def test_a_value_with_quotes_stays_a_value() -> None:
    view = view_of("?organisation=" + "%22) or (true) or (%22")
    assert view.whole_filter == 'organisation == "\\") or (true) or (\\""'


@pytest.mark.parametrize(
    ("figure", "said", "least"),
    [
        ("samples_per_second", "", False),
        ("latency", "", True),
        ("latency_p99", "", True),
        ("watts", "", True),
        ("samples_per_joule", "", False),
        ("energy_per_million_samples", "", True),
        ("joules_per_sample", "", True),
        ("watts / accelerators", "", False),
        ("watts / accelerators", "least", True),
        ("latency", "most", False),
    ],
)
def test_which_figures_are_better(figure: str, said: str, least: bool) -> None:
    assert View().least(figure, said, METRICS) is least


def test_own_metrics_are_names_like_others() -> None:
    view = view_of("?metric=per_watt=samples_per_second / watts")
    names = view.names(METRICS.schema())
    assert "per_watt" in names.definitions
    with pytest.raises(InvalidInputError):
        view_of("?metric=grid_factor=1").names(METRICS.schema())


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a, b", ["a", "b"]),
        ("if(x > 1, 2, 3), b", ["if(x > 1, 2, 3)", "b"]),
        ('a in ("x,y", "z"), -c', ['a in ("x,y", "z")', "-c"]),
        (" , ,", []),
        ("a) , b", ["a)", "b"]),
    ],
)
def test_lists_are_split_at_their_own_commas(text: str, parts: list[str]) -> None:
    assert split(text) == parts


def test_a_heading_turns_the_order() -> None:
    number, word = Column("watts", Kind.NUMBER, "W"), Column("system", Kind.TEXT)
    assert heading_sort(View(), number) == "-watts"
    assert heading_sort(View(sort="-watts"), number) == "watts"
    assert heading_sort(View(sort="watts"), number) == "-watts"
    assert heading_sort(View(), word) == "system"
    assert heading_sort(View(sort="system"), word) == "-system"


def test_too_long_a_value_is_refused_before_anything_is_made_of_it() -> None:
    with pytest.raises(UsageError, match="too long"):
        view_of("?x=" + "a" * 4001)
