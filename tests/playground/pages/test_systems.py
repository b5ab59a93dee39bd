from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient
from tests.playground.conftest import HTML, local_app
from tests.results.rows import make_row, put

from assay.base.settings import Settings

# The test client takes an escape of a percent sign apart twice, so "50%2F" is tried with a real server elsewhere.
ODD = ["a/b", "100%", "what?x=1&y", "ünï cødé ☃", "#hash", "dots/../up", "semi;colon", "q\"uote'", "trend.jso"]
SLASHED = "Org/With Slash"


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A playground with systems of all sorts of names."""
    settings = Settings(Path(tmp_path_factory.mktemp("odd")))
    rows = [make_row(number, system=name) for number, name in enumerate(ODD)]
    rows += [make_row(50, system="plain", organisation=SLASHED), make_row(51, round="v2.1", system="100%")]
    put(settings, rows)
    with local_app(settings) as client:
        yield client


def test_the_list_is_searched_sorted_and_paged(client: TestClient) -> None:
    page = client.get("/systems.json").json()
    assert (page["found"], page["pages"], len(page["systems"])) == (463, 10, 50)
    last = client.get("/systems.json?page=10").json()
    assert len(last["systems"]) == 13
    assert client.get("/systems.json?page=99").json()["systems"] == []
    most = client.get("/systems.json?sort=-results").json()["systems"]
    assert [each["results"] for each in most] == sorted((each["results"] for each in most), reverse=True)
    orin = client.get("/systems.json?q=orin&organisation=NVIDIA&round=v3.0").json()
    assert orin["found"] > 0
    assert all("v3.0" in each["rounds"] and each["organisation"] == "NVIDIA" for each in orin["systems"])
    text = client.get("/systems?q=orin&page=1", headers=HTML).text
    assert 'value="orin"' in text
    assert "/systems.csv?q=orin" in text
    assert client.get("/systems?q=nothing-is-called-so", headers=HTML).text.count("No system fits") == 1
    assert client.get("/systems?sort=uid").status_code == 422


def test_the_list_as_a_file(client: TestClient) -> None:
    rows = list(csv.DictReader(io.StringIO(client.get("/systems.csv?organisation=Dell").text)))
    assert len(rows) == client.get("/systems.json?organisation=Dell").json()["found"]
    assert {row["organisation"] for row in rows} == {"Dell"}


def test_a_system_with_its_description_results_and_siblings(client: TestClient) -> None:
    page = client.get("/systems/Dell/XE2420_A30x1_TRT_MaxQ.json").json()
    described = {each["name"]: each for each in page["described"]}
    assert described["accelerator_given"]["values"] == ["NVIDIA A30"]
    assert described["memory_given"]["values"] == ["64 GB"]
    assert {each["system"] for each in page["results"]} == {"XE2420_A30x1_TRT_MaxQ"}
    assert page["siblings"]
    text = client.get("/systems/Dell/XE2420_A30x1_TRT_MaxQ", headers=HTML).text
    assert "Intel(R) Xeon(R) Silver 4216 CPU @ 2.10GHz" in text
    assert "/results/2ca2323d9e490ccf" in text


def test_a_leader_is_told(client: TestClient) -> None:
    page = client.get("/systems/Qualcomm/gloria_highend-qaic-v1.8.3.7-aic100.json").json()
    assert ("v3.0", "resnet", "Offline", "edge") in {
        (each["round"], each["benchmark"], each["scenario"], each["category"])
        for each in page["leads"]
        if each["frugal"]
    }


def test_long_lists_say_where_the_rest_is(client: TestClient) -> None:
    page = client.get("/systems/Krai/rpi4-tflite-v2.7.1-ruy.json").json()
    assert page["more"]
    assert "all in the explorer" in client.get("/systems/Krai/rpi4-tflite-v2.7.1-ruy", headers=HTML).text


def test_a_trend_of_several_rounds(client: TestClient) -> None:
    listed = client.get("/systems.json?sort=-round").json()["systems"]
    several = next(each for each in listed if len(each["rounds"]) > 1)
    path = f"/systems/{quote(several['organisation'], safe='')}/{quote(several['system'], safe='')}"
    page = client.get(f"{path}.json").json()
    assert page["trend"]
    spec = client.get(f"{path}/trend.json?scenario={page['trend_scenario']}").json()
    assert {each["figure"] for each in spec["data"]["values"]} == {each["figure"] for each in page["trend"]}
    assert client.get(f"{path}/trend.svg").headers["content-type"] == "image/svg+xml"
    assert "The same as a table" in client.get(path, headers=HTML).text


@pytest.mark.parametrize("name", ODD)
def test_any_name_has_a_page(odd: TestClient, name: str) -> None:
    path = f"/systems/Acme/{quote(name, safe='')}"
    answer = odd.get(path, headers=HTML)
    assert answer.status_code == 200
    assert odd.get(f"{path}.json").json()["system"] == name
    assert odd.get(f"{path}/trend.svg").status_code == 200
    twin = re.search(r'href="([^"]*)">This page as JSON', answer.text)
    assert twin is not None
    assert odd.get(html.unescape(twin[1])).json()["system"] == name
    # The addresses in lists lead there.
    assert f'href="{path}"' in odd.get("/systems?organisation=Acme", headers=HTML).text


def test_a_slash_may_be_in_an_organisation(odd: TestClient) -> None:
    path = f"/systems/{quote(SLASHED, safe='')}/plain"
    assert odd.get(f"{path}.json").json()["organisation"] == SLASHED
    assert odd.get(f"/organisations/{quote(SLASHED, safe='')}.json").json()["name"] == SLASHED


def test_nobodys_system_is_not_found(client: TestClient) -> None:
    answer = client.get("/systems/Dell/XE2420_A30x1_TRT_MaxP", headers=HTML)
    assert answer.status_code == 404
    assert "XE2420_A30x1_TRT_MaxQ" in answer.text
