from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from assay.playground.security.logging import as_text, told_query, without_secrets

from .conftest import GOOD, Site

Make = Callable[..., Site]


def test_a_line_for_each_request(site: Make) -> None:
    made = site()
    made.sign_in()
    made.lines.clear()
    answer = made.client.get("/results/abc?x=1&y=a b")
    (line,) = made.log
    assert line["path"] == "/results/abc" and line["query"] == "x=1&y=a+b"
    assert (line["method"], line["status"], line["via"], line["network"]) == ("GET", 200, "session", "192.0.2.0/24")
    assert line["account"] == 2 and line["bytes"] == len(answer.content) and line["ms"] >= 0
    assert answer.headers["x-request-id"] == line["id"]
    assert line["time"].endswith("Z")


def test_no_secret_stands_in_it(site: Make) -> None:
    made = site()
    made.sign_in()
    token, cookie = made.token(), made.client.cookies["assay-session"]
    made.client.get(f"/me?token={token}&code=abc123&state=abc123&q={token}&invitation={cookie}")
    made.client.get(f"/results/{token}", headers={"authorization": f"Bearer {token}"})
    made.client.get(f"/{cookie}")
    made.client.post("/sign-in", data={"csrf": made.csrf(), "name": "Ada", "password": "wrong " + GOOD})
    text = "\n".join(made.lines)
    for secret in (token, token[24:], cookie, GOOD, "abc123", "wrong"):
        assert secret not in text
    assert "(secret)" in text


def test_a_failure_is_told_with_its_kind(site: Make) -> None:
    made = site()
    assert made.client.get("/broken").status_code == 500
    (line,) = made.log
    assert (line["status"], line["error"]) == (500, "ZeroDivisionError")


def test_probes_are_told_only_when_they_fail(site: Make) -> None:
    made = site()
    made.client.get("/healthz")
    made.client.get("/metrics")
    assert [line["path"] for line in made.log] == ["/metrics"]
    assert made.log[0]["status"] == 403


def test_nobody_writes_a_line_of_their_own(site: Make) -> None:
    made = site(log_format="text")
    made.client.get("/me%0A2026-12-01%20GET%20/forged?x=%0Ay%1b")
    (line,) = made.lines
    assert "\n" not in line and "\x1b" not in line and line.isascii()


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"", ""),
        (b"filter=watts+%3C+5&Password=x", "filter=watts+%3C+5&Password=(secret)"),
        (b"&".join([b"a=1"] * 200), "(too many fields)"),
        (b"x=" + b"y" * 9000, "x=" + "y" * 498),
    ],
)
def test_queries(raw: bytes, told: str) -> None:
    assert told_query(raw) == told


def test_texts() -> None:
    assert without_secrets(f"/a/{'0' * 48}/b") == "/a/(secret)/b"
    entry = {
        "time": "t",
        "method": "GET",
        "path": "/x",
        "query": "",
        "status": 500,
        "ms": 1.5,
        "bytes": 3,
        "error": "E",
    }
    assert as_text(entry) == "t GET /x 500 1.5 ms 3 B E"  # type: ignore[arg-type]
    assert json.loads(json.dumps(entry))["ms"] == 1.5
