from __future__ import annotations

import json

import pytest

from assay.errors import AssayError, InvalidInputError, MachineError, NotFoundError, RunFailedError, UsageError
from assay.playground.accounts.refusals import DeniedError, SignInError, ThrottledError, TooLargeError
from assay.playground.security.answers import headers_of, plain_answer, status_of, wants_json


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (SignInError("x"), 401),
        (DeniedError("x"), 403),
        (NotFoundError("x"), 404),
        (TooLargeError("x"), 413),
        (ThrottledError("x", retry_after_s=3), 429),
        (InvalidInputError("x"), 400),
        (UsageError("x"), 400),
        (MachineError("x"), 503),
        (RunFailedError("x"), 500),
        (AssayError("x"), 500),
    ],
)
def test_every_error_has_a_status(error: AssayError, status: int) -> None:
    assert status_of(error) == status
    assert headers_of(error)["Cache-Control"] == "no-store"


def test_headers_that_belong_to_a_status() -> None:
    assert headers_of(ThrottledError("x", retry_after_s=2.5))["Retry-After"] == "3"
    assert "Bearer" in headers_of(SignInError("x"))["WWW-Authenticate"]


@pytest.mark.parametrize(
    ("path", "headers", "wanted"),
    [
        ("/", {"accept": "text/html,application/xhtml+xml"}, False),
        ("/", {"accept": "application/json"}, True),
        ("/", {"accept": "application/problem+json, text/html"}, False),
        ("/x.json", {"accept": "text/html"}, True),
        ("/api/x", {}, True),
        ("/", {}, False),
        ("/", {"authorization": "Bearer x"}, True),
    ],
)
def test_who_wants_json(path: str, headers: dict[str, str], wanted: bool) -> None:
    scope = {"type": "http", "path": path, "headers": [(k.encode(), v.encode()) for k, v in headers.items()]}
    assert wants_json(scope) is wanted


def test_nothing_in_an_answer_is_taken_for_markup() -> None:
    error = InvalidInputError("<script>alert(1)</script>", hint='<img onerror="x">')
    scope = {"type": "http", "path": "/", "headers": []}
    text = bytes(plain_answer(scope, error).body).decode()
    assert "<script>" not in text and "<img" not in text and "&lt;script&gt;" in text
    scope["path"] = "/api/x"
    assert json.loads(bytes(plain_answer(scope, error).body))["what"] == "<script>alert(1)</script>"
