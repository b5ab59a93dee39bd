from __future__ import annotations

import csv
import io

from starlette.testclient import TestClient
from tests.playground.conftest import HTML


def test_every_organisation_with_its_counts(client: TestClient) -> None:
    page = client.get("/organisations.json").json()
    counts = {each["name"]: each["submitted"]["results"] for each in page["organisations"]}
    assert len(counts) == 30
    assert counts["Krai"] == 10625
    text = client.get("/organisations", headers=HTML).text
    assert '<a href="/organisations/Neural%20Magic">' in text
    rows = list(csv.DictReader(io.StringIO(client.get("/organisations.csv").text)))
    assert {row["organisation"]: int(row["results"]) for row in rows} == counts


def test_an_organisation_round_by_round(client: TestClient) -> None:
    page = client.get("/organisations/Dell.json").json()
    assert [(each["round"], each["submitted"]["results"]) for each in page["rounds"]] == [
        ("v2.0", 139), ("v2.1", 79), ("v3.0", 211),
    ]  # fmt: skip
    assert page["systems_found"] == len(page["systems"]) == 41
    assert all(
        "Dell" in {(each[by] or {}).get("organisation") for by in ("fastest", "frugal")} for each in page["leads"]
    )
    text = client.get("/organisations/Dell", headers=HTML).text
    assert "Where it leads" in text
    spec = client.get("/organisations/Dell/trend.json").json()
    assert sum(each["figure"] for each in spec["data"]["values"]) == 139 + 79 + 211
    assert client.get("/organisations/Dell/trend.svg").status_code == 200


def test_an_unknown_one_gives_the_closest(client: TestClient) -> None:
    answer = client.get("/organisations/Delll", headers=HTML)
    assert answer.status_code == 404
    assert "Dell" in answer.text
