"""Requests with more than one length."""

from __future__ import annotations

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from assay.playground.security.framing import OneLength

CLIENT = TestClient(OneLength(PlainTextResponse("in")))


@pytest.mark.parametrize(
    "headers",
    [
        [("content-length", "0"), ("transfer-encoding", "chunked")],
        [("content-length", "0"), ("content-length", "0")],
        [("transfer-encoding", "chunked"), ("transfer-encoding", "identity")],
    ],
)
def test_a_request_with_two_ends_is_refused_and_its_connection_ended(headers: list[tuple[str, str]]) -> None:
    answer = CLIENT.post("/", headers=headers)
    assert answer.status_code == 400
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("headers", [[], [("content-length", "0")], [("transfer-encoding", "chunked")]])
def test_others_are_let_in(headers: list[tuple[str, str]]) -> None:
    assert CLIENT.get("/", headers=headers).text == "in"
