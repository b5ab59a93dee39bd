"""What is kept, for whom, and for how long: an application behind the cache that counts how often it is asked."""

from __future__ import annotations

import gzip
from collections.abc import Mapping

import pytest
from starlette.responses import Response, StreamingResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from assay.playground.cache import Answers, CacheMiddleware, Kept

PUBLIC = {"cache-control": "public, no-cache"}
TEXT = "something to say " * 100


class Counting:
    """Answers with its count, and whatever the test wants."""

    def __init__(self) -> None:
        self.asked = 0
        self.status = 200
        self.headers: Mapping[str, str] = PUBLIC
        self.body = TEXT
        self.lasting = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        scope.setdefault("state", {})["lasting"] = self.lasting
        await Response(f"{self.asked} {self.body}", self.status, dict(self.headers), "text/html")(scope, receive, send)


class Site:
    """An application behind a cache, with a clock and a version that a test turns."""

    def __init__(self) -> None:
        self.app = Counting()
        self.version = "1"
        self.now = 0.0
        self.cache = CacheMiddleware(self.app, lambda: self.version, "session", lambda: self.now)
        self.client = TestClient(self.cache)

    def get(self, path: str = "/", **headers: str) -> str:
        return str(self.client.get(path, headers={"accept": "text/html", **headers}).text.split()[0])


@pytest.fixture
def site() -> Site:
    return Site()


def test_an_answer_for_everybody_is_made_once(site: Site) -> None:
    assert [site.get(), site.get()] == ["1", "1"]


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/?a=1", {}),
        ("/other", {}),
        ("/", {"host": "elsewhere"}),
        ("/", {"accept": "application/json"}),
    ],
)
def test_another_address_host_or_form_is_another_answer(site: Site, path: str, headers: dict[str, str]) -> None:
    assert [site.get(), site.get(path, **headers), site.get()] == ["1", "2", "1"]


def test_another_version_is_another_answer(site: Site) -> None:
    site.get()
    site.version = "2"
    assert site.get() == "2"


def test_a_minute_is_as_long_as_anything_is_kept(site: Site) -> None:
    site.get()
    site.now = 29.0
    assert site.get() == "1"
    site.now = 61.0
    assert site.get() == "2"


def test_what_was_asked_for_together_does_not_end_together(site: Site) -> None:
    paths = [f"/{number}" for number in range(40)]
    first = [site.get(path) for path in paths]
    site.now = 45.0
    again = [site.get(path) for path in paths]
    assert 5 < sum(a == b for a, b in zip(first, again, strict=True)) < 35


def test_what_hangs_on_the_index_alone_is_kept_until_that_is_another(site: Site) -> None:
    site.app.lasting = True
    site.get()
    site.now = 1e9
    assert site.get() == "1"
    site.version = "2"
    assert site.get() == "2"


@pytest.mark.parametrize("headers", [{"cookie": "a=b; session=x"}, {"authorization": "Bearer x"}])
def test_whoever_is_known_gets_an_answer_of_their_own(site: Site, headers: dict[str, str]) -> None:
    assert [site.get(), site.get(**headers), site.get(**headers), site.get()] == ["1", "2", "3", "1"]


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (200, {"cache-control": "private, no-cache"}),
        (200, {"cache-control": "no-store"}),
        (200, {}),
        (200, {**PUBLIC, "set-cookie": "a=b"}),
        (200, {"cache-control": "public, max-age=31536000, immutable"}),
        (404, PUBLIC),
    ],
)
def test_what_is_not_for_everybody_is_not_kept(site: Site, status: int, headers: dict[str, str]) -> None:
    site.app.status, site.app.headers = status, headers
    first = site.client.get("/")
    assert first.status_code == status
    assert "etag" not in first.headers
    assert site.get() == "2"


def test_a_form_that_is_sent_goes_through(site: Site) -> None:
    assert [site.client.post("/").text.split()[0], site.client.post("/").text.split()[0]] == ["1", "2"]


def test_a_known_answer_is_not_sent_again(site: Site) -> None:
    first = site.client.get("/")
    tag = first.headers["etag"]
    for given in (tag, f"W/{tag}"):
        again = site.client.get("/", headers={"if-none-match": given})
        assert (again.status_code, again.content) == (304, b"")
    assert site.client.get("/", headers={"if-none-match": '"another"'}).status_code == 200


def test_an_answer_is_compressed_for_who_takes_it(site: Site) -> None:
    with site.client.stream("GET", "/", headers={"accept-encoding": "gzip"}) as answer:
        raw = b"".join(answer.iter_raw())
        assert answer.headers["content-encoding"] == "gzip"
        assert gzip.decompress(raw).decode() == f"1 {TEXT}"
    plain = site.client.get("/", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert int(plain.headers["content-length"]) == len(plain.content)
    assert {"Accept-Encoding", "Cookie"} <= {each.strip() for each in plain.headers["vary"].split(",")}


def test_a_short_answer_is_not_worth_it(site: Site) -> None:
    site.app.body = "short"
    assert "content-encoding" not in site.client.get("/", headers={"accept-encoding": "gzip"}).headers


def test_a_question_for_the_head_gets_the_head_alone(site: Site) -> None:
    whole, head = site.client.get("/"), site.client.head("/")
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["etag"] == whole.headers["etag"]
    assert head.headers["content-length"] == whole.headers["content-length"]


def test_an_answer_too_large_to_be_kept_is_passed_on_whole() -> None:
    pieces = [b"x" * (1 << 20)] * 10

    async def large(scope: Scope, receive: Receive, send: Send) -> None:
        async def body():  # type: ignore[no-untyped-def]
            for piece in pieces:
                yield piece

        await StreamingResponse(body(), headers=PUBLIC)(scope, receive, send)

    answer = TestClient(CacheMiddleware(large, lambda: "1", "session")).get("/")
    assert len(answer.content) == 10 << 20
    assert "etag" not in answer.headers


def test_no_more_is_kept_than_fits() -> None:
    answers = Answers()
    for number in range(200):
        answers.put((str(number), "x" * 100_000), Kept(200, (), b"y" * 1_000_000, None, b"", 1e9))
    assert answers.bytes <= 64 << 20
    assert answers.get(("0", "x" * 100_000), 0.0) is None
    assert answers.get(("199", "x" * 100_000), 0.0) is not None


def test_addresses_are_counted_too() -> None:
    answers = Answers()
    for number in range(2000):
        answers.put((f"{number:04}" + "x" * 100_000,), Kept(200, (), b"", None, b"", 1e9))
    assert answers.bytes <= 64 << 20
    assert answers.get(("0000" + "x" * 100_000,), 0.0) is None
