"""Addresses that nobody would write by hand: every route, every parameter, whatever stands in them."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from tests.playground.conftest import HTML

from assay.playground.view import _FLAGS, _KNOWN
from assay.results.facets import FACETS

from .harm import SCRIPTS, routes, sound

QUICK = settings(
    max_examples=40, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
ODD = (
    "/", "..", "%2e%2e", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "..%5c..%5c", "%00", "a%00b", "%ff", "%c0%ae", "%ed%a0%80",
    "%0d%0aSet-Cookie:%20a=b", "%7f", "%e2%80%ae", "%F0%9F%92%A9", "%25", "%2525", "%27", "%22%3E", "a" * 3000, ".", "~",
    "%20", ";", ":", "*", "%3f", "%23", "0", "-1", "1e999", "9" * 40, "null", "undefined", "NaN", "__class__", "con", ".json",
    "x.json", "..json", "%2f%2fevil.example", "%5cevil.example", "http:%2f%2fevil.example", *map(quote, SCRIPTS),
)  # fmt: skip
GETS = sorted({route.path for route in routes("GET")})
ANYTHING = st.text(st.characters(exclude_categories=[]), max_size=40)
ENCODED = st.binary(max_size=30).map(lambda raw: "".join(f"%{byte:02x}" for byte in raw))
MEANT = st.sampled_from(
    (*SCRIPTS, "", "0", "-1", "1", "2", "99999999", "1e400", "٣", "²", "v3.0", "resnet", "Offline", "watts", "value / watts",
     "value > ", "'", "''", "--", ";", "a,b", "1,2,3", "-sort", "round", "system", "scatter", "bar", "line", "box", "heat", "(" * 200,
     "x" * 4000, "x" * 5000, "me=1/watts", "=", "watts=1", "true", "most", "250", "inferred", "refused,local", "\x00", "\ud800")
)  # fmt: skip


def quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


VALUE = st.one_of(MEANT.map(quoted), ANYTHING.map(quoted), ENCODED)
NAMES: dict[str, tuple[str, ...]] = {
    "/explorer": (*sorted(_KNOWN), *FACETS, "nothing", "filter[]", ""),
    "/compare": ("result", "system", "benchmark", "scenario", "round", "only"),
    "/search": ("q",),
    "/systems": ("q", "organisation", "round", "category", "accelerator", "sort", "page"),
    "/runs": ("q", "state", "page"),
    "/challenges": ("q", "status", "task", "round"),
    "/contributors": ("q", "page"),
    "/reports": ("q", "verdict", "page"),
    "/benchmarks/resnet": ("metric", "category", "division", "round"),
    "/sign-in": ("next",),
    "/sign-up": ("next", "invitation"),
}
FORMS = {
    "/explorer": ("", ".json", ".csv", ".ndjson", ".parquet", "/chart.json", ".svg"),
    "/compare": ("", ".json", ".csv", "/ratios.json", "/ratios.svg"),
    "/search": ("", ".json", "/suggest.json"),
    "/systems": ("", ".json", ".csv"),
    "/contributors": ("", ".json", ".csv"),
    "/benchmarks/resnet": ("", ".json", "/trend.json", "/trend.svg"),
}


@st.composite
def addresses(draw: st.DrawFn) -> str:
    """A page with parameters: known ones with any value, again and again."""
    page = draw(st.sampled_from(sorted(NAMES)))
    form = draw(st.sampled_from(FORMS.get(page, ("", ".json"))))
    pairs = draw(st.lists(st.tuples(st.sampled_from(NAMES[page]), VALUE), max_size=8))
    return f"{page}{form}?{'&'.join(f'{name}={value}' for name, value in pairs)}"


@given(address=addresses())
@QUICK
def test_any_parameters_are_answered(client: TestClient, address: str) -> None:
    sound(client.get(address, headers=HTML, follow_redirects=False))


PATHS = st.lists(st.one_of(VALUE, st.sampled_from(ODD)), max_size=6).map(lambda parts: "/" + "/".join(parts))


@given(path=PATHS)
@QUICK
def test_any_path_is_answered(client: TestClient, path: str) -> None:
    sound(client.get("/" + path.lstrip("/"), headers=HTML, follow_redirects=False))


@pytest.mark.slow
@pytest.mark.timeout(1200)
@given(address=addresses() | PATHS.map(lambda path: "/" + path.lstrip("/")))
@settings(QUICK, max_examples=10_000)
def test_ten_thousand_addresses_are_answered(client: TestClient, address: str) -> None:
    sound(client.get(address, headers=HTML, follow_redirects=False))


@pytest.mark.parametrize("path", GETS)
def test_odd_segments_of_every_route_are_answered(client: TestClient, path: str) -> None:
    # A name is looked up alike on every page: each takes every fourth one, and the next route the next ones.
    odd = ODD[GETS.index(path) % 4 :: 4] if "{" in path else ("",)
    for number, part in enumerate(odd):
        # Pictures of what there is none of are drawn again and again otherwise.
        forms = ("json", part)[number % 2 : number % 2 + 1] if "{form}" in path else ("",)
        for form in forms:
            address = re.sub(r"{form}", lambda _, form=form: form, path)
            address = re.sub(r"{[^}]+}", lambda _, part=part: part, address)
            sound(client.get("/" + address.lstrip("/"), headers=HTML, follow_redirects=False))


@pytest.mark.parametrize("flag", _FLAGS)
def test_flags_are_on_or_off(client: TestClient, flag: str) -> None:
    for value in ("1", "0", "", "2", "yes%00", "%ff"):
        sound(client.get(f"/explorer?{flag}={value}", headers=HTML))


@pytest.mark.parametrize(
    "query", ["%", "%zz=%zz", "&&&=&", "=" * 500, "a" * 9000, "x[]=1&x[a]=2", ";a=b;c", "+", "%u0041=1"]
)
def test_broken_queries_are_answered(client: TestClient, query: str) -> None:
    for page in NAMES:
        sound(client.get(f"{page}?{query}", headers=HTML, follow_redirects=False))


@pytest.mark.parametrize("page", sorted(NAMES))
def test_nothing_that_was_asked_becomes_markup(client: TestClient, page: str) -> None:
    for number, script in enumerate(SCRIPTS):
        # All at once, and one alone: what is wrong with one may hide the others.
        alone = NAMES[page][number % len(NAMES[page])]
        for names in (NAMES[page], (alone,)):
            query = "&".join(f"{name}={quoted(script)}" for name in names)
            sound(client.get(f"{page}?{query}", headers=HTML, follow_redirects=False))


@pytest.mark.parametrize("name", sorted({*_KNOWN, *FACETS} - set(_FLAGS)))
def test_no_parameter_of_the_explorer_becomes_markup(client: TestClient, name: str) -> None:
    for page, script in zip(("/explorer", "/explorer", "/embed/explorer"), SCRIPTS, strict=False):
        sound(client.get(f"{page}?{name}={quoted(script)}", headers=HTML))


NUMBERS = ("0", "-1", "9" * 7, "9" * 19, "9" * 400, "1.5", "1e3", "0x10", "٣", "²", "%2b1", "%201", "")


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("/explorer", "page"), ("/systems", "page"), ("/runs", "page"), ("/contributors", "page"), ("/reports", "page"),
        ("/people", "after"), ("/people/audit", "before"), ("/uploads", "before"), ("/explorer/complete.json", "at"),
        ("/runs/x/progress.json", "from"),
    ],
)  # fmt: skip
def test_no_number_is_too_large(client: TestClient, page: str, name: str) -> None:
    for number in NUMBERS:
        sound(client.get(f"{page}?{name}={number}", headers=HTML))


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "PATCH", "PROPFIND", "FOO"])
def test_other_methods_are_answered(client: TestClient, method: str) -> None:
    for path in (
        "/",
        "/explorer",
        "/explorer.csv",
        "/rounds/v3.0",
        "/static/x/app.css",
        "/api/uploads",
        "/nothing",
        "/embed/explorer",
    ):
        sound(client.request(method, path, headers=HTML))
