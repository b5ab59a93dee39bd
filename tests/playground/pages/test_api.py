"""The page about the interface says what the description of the interface says."""

from __future__ import annotations

from starlette.testclient import TestClient

from ..conftest import HTML


def test_every_operation_is_on_the_page(client: TestClient) -> None:
    page, twin = client.get("/api", headers=HTML).text, client.get("/api.json").json()
    paths = client.get("/openapi.json").json()["paths"]
    told = {each["path"] for tag in twin["tags"] for each in tag["operations"]}
    assert told == set(paths)
    for path in paths:
        assert f"<code>{path}</code>" in page


def test_parameters_answers_and_examples_are_told(client: TestClient) -> None:
    operations = {each["path"]: each for tag in client.get("/api.json").json()["tags"] for each in tag["operations"]}
    search = operations["/search.json"]
    assert [each["name"] for each in search["parameters"]] == ["q"]
    assert "200" in search["parameters"][0]["description"]
    results = next(each for each in search["answer"] if each["name"] == "results")
    assert results["kind"] == "list of object"
    assert "uid" in [each["name"] for each in results["inside"]]
    assert search["curl"] == "curl -G 'http://localhost/search.json' --data-urlencode 'q=h100'"


def test_tokens_and_files_are_explained(client: TestClient) -> None:
    page = client.get("/api", headers=HTML).text
    for word in ("Authorization: Bearer", "<code>read</code>", "<code>push</code>", ".csv", ".parquet", "Retry-After"):
        assert word in page
