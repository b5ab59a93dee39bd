from __future__ import annotations

import csv
import io
from pathlib import Path

from starlette.testclient import TestClient
from tests.playground.conftest import HTML, local_app
from tests.results.rows import make_row, put

from assay.base.settings import Settings

A, B, C = "2ca2323d9e490ccf", "1361a70584005a31", "64be7b250907c91e"
EVIL = "<img src=x onerror=alert(1)>"


def address(*uids: str) -> str:
    return "/compare?" + "&".join(f"result={uid}" for uid in uids)


def test_results_beside_each_other(client: TestClient) -> None:
    text = client.get(address(A, B, C), headers=HTML).text
    assert '1.051× <span aria-hidden="true">▲</span> better' in text
    assert '<span aria-hidden="true">▼</span> worse' in text
    assert "differs" in text
    assert "/compare/ratios.json?result=" in text
    page = client.get(address(A, B).replace("?", ".json?")).json()
    lines = {line["name"]: line for group in page["groups"] for line in group["lines"]}
    assert lines["samples_per_second"]["changes"] == [None, "better"]
    assert lines["samples_per_second"]["unit"] == "samples/s"
    assert lines["round"]["differs"]


def test_the_first_is_what_others_are_held_against(client: TestClient) -> None:
    page = client.get(address(B, A).replace("?", ".json?")).json()
    lines = {line["name"]: line for group in page["groups"] for line in group["lines"]}
    assert lines["samples_per_second"]["changes"] == [None, "worse"]


def test_only_what_differs(client: TestClient) -> None:
    page = client.get(address(A, B).replace("?", ".json?") + "&only=differences").json()
    assert all(line["differs"] for group in page["groups"] for line in group["lines"])


def test_one_is_added_to_and_taken_away(client: TestClient) -> None:
    text = client.get(address(A), headers=HTML).text
    assert "Add a second result" in text
    assert f"/compare?result={A}&amp;result=" in text
    more = client.get(address(A, A[:8], B), headers=HTML).text
    assert f'href="/compare?result={B}"' in more
    assert client.get("/compare", headers=HTML).status_code == 200


def test_systems_stand_for_a_result_of_the_same_kind(client: TestClient) -> None:
    systems = "&".join(f"system={name}" for name in ("Dell/XE2420_A30x1_TRT_MaxQ", "H3C/R5350G6_A30x1_TRT"))
    page = client.get(f"/compare.json?{systems}&benchmark=bert-99&scenario=SingleStream").json()
    assert [(each["benchmark"], each["scenario"]) for each in page["results"]] == [("bert-99", "SingleStream")] * 2
    assert client.get(f"/compare?{systems}", headers=HTML).status_code == 200


def test_what_is_wrong_is_told_in_its_place(client: TestClient) -> None:
    answer = client.get(address(A, "0000000000000000"), headers=HTML)
    assert answer.status_code == 404
    assert "XE2420" in answer.text
    assert client.get(address(A) + "&system=Nobody/nothing", headers=HTML).status_code == 404
    assert client.get(address(A) + "&system=NVIDIA", headers=HTML).status_code == 404
    assert client.get(address("x"), headers=HTML).status_code == 400
    rows = client.get("/systems/Krai/rpi4-tflite-v2.7.1-ruy.json").json()["results"]
    many = client.get(address(*(row["uid"] for row in rows[:8])), headers=HTML)
    assert many.status_code == 400
    assert "too many" in many.text
    assert client.get(address(*["x"] * 50), headers=HTML).status_code == 422


def test_cautions_and_pictures(client: TestClient) -> None:
    text = client.get(address(A, "a4dec424dc0b5a1a"), headers=HTML).text
    assert "benchmarks differ" in text
    spec = client.get(address(A, B).replace("?", "/ratios.json?")).json()
    assert {each["series"][0] for each in spec["data"]["values"]} == {"A", "B"}
    picture = client.get(address(A, B).replace("?", "/ratios.svg?"))
    assert picture.headers["content-type"] == "image/svg+xml"


def test_the_table_as_a_file(client: TestClient) -> None:
    rows = list(csv.reader(io.StringIO(client.get(address(A, B).replace("?", ".csv?")).text)))
    assert rows[0] == ["field", "unit", A, B]
    assert ["benchmark", "", "bert-99", "bert-99"] in rows
    assert client.get("/compare.csv").text.strip() == "field,unit"


def test_strangers_words_stay_words(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    rows = [make_row(number, system=f"{EVIL}{number}", notes=EVIL, model=EVIL) for number in range(2)]
    put(settings, rows)
    with local_app(settings) as client:
        text = client.get(address(*(row.uid for row in rows)), headers=HTML).text
        assert EVIL not in text
        assert "&lt;img src=x" in text
