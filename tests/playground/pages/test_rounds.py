from __future__ import annotations

import csv
import io

import pytest
from starlette.testclient import TestClient
from tests.playground.conftest import HTML


def test_rounds_with_results_and_with_rules_alone(client: TestClient) -> None:
    lines = {each["name"]: each for each in client.get("/rounds.json").json()["rounds"]}
    assert list(lines) == ["v4.0", "v3.1", "v3.0", "v2.1", "v2.0"]
    assert (lines["v3.0"]["results"], lines["v3.1"]["results"]) == (7283, 0)
    assert "rules only" in client.get("/rounds", headers=HTML).text
    rows = list(csv.DictReader(io.StringIO(client.get("/rounds.csv").text)))
    assert [row["name"] for row in rows] == list(lines)
    spec = client.get("/rounds/trend.json").json()
    assert {each["round"] for each in spec["data"]["values"]} == {"v2.0", "v2.1", "v3.0"}
    assert client.get("/rounds/trend.svg").status_code == 200


def test_what_is_in_a_round_and_who_leads(client: TestClient) -> None:
    page = client.get("/rounds/v3.0.json").json()
    counts = {(each["benchmark"], each["category"], each["division"]): each["results"] for each in page["contents"]}
    assert counts["resnet", "edge", "closed"] == 159
    assert page["counts"]["organisations"] == 24
    assert all(each["division"] != "open" and each["round"] == "v3.0" for each in page["leaders"])
    assert client.get("/rounds/v3.0", headers=HTML).text.count("315.5 samples/J") == 1


def test_what_changed_since_the_round_before(client: TestClient) -> None:
    against = client.get("/rounds/v3.0.json").json()["against"]
    assert against["round"] == "v2.1"
    assert "Neuchips" in against["new_organisations"] or against["new_organisations"]
    assert [each["ratio"] for each in against["steps"]] == sorted(
        (each["ratio"] for each in against["steps"]), reverse=True
    )
    step = against["steps"][0]
    assert step["ratio"] == pytest.approx(step["after"] / step["before"])
    assert client.get("/rounds/v2.0.json").json()["against"] is None
    rules = {each["fact"]: each for each in client.get("/rounds/v3.1.json").json()["against"]["rules"]}
    assert rules["Server, min query count"]["new"] == "100"


@pytest.mark.parametrize("name", ["v2.0", "v2.1", "v3.0", "v3.1", "v4.0"])
def test_the_rules_in_words(client: TestClient, name: str) -> None:
    text = client.get(f"/rounds/{name}", headers=HTML).text
    for word in (
        "The rules in words",
        "Seeds" if "Seeds" in text else "seeds",
        "10m 00s",
        "TEST01",
        "higher is better",
    ):
        assert word in text, word
    if name in ("v3.1", "v4.0"):
        assert f"assay results import inference_results_{name}" in text


def test_an_unknown_round_gives_the_closest(client: TestClient) -> None:
    answer = client.get("/rounds/v3.2", headers=HTML)
    assert answer.status_code == 404
    assert "v3.1" in answer.text
