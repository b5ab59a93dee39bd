"""The explorer over the published rounds: the answers are those of the query language, whatever way they are asked for."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from urllib.parse import quote

import duckdb
import pytest
from starlette.testclient import TestClient
from tests.playground.conftest import HTML

EDGE = "round=v3.0&benchmark=resnet&category=edge&division=closed&scenario=Offline&y=samples_per_joule&mark=bar&best=1"


def test_a_newcomers_question_is_answered(client: TestClient) -> None:
    """Which edge device had the best samples per joule on ResNet50 in v3.0?"""
    page = client.get(f"/explorer.json?{EDGE}").json()
    first = dict(zip([column["name"] for column in page["columns"]], page["rows"][0]["values"], strict=True))
    assert (first["organisation"], first["system"]) == ("Qualcomm", "gloria_highend-qaic-v1.8.3.7-aic100")
    assert first["samples_per_joule"] == pytest.approx(315.5, abs=0.1)
    text = client.get(f"/explorer?{EDGE}", headers=HTML).text
    assert text.index("gloria_highend-qaic-v1.8.3.7-aic100") < text.index("heimdall-qaic-v1.8.3.7-aic100")
    chart = client.get(f"/explorer/chart.json?{EDGE}").json()
    assert chart["points"]["label"][0] == "Cloud AI 100 DM.2 · Qualcomm · gloria_highend-qaic-v1.8.3.7-aic100"


def test_measured_and_taken_results_unless_more_is_asked_for(client: TestClient) -> None:
    usual = client.get("/explorer.json").json()
    more = client.get("/explorer.json?include=inferred&include=refused").json()
    assert usual["total"] < more["total"] == 16_596
    assert {row["method"] for row in usual["rows"]} == {"measured"}
    inferred = client.get("/explorer?include=inferred&filter=method%20==%20%22inferred%22", headers=HTML).text
    assert '<span class="badge note" title="Computed from another scenario&#39;s run">inferred</span>' in inferred


def test_counts_of_facets_are_the_totals_of_their_views(client: TestClient) -> None:
    page = client.get("/explorer.json?round=v3.0&category=edge").json()
    facets = {facet["name"]: facet["values"] for facet in page["facets"]}
    assert sum(value["count"] for value in facets["scenario"]) == page["total"]
    for name in ("scenario", "organisation", "accelerator", "round"):
        value = facets[name][-1]
        narrower = client.get(value["address"].replace("/explorer", "/explorer.json")).json()
        assert narrower["total"] == (value["count"] if name != "round" else value["count"] + page["total"])


def test_an_expression_that_means_nothing_is_told_in_its_place(client: TestClient) -> None:
    answer = client.get("/explorer?filter=wats%20%3C%20100&round=v3.0", headers=HTML)
    assert answer.status_code == 400
    assert "<mark>wats</mark>" in answer.text
    assert 'aria-describedby="problem-filter"' in answer.text
    assert 'value="wats &lt; 100"' in answer.text, "what was written stays to be mended"
    twin = client.get("/explorer.json?filter=watts%20%3C%20100%20s&y=bad(")
    assert twin.status_code == 400
    problems = {each["parameter"]: each for each in twin.json()["problems"]}
    assert problems["filter"]["position"] == 6
    assert set(problems) == {"filter", "y"}
    assert client.get("/explorer/chart.json?filter=wats").status_code == 400
    assert client.get("/explorer.csv?sort=nothing").status_code == 400


@pytest.mark.parametrize("parameter", ["x", "y", "color", "size", "facet", "columns", "sort", "metric"])
def test_every_expression_of_a_view_is_looked_at(client: TestClient, parameter: str) -> None:
    value = "own=nothing + 1" if parameter == "metric" else "nothing + 1"
    answer = client.get(f"/explorer.json?{parameter}={quote(value)}")
    assert answer.status_code == 400
    assert [each["parameter"] for each in answer.json()["problems"]] == [parameter]


def test_own_metrics_are_columns_axes_and_orders(client: TestClient) -> None:
    own = quote("per_watt=samples_per_second / watts")
    address = f"metric={own}&y=per_watt&columns=uid,per_watt,watts&sort=-per_watt&round=v3.0&filter=watts%20%3E%200"
    page = client.get(f"/explorer.json?{address}").json()
    assert page["columns"][1] == {
        "name": "per_watt",
        "kind": "number",
        "unit": "samples/J",
        "sort": "per_watt",
        "sorted": "down",
    }
    figures = [row["values"][1] for row in page["rows"]]
    assert figures == sorted(figures, reverse=True)


def test_pages_of_the_table_hold_every_result_once(client: TestClient) -> None:
    seen: list[str] = []
    for number in range(1, 5):
        page = client.get(
            f"/explorer.json?organisation=NVIDIA&round=v3.0&benchmark=bert-99&per=25&page={number}"
        ).json()
        seen += [row["uid"] for row in page["rows"]] if page["page"] == number else []
    assert len(seen) == len(set(seen)) == page["total"]
    assert client.get("/explorer.json?page=9999").json()["page"] < 9999


def test_every_form_of_a_table_holds_the_same(client: TestClient, tmp_path: Path) -> None:
    query = "round=v3.0&benchmark=rnnt&columns=uid,organisation,value"
    table = list(csv.DictReader(io.StringIO(client.get(f"/explorer.csv?{query}").text)))
    lines = [json.loads(line) for line in client.get(f"/explorer.ndjson?{query}").text.splitlines()]
    answer = client.get(f"/explorer.parquet?{query}")
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    path = __import__("tempfile").NamedTemporaryFile(suffix=".parquet")
    with path:
        path.write(answer.content)
        path.flush()
        rows = duckdb.connect().execute("SELECT uid, organisation, value FROM read_parquet(?)", [path.name]).fetchall()
    total = client.get(f"/explorer.json?{query}").json()["total"]
    assert len(table) == len(lines) == len(rows) == total
    assert [row["uid"] for row in table] == [line["uid"] for line in lines] == [row[0] for row in rows]


@pytest.mark.parametrize(("form", "begins"), [("svg", b"<svg"), ("png", b"\x89PNG")])
def test_a_view_is_a_picture_without_a_browser(client: TestClient, form: str, begins: bytes) -> None:
    answer = client.get(f"/explorer.{form}?{EDGE}")
    assert answer.status_code == 200
    assert answer.content.startswith(begins)
    assert f"/explorer.{form}?" in client.get(f"/explorer?{EDGE}", headers=HTML).text


def test_what_could_be_written_next(client: TestClient) -> None:
    found = client.get("/explorer/complete.json", params={"text": "samples_per_j", "at": 13}).json()
    assert found[0]["text"] == "samples_per_joule"
    own = client.get("/explorer/complete.json", params={"text": "per_wa", "metric": "per_watt=watts"}).json()
    assert own[0]["text"] == "per_watt"
    assert client.get("/explorer/complete.json", params={"text": "x" * 5000}).status_code == 422


def test_nothing_found_says_where_more_is(client: TestClient) -> None:
    page = client.get(
        "/explorer?round=v3.0&filter=method%20==%20%22measured%22%20and%20watts%20%3E%201e9%20W", headers=HTML
    )
    assert page.status_code == 200
    assert "Nothing fits." in page.text
    wider = client.get("/explorer.json?round=v3.0&benchmark=resnet&organisation=NoSuch").json()
    assert wider["total"] == 0


def test_the_plot_can_stand_in_another_page(client: TestClient) -> None:
    answer = client.get(f"/embed/explorer?{EDGE}", headers=HTML)
    assert "frame-ancestors *" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in client.get(f"/explorer?{EDGE}", headers=HTML).headers["content-security-policy"]


def test_the_same_on_the_command_line(client: TestClient) -> None:
    text = client.get("/explorer?round=v3.0&filter=organisation%20!=%20%27O%27", headers=HTML).text
    match = re.search(r'data-copy="(assay results query[^"]*)"', text)
    assert match
    assert "round == &#34;v3.0&#34;" in match[1]


@pytest.mark.parametrize(
    "strange", ["page=abc", "per=3", "include=all", "mark=pie", "best=2", "xlines=x", "round=" + "v" * 300]
)
def test_a_parameter_that_cannot_be_meant_is_an_error_page(client: TestClient, strange: str) -> None:
    for path in ("/explorer", "/explorer.json", "/explorer/chart.json", "/explorer.csv", "/embed/explorer"):
        answer = client.get(f"{path}?{strange}", headers=HTML if path in ("/explorer", "/embed/explorer") else {})
        assert answer.status_code in (400, 404), path
        assert "Traceback" not in answer.text


ATTACKS = [
    "__import__('os').system('id')",
    "1); DROP TABLE rows; --",
    "' OR 1=1 --",
    '" or true or "',
    "read_csv('/etc/passwd')",
    "<script>alert(1)</script>",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_that_is_written_is_run(client: TestClient, attack: str) -> None:
    before = client.get("/explorer.json").json()["total"]
    for parameter in ("filter", "x", "y", "color", "sort", "columns", "round", "organisation", "metric", "title"):
        value = f"own={attack}" if parameter == "metric" else attack
        answer = client.get(f"/explorer?{parameter}={quote(value)}", headers=HTML)
        assert answer.status_code in (200, 400), parameter
        assert "<script>alert" not in answer.text
        assert "root:" not in answer.text
    assert client.get("/explorer.json").json()["total"] == before
