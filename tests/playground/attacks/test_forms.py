"""Forms with anything in them, from whoever may send them: answered or refused, never a failure."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode
from zlib import crc32

import httpx2
import pytest
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from tests.playground.conftest import HTML, csrf_of, local_app, server_app, signed_in
from tests.playground.pages.together import ADAS, OPEN, fill

from assay.base.settings import Settings
from assay.errors import AssayError
from assay.playground.accounts.viewer import Role
from assay.playground.receiving import Receiver
from assay.results import store

from .harm import SCRIPTS, routes, sound

POSTS = sorted(routes("POST"), key=lambda route: route.path)
WORDS = st.sampled_from(
    (*SCRIPTS, "", "0", "-1", "1", "9" * 30, "1e400", "\x00", "\ufffd", "a" * 300, "a" * 9000, "2026-01-01", "2999-13-45T99:99Z", "v3.0", "resnet",
     "admin", "maintainer", "read", "push", "../..", "'; --", "on", "true", "round=v3.0", "%00", "\r\nX: y", "٣",
     "nobody", "summer", "summer", "hush", "ada", OPEN, ADAS, "reproduced")
)  # fmt: skip
TEXT = st.one_of(WORDS, st.text(max_size=30), st.text(st.characters(codec="utf-8"), max_size=10))
KINDS = st.sampled_from(("form", "form", "form", "multipart", "json", "bytes"))


def fields_of(route: APIRoute) -> list[str]:
    """Names of the fields that a route reads, and one that it does not."""
    return [*(each.alias for each in route.dependant.body_params), "file", "challenge", "nothing"]


@pytest.fixture(scope="module")
def maintained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "PUBLISHED", Path("no such table"))
        settings = Settings(home=tmp_path_factory.mktemp("forms"))
        fill(settings)
        with server_app(settings, sign_up="open") as client:
            yield client


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "PUBLISHED", Path("no such table"))
        settings = Settings(home=tmp_path_factory.mktemp("alone"))
        fill(settings)
        with local_app(settings) as client:
            client.headers["x-assay-client"] = "test"
            yield client


def post(
    client: TestClient, route: APIRoute, parts: list[str], fields: list[tuple[str, str]], kind: str, csrf: str
) -> None:
    """Send a form to a route."""
    names = iter(parts)
    path = re.sub(r"{[^}]+}", lambda _: quote(next(names, "x").encode("utf-8", "replace"), safe=""), route.path)
    headers, more = {**HTML, "x-csrf-token": csrf}, {}
    if kind == "form":
        headers["content-type"] = "application/x-www-form-urlencoded"
        more["content"] = urlencode([(name, value.encode("utf-8", "replace")) for name, value in fields])
    elif kind == "multipart":
        more["files"] = [
            (name, (None if number % 2 else value[:50] or "x", value)) for number, (name, value) in enumerate(fields)
        ] or None
    elif kind == "json":
        more["json"] = {name: value.encode("utf-8", "replace").decode() for name, value in fields}
    else:
        headers["content-type"] = "application/x-www-form-urlencoded"
        more["content"] = b"\xff\x00%zz&=&" + "".join(value for _, value in fields).encode("utf-8", "replace")
    sound(client.post(path, headers=headers, follow_redirects=False, **more))


def anything(route: APIRoute) -> st.SearchStrategy[tuple[list[str], list[tuple[str, str]], str]]:
    fields = st.lists(st.tuples(st.sampled_from(fields_of(route)), TEXT), max_size=6)
    return st.tuples(st.lists(TEXT, min_size=3, max_size=3), fields, KINDS)


SOME = settings(
    max_examples=8,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def fresh(client: TestClient, route: APIRoute, number: int) -> TestClient:
    """A browser of a maintainer; an account may be locked out by what it sent."""
    name = f"m{number % 3}-{crc32(route.path.encode()) % 10_000}"
    try:
        return signed_in(client, name, Role.MAINTAINER)
    except AssayError:
        return signed_in(client, f"{name}-{number}", Role.MAINTAINER)


@pytest.mark.parametrize("route", POSTS, ids=lambda route: route.path)
def test_any_form_of_a_maintainer_is_answered(maintained: TestClient, route: APIRoute) -> None:
    browsers: list[TestClient] = []

    @given(asked=anything(route))
    @SOME
    def ask(asked: tuple[list[str], list[tuple[str, str]], str]) -> None:
        try:
            csrf = csrf_of(browsers[-1])
        except (IndexError, AssertionError, httpx2.CookieConflict):
            # The first one, or the form has signed out whoever sent it.
            browsers.append(fresh(maintained, route, len(browsers)))
            csrf = csrf_of(browsers[-1])
        post(browsers[-1], route, *asked, csrf=csrf)

    ask()


@pytest.mark.parametrize("route", POSTS, ids=lambda route: route.path)
def test_any_form_of_a_single_user_is_answered(alone: TestClient, route: APIRoute) -> None:
    @given(asked=anything(route))
    @SOME
    def ask(asked: tuple[list[str], list[tuple[str, str]], str]) -> None:
        # A program keeps no cookies.
        alone.cookies.clear()
        post(alone, route, *asked, csrf="")

    ask()


BOUNDARY = "multipart/form-data; boundary=b"
HEAD = b"--b\r\n"


@pytest.mark.parametrize(
    ("first", "piece"),
    [
        (HEAD + b"Content-Disposition: ", b"a" * 65536),
        (HEAD, b"a" * 65536),
        (HEAD, b"X: a\r\n" * 10_000),
        (HEAD + b'Content-Disposition: form-data; name="', b'\\"' * 32768),
        (b"", HEAD + b'Content-Disposition: form-data; name="a"\r\n\r\n\r\n'),
        (HEAD + b'Content-Disposition: form-data; name="a"\r\n\r\n', b"a" * 65536),
        (HEAD + b'Content-Disposition: form-data; name="f"; filename="x"\r\n\r\n', b"\r\n--\r\n-b\r\n" * 6000),
    ],
)
def test_no_form_fills_the_memory(tmp_path: Path, first: bytes, piece: bytes) -> None:
    receiver = Receiver(BOUNDARY, tmp_path / "in", 10 << 20)
    tracemalloc.start()
    try:
        with pytest.raises(AssayError):
            receiver.feed(first)
            for _ in range(2000):
                receiver.feed(piece)
        # A hundred megabytes went in; what else runs here takes some, too.
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()
        receiver.discard()
    assert list(tmp_path.iterdir()) == []
