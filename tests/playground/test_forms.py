"""What pages with forms share."""

from __future__ import annotations

import pytest

from assay.errors import InvalidInputError
from assay.playground.accounts.refusals import DeniedError, ThrottledError
from assay.playground.forms import FormPage, go_on, mistake_of, waiting


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "a moment"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (61, "2 minutes"),
        (900, "15 minutes"),
        (3600, "1 hour"),
        (3700, "2 hours"),
    ],
)
def test_a_wait_in_words(seconds: int, words: str) -> None:
    assert waiting(seconds) == words


def test_a_mistake_has_the_status_of_its_error() -> None:
    told = mistake_of(ThrottledError("too many", retry_after_s=125), "here")
    assert (told.at, told.status, told.hint) == ("here", 429, "try again in 3 minutes")
    assert FormPage(mistake=told).http_status == 429 and FormPage().http_status == 200
    assert mistake_of(DeniedError("no"), "x").status == 403
    wrong = mistake_of(InvalidInputError("bad", expected="good", found="worse", hint="think"), "x")
    assert (wrong.status, wrong.expected, wrong.found, wrong.hint) == (400, "good", "worse", "think")


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/\\evil", "a"])
def test_one_goes_on_within_the_server_only(path: str) -> None:
    assert go_on(path).headers["location"] == "/"


def test_one_goes_on_with_a_plain_request() -> None:
    answer = go_on("/results?x=1&y=é")
    assert answer.status_code == 303 and answer.headers["cache-control"] == "no-store"
    assert answer.headers["location"].startswith("/results?x=1&y=")
