from __future__ import annotations

import csv
import io
from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient
from tests.playground.conftest import HTML, local_app
from tests.results.rows import make_row, put

from assay.base.settings import Settings


def test_every_benchmark_of_every_round_is_listed(client: TestClient) -> None:
    lines = {each["name"]: each for each in client.get("/benchmarks.json").json()["benchmarks"]}
    assert {"resnet", "ssd-small", "dlrm-99", "gptj-99", "llama2-70b-99"} <= set(lines)
    assert lines["resnet"]["rounds"] == ["v2.0", "v2.1", "v3.0", "v3.1", "v4.0"]
    assert lines["gptj-99"]["results"] == 0
    assert lines["bert-99"]["target"] == "F1 89.96526 %"
    assert client.get("/benchmarks", headers=HTML).text.count("/benchmarks/bert-99.9") == 1
    rows = list(csv.DictReader(io.StringIO(client.get("/benchmarks.csv").text)))
    assert [row["name"] for row in rows] == list(lines)


def test_a_benchmark_says_what_it_asks_and_who_leads(client: TestClient) -> None:
    text = client.get("/benchmarks/resnet", headers=HTML).text
    for word in ("ImageNet 2012", "75.6954", "99% of the queries within 15.0 ms", "24,576 samples", "Leaders of v3.0"):
        assert word in text, word
    page = client.get("/benchmarks/resnet.json").json()
    edge = next(
        each
        for each in page["leaders"]
        if (each["scenario"], each["category"], each["division"]) == ("Offline", "edge", "closed")
    )
    assert edge["frugal"]["system"] == "gloria_highend-qaic-v1.8.3.7-aic100"
    assert edge["frugal"]["samples_per_joule"] == pytest.approx(315.5, abs=0.1)
    assert client.get("/benchmarks/resnet.json?round=v2.0").json()["leaders_round"] == "v2.0"


def test_the_best_over_rounds_has_the_numbers_of_its_table(client: TestClient) -> None:
    asked = "metric=samples_per_joule&category=edge&division=closed"
    page = client.get(f"/benchmarks/resnet.json?{asked}").json()
    spec = client.get(f"/benchmarks/resnet/trend.json?{asked}").json()
    assert {(each["round"], each["series"], each["figure"]) for each in spec["data"]["values"]} == {
        (each["round"], each["scenario"], each["figure"]) for each in page["trend"]
    }
    assert client.get(f"/benchmarks/resnet/trend.svg?{asked}").headers["content-type"] == "image/svg+xml"
    assert client.get("/benchmarks/resnet?metric=watts").status_code == 422


def test_accuracies_stand_beside_their_targets(client: TestClient) -> None:
    spec = client.get("/benchmarks/bert-99/accuracy.json").json()
    bars, rules = spec["layer"]
    page = client.get("/benchmarks/bert-99.json").json()
    assert sum(each["count"] for each in bars["data"]["values"]) == sum(each["results"] for each in page["accuracies"])
    assert [each["figure"] for each in rules["data"]["values"]] == [pytest.approx(89.96526)]
    assert client.get("/benchmarks/bert-99/accuracy.svg").status_code == 200


def test_a_benchmark_without_results_has_rules(client: TestClient) -> None:
    text = client.get("/benchmarks/llama2-70b-99", headers=HTML).text
    assert "No result of this benchmark is here" in text
    assert "ROUGE1" in text


def test_an_unknown_one_gives_the_closest(client: TestClient) -> None:
    answer = client.get("/benchmarks/resnet51", headers=HTML)
    assert answer.status_code == 404
    assert "resnet" in answer.text


def test_a_strangers_benchmark_has_a_page(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    name = "<b>own/net?</b>"
    put(settings, [make_row(0, benchmark=name, round="v9.9", origin="local")])
    with local_app(settings) as client:
        path = f"/benchmarks/{quote(name, safe='')}"
        answer = client.get(path, headers=HTML)
        assert answer.status_code == 200
        assert name not in answer.text
        assert "submitter&#39;s own name" in answer.text or "submitter's own name" in answer.text
        assert f'href="{path}"' in client.get("/benchmarks", headers=HTML).text
        rounds = client.get("/rounds.json").json()["rounds"]
        assert ("v9.9", False, 1) in {(each["name"], each["rules"], each["local"]) for each in rounds}
        assert "not known here" in client.get("/rounds/v9.9", headers=HTML).text
