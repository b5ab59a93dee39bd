"""The interface as its own description has it: data that it allows and data that it does not, from everybody."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient
from tests.playground.conftest import local_app, token_of
from tests.playground.pages.together import together

from assay.base.settings import Settings
from assay.playground.openapi import completed

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
HOST = {"host": "localhost"}
PROGRAM = {"x-assay-client": "test"}
VIEWERS = ("local", "anonymous", "token")


@contextlib.contextmanager
def viewer(name: str, home: Path) -> Iterator[tuple[Any, dict[str, str]]]:
    """An application, and the headers of who asks."""
    if name == "local":
        with local_app(Settings(home=home)) as client:
            yield client.app, PROGRAM
        return
    with together(home) as server:
        client: TestClient = server.anybody
        scopes = {"token": ("read", "push"), "admin": ("read", "push", "admin")}
        who = {"token": "Mallory", "admin": "Maria"}
        yield client.app, token_of(client, who[name], *scopes[name]) if name in who else PROGRAM


def ask_everything(app: Any, headers: dict[str, str], examples: int, turn: int | None = None) -> dict[str, int]:
    """Ask for every operation with data that it allows and data that it does not; answers by operation.

    Args:
        app: what is asked.
        headers: of who asks.
        examples: of each.
        turn: only one kind of data for each operation, and the other kind for that of another turn.
    """
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, headers=HOST)
    answered: dict[str, int] = {}
    kinds = list(GenerationMode)
    for number, found in enumerate(schema.get_all_operations()):
        operation = found.ok()
        for mode in kinds if turn is None else [kinds[(number + turn) % len(kinds)]]:

            @given(case=operation.as_strategy(generation_mode=mode))
            @settings(
                max_examples=examples,
                deadline=None,
                database=None,
                derandomize=examples < 50,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.explicit, Phase.generate],
            )
            def ask(case: Any) -> None:
                answer = case.call(headers={**HOST, **headers})
                case.validate_response(answer, checks=CHECKS)
                answered[case.operation.label] = answered.get(case.operation.label, 0) + 1

            with contextlib.suppress(Unsatisfiable):
                # Where nothing can be told, nothing can be told wrongly.
                ask()
    return answered


@pytest.mark.parametrize("name", VIEWERS)
def test_the_interface_is_as_it_is_described(name: str, tmp_path: Path) -> None:
    with viewer(name, tmp_path) as (app, headers):
        answered = ask_everything(app, headers, 2, VIEWERS.index(name))
    assert len(answered) > 50
    assert "POST /api/uploads" in answered


def test_what_all_operations_share_is_told_once() -> None:
    schema = {"$ref": "#/components/schemas/Thing"}
    description = {
        "paths": {
            "/things.csv": {"get": {"responses": {"200": {"content": {"application/json": {}}}, "422": {}}}},
            "/things.{form}": {
                "get": {
                    "parameters": [{"name": "form", "schema": {"enum": ["json", "svg"]}}],
                    "responses": {"200": {"content": {"application/json": {}}}},
                }
            },
            "/things.json": {
                "get": {
                    "responses": {
                        "200": {"content": {"application/json": {"schema": schema}}},
                        "400": {"content": {"application/json": {"schema": schema}}},
                    }
                }
            },
            "/explorer.json": {"get": {"responses": {}}},
        },
        "components": {"schemas": {"HTTPValidationError": {}, "Thing": {}}},
    }
    found = completed(description)
    answers = {path: methods["get"]["responses"] for path, methods in found["paths"].items()}
    assert list(answers["/things.csv"]["200"]["content"]) == ["text/csv"]
    assert list(answers["/things.{form}"]["200"]["content"]) == ["application/json", "image/svg+xml"]
    assert answers["/things.json"]["200"]["content"]["application/json"]["schema"] == schema
    refused = {"$ref": "#/components/schemas/Refused"}
    assert answers["/things.json"]["4XX"]["content"] == {"application/json": {"schema": {"anyOf": [refused, schema]}}}
    assert list(answers["/things.csv"]["4XX"]["content"]) == ["application/json", "text/html"]
    assert all("422" not in each and "400" not in each for each in answers.values())
    assert sorted(found["components"]["schemas"]) == ["Refused", "Thing"]
    named = [each["name"] for each in found["paths"]["/explorer.json"]["get"]["parameters"]]
    assert {"filter", "round", "columns", "page"} <= set(named)


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("name", [*VIEWERS, "admin"])
def test_the_interface_is_as_it_is_described_for_long(name: str, tmp_path: Path) -> None:
    with viewer(name, tmp_path) as (app, headers):
        ask_everything(app, headers, 300)
