from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from assay.playground.accounts.refusals import ThrottledError
from assay.playground.security.config import Limits
from assay.playground.security.limits import Kind, RateLimiter, kind_of

from .conftest import Site

Make = Callable[..., Site]
SMALL = {"per_minute": 60, "burst": 3}


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def limiter(clock: Seconds, most: int = 100) -> RateLimiter:
    return RateLimiter(Limits.model_validate({"page": SMALL, "search": SMALL}), clock=clock, most=most)


def taken(buckets: RateLimiter, key: str, kind: Kind = Kind.PAGE) -> int | None:
    """None when a token was taken, else the seconds to wait."""
    try:
        buckets.take(kind, key)
    except ThrottledError as error:
        return error.retry_after_s
    return None


def test_a_bucket_fills_again() -> None:
    clock = Seconds()
    buckets = limiter(clock)
    assert [taken(buckets, "a") for _ in range(4)] == [None, None, None, 1]
    clock.now += 1
    assert [taken(buckets, "a") for _ in range(2)] == [None, 1]
    clock.now += 1000
    assert [taken(buckets, "a") for _ in range(4)] == [None, None, None, 1], "no more than the burst"


def test_buckets_are_apart_by_kind_and_by_whom() -> None:
    buckets = limiter(Seconds())
    for _ in range(4):
        taken(buckets, "a")
    assert taken(buckets, "b") is None and taken(buckets, "a", Kind.SEARCH) is None


def test_the_time_to_wait_is_told() -> None:
    clock = Seconds()
    buckets = RateLimiter(Limits.model_validate({"upload": {"per_minute": 2, "burst": 1}}), clock=clock)
    assert taken(buckets, "a", Kind.UPLOAD) is None
    wait = taken(buckets, "a", Kind.UPLOAD)
    assert wait == 30
    clock.now += 30
    assert taken(buckets, "a", Kind.UPLOAD) is None


def test_memory_is_bounded_and_who_asks_now_is_remembered() -> None:
    buckets = limiter(Seconds(), most=10)
    for _ in range(4):
        taken(buckets, "busy")
    for number in range(1000):
        taken(buckets, f"other {number}")
        assert taken(buckets, "busy") is not None
    assert len(buckets) == 10


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", "/", Kind.PAGE),
        ("GET", "/results/1.json", Kind.API),
        ("GET", "/api/results", Kind.API),
        ("GET", "/explore.csv", Kind.API),
        ("GET", "/search", Kind.SEARCH),
        ("GET", "/sign-in", Kind.PAGE),
        ("POST", "/sign-in", Kind.SIGN_IN),
        ("POST", "/sign-up", Kind.SIGN_IN),
        ("GET", "/sign-in/elsewhere/return", Kind.SIGN_IN),
        ("POST", "/submit", Kind.UPLOAD),
        ("POST", "/api/uploads", Kind.UPLOAD),
        ("GET", "/submit", Kind.PAGE),
        ("GET", "/static/x.js", None),
        ("GET", "/healthz", None),
    ],
)
def test_what_a_request_costs(method: str, path: str, kind: Kind | None) -> None:
    assert kind_of(method, path) is kind


def test_an_address_that_asks_too_often(site: Make) -> None:
    made = site(limits={"page": {"per_minute": 1, "burst": 2}})
    answers = [made.client.get("/me") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 0 < int(answers[2].headers["retry-after"]) <= 60
    assert made.client.get("/healthz").status_code == 200


def test_an_account_has_a_limit_of_its_own_from_wherever_it_comes(site: Make) -> None:
    """A hundred addresses with one token are one account."""
    made = site(peer="10.0.0.1", trusted_proxies=["10.0.0.1"], limits={"api": {"per_minute": 1, "burst": 2}})
    header = {"authorization": f"Bearer {made.token()}"}
    statuses = [
        made.client.get("/api/me", headers={**header, "x-forwarded-for": f"203.0.113.{number}"}).status_code
        for number in range(4)
    ]
    assert statuses == [200, 200, 429, 429]


def test_a_body_that_is_too_large(site: Make) -> None:
    made = site(limits={"body": 1000}, upload={"max_bytes": "100kB"})
    header = {"authorization": f"Bearer {made.token()}"}
    assert made.client.post("/change", content=b"x" * 1000, headers=header).status_code == 200
    assert made.client.post("/change", content=b"x" * 1001, headers=header).status_code == 413
    assert made.client.post("/submit", content=b"x" * 100_000, headers=header).status_code == 200
    assert made.client.post("/submit", content=b"x" * 200_000, headers=header).status_code == 413


def test_a_body_that_does_not_tell_its_length(site: Make) -> None:
    made = site(limits={"body": 1000})
    header = {"authorization": f"Bearer {made.token()}"}

    def drops() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * 100

    answer = made.client.post("/change", content=drops(), headers=header)
    assert answer.status_code == 413 and "too large" in answer.text


def test_a_form_that_is_too_large(site: Make) -> None:
    made = site(limits={"body": 1000})
    made.sign_in()
    header = {"content-type": "application/x-www-form-urlencoded"}
    answer = made.client.post("/sign-in", content=iter([b"csrf=x&y=" + b"z" * 2000]), headers=header)
    assert answer.status_code == 413
