from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.playground.conftest import HTML, local_app, server_app
from tests.results.rows import make_row, put

from assay.base.settings import Settings

UID = "2ca2323d9e490ccf"
EVIL = "<script>alert(1)</script>\"'"
HIDDEN = make_row(7, access="challenge:0123456789abcdef", system="hidden-box", origin="local", location="hidden/place")
STRANGE = make_row(
    8, system=EVIL, organisation=EVIL, url="javascript:alert(1)", notes=EVIL, findings=(EVIL, "seed-wrong"),
    model=EVIL, labels=("stand-in-model",), origin="local", location="../../" + EVIL, source_kind="cm", strict=False,
    watts=float("inf"),
)  # fmt: skip
OWN = make_row(
    9, system=None, organisation=None, origin="local", source_kind="run", backend="openvino", model="mobilenet-v2",
    location="runs/20261123-201301-mobilenet-v2-offline-performance-0001", official=False,
)  # fmt: skip


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A playground with results of its own beside the published ones."""
    settings = Settings(Path(tmp_path_factory.mktemp("own")))
    put(settings, [HIDDEN, STRANGE, OWN])
    with local_app(settings) as client:
        yield client


def test_a_result_with_everything_that_belongs_to_it(client: TestClient) -> None:
    page = client.get(f"/results/{UID}", headers=HTML)
    assert page.status_code == 200
    text = page.text
    for word in (
        "bert-99 Offline: 1,670 samples/s", "XE2420_A30x1_TRT_MaxQ", "27th of 49", "9th of 10", "system-field-empty",
        "samples_per_joule", "5.563", "300.3 W", "result_samples_per_second", "6655344265603136530",
        "a30e0c741584801dcfa295356c34f1d864e94b737c7538bb93da8c189ee7811a", "assay check inference_results_v2.0",
        "assay run bert --scenario Offline --round v2.0", 'rel="noopener noreferrer"', "/docs/reference/findings#system-field-empty",
    ):  # fmt: skip
        assert word in text, word


def test_its_twin_has_every_field_and_both_verdicts(client: TestClient) -> None:
    page = client.get(f"/results/{UID}.json").json()
    assert page["values"]["samples_per_second"] == 1670.45
    assert page["values"]["qsl_seed"] == "6655344265603136530"
    assert [(each["rules"], each["taken"]) for each in page["verdicts"]] == [("official", True), ("strict", False)]
    named = {name for group in page["groups"] for name in group["unknown"]}
    named |= {line["name"] for group in page["groups"] for line in group["known"]}
    assert named == set(page["values"])
    assert all(line["meaning"] for group in page["groups"] for line in group["known"])
    assert [(each["ordinal"], each["of"]) for each in page["ranks"]] == [("27th", 49), ("9th", 10)]
    assert {each["scenario"] for each in page["siblings"]} == {"SingleStream"}
    assert all(each["accelerator"] == "A30" for each in page["same_accelerator"])


def test_the_rank_is_that_of_the_explorer_it_links_to(client: TestClient) -> None:
    text = client.get(f"/results/{UID}", headers=HTML).text
    address = re.search(r'href="(/explorer\?[^"]*samples_per_joule[^"]*)"', text)
    assert address is not None
    found = client.get(address[1].replace("&amp;", "&").replace("/explorer?", "/explorer.json?")).json()
    assert len(found["rows"]) == 10


def test_latencies_stand_beside_their_bound(client: TestClient) -> None:
    rows = client.get("/search.json", params={"q": "Server bert-99"})
    assert rows.status_code == 200
    found = client.get("/benchmarks/bert-99.json").json()
    uid = next(each["fastest"]["uid"] for each in found["leaders"] if each["scenario"] == "Server")
    text = client.get(f"/results/{uid}", headers=HTML).text
    assert "Of the bound" in text
    assert "within" in text


def test_short_names_lead_to_the_whole_one(client: TestClient) -> None:
    for name in (UID[:8], UID.upper()):
        answer = client.get(f"/results/{name}", headers=HTML, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (307, f"/results/{UID}")
    answer = client.get(f"/results/{UID[:8]}.json", follow_redirects=False)
    assert answer.headers["location"] == f"/results/{UID}.json"


def test_what_is_not_there_is_told(client: TestClient) -> None:
    assert client.get("/results/0000000000000000", headers=HTML).status_code == 404
    assert client.get("/results/2ca", headers=HTML).status_code == 400
    assert client.get("/results/" + "x" * 600, headers=HTML).status_code == 422


def test_a_strangers_words_stay_words(own: TestClient) -> None:
    text = own.get(f"/results/{STRANGE.uid}", headers=HTML).text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text
    assert 'href="javascript' not in text
    assert "stand in model" in text
    assert "not in the catalogue" in text
    assert own.get(f"/results/{STRANGE.uid}.json").status_code == 200


def test_an_own_run_leads_to_its_logs(own: TestClient) -> None:
    text = own.get(f"/results/{OWN.uid}", headers=HTML).text
    assert "/runs/20261123-201301-mobilenet-v2-offline-performance-0001" in text
    assert "assay run mobilenet-v2 --scenario Offline" in text
    assert "unofficial" in text
    assert "would be" in text


def test_a_hidden_result_is_seen_by_who_may(own: TestClient, tmp_path: Path) -> None:
    assert "limited" in own.get(f"/results/{HIDDEN.uid}", headers=HTML).text
    settings = Settings(tmp_path)
    put(settings, [HIDDEN])
    with server_app(settings) as visitor:
        assert visitor.get(f"/results/{UID}", headers=HTML).status_code == 200
        for name in (HIDDEN.uid, HIDDEN.uid[:6], "hidden/place", "hidden/plac"):
            answer = visitor.get(f"/results/{name}", headers=HTML)
            assert answer.status_code == 404
            assert "hidden-box" not in answer.text
            assert "hidden/place" not in answer.text.replace(f"/results/{name}", "").replace(f"&#39;{name}&#39;", "")
        for path in ("/systems?q=hidden", "/systems.csv?q=hidden", f"/compare?result={HIDDEN.uid}&result={UID}"):
            assert "hidden-box" not in visitor.get(path, headers=HTML).text
        assert visitor.get("/systems/Acme/hidden-box", headers=HTML).status_code == 404
        assert visitor.get("/organisations/Acme", headers=HTML).status_code == 404
