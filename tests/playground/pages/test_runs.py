"""Runs in the browser: for who looks after the server alone, live, finished, and whatever lies in their folders."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from starlette.testclient import TestClient

from assay.base.settings import Settings
from assay.loadgen.record import RunStatus
from assay.results import store as store_module
from assay.results.record import record_run

from ...results.conftest import MakeRun, make_record, make_run, settings  # noqa: F401
from ..conftest import HTML, local_app, newcomer, server_app, signed_in, token_of


@pytest.fixture
def site(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:  # noqa: F811
    monkeypatch.setattr(store_module, "PUBLISHED", Path("no such table"))
    with local_app(settings) as client:
        yield client


def test_without_runs_it_says_how_to_begin(site: TestClient) -> None:
    page = site.get("/runs", headers=HTML)
    assert page.status_code == 200
    assert "assay demo" in page.text


def test_runs_are_listed_found_and_paged(site: TestClient, make_run: MakeRun) -> None:  # noqa: F811
    for number in range(53):
        make_run("SingleStream" if number % 2 else "Offline", tail=f"{number:04}")
    first = site.get("/runs.json").json()
    assert (first["total"], first["found"], first["pages"], len(first["runs"])) == (53, 53, 2, 50)
    assert first["runs"][0]["id"].endswith("0052")
    assert len(site.get("/runs.json?page=2").json()["runs"]) == 3
    assert site.get("/runs.json?page=99").json()["page"] == 2
    assert site.get("/runs.json?q=singlestream mobilenet").json()["found"] == 26
    assert site.get("/runs.json?q=stand-in-model&state=valid").json()["found"] == 53
    assert site.get("/runs.json?state=failed").json()["found"] == 0
    assert 'rel="next" href="/runs?page=2"' in site.get("/runs", headers=HTML).text


def test_a_run_in_full(site: TestClient, settings: Settings, make_run: MakeRun) -> None:  # noqa: F811
    folder = make_run("SingleStream")
    recorded = record_run(folder.path, settings)
    site.app.state.playground.index.refresh()  # type: ignore[attr-defined]
    page = site.get(f"/runs/{folder.id}", headers=HTML)
    assert page.status_code == 200
    for word in ("VALID", "minimum duration", "10m 00s", "not comparable", "onnxruntime 1.22.0", "Do it again"):
        assert word in page.text, word
    assert f'href="/results/{recorded.result.uid}"' in page.text
    for address in re.findall(r'data-spec="([^"]+)"', page.text):
        spec = site.get(address)
        assert spec.status_code == 200
        assert spec.json()["width"] == "container"
        assert "config" not in spec.json()
    svg = site.get(f"/runs/{folder.id}/charts/percentiles.svg")
    assert svg.headers["content-type"] == "image/svg+xml"
    assert site.get(f"/runs/{folder.id}/charts/nothing.svg").status_code == 404
    assert site.get(f"/runs/{folder.id}/charts/percentiles.exe").status_code in (404, 422)


def test_files_are_downloads_of_text(site: TestClient, make_run: MakeRun) -> None:  # noqa: F811
    folder = make_run()
    (folder.path / "mlperf_log_summary.txt").write_text("<script>alert(1)</script>")
    answer = site.get(f"/runs/{folder.id}/files/mlperf_log_summary.txt")
    assert answer.text == "<script>alert(1)</script>"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="{folder.id}-mlperf_log_summary.txt"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    for name in ("owner.json", "..%2frun.json", "%2e%2e/run.json", "nothing.txt", "run.json%00"):
        assert site.get(f"/runs/{folder.id}/files/{name}").status_code == 404, name


def test_a_run_that_goes_on(site: TestClient, settings: Settings, make_run: MakeRun) -> None:  # noqa: F811
    folder = make_run(status=RunStatus.RUNNING)
    (folder.path / "mlperf_log_detail.txt").write_text(":::MLLOG one\n:::MLLOG <b>two</b>\n")
    page = site.get(f"/runs/{folder.id}", headers=HTML).text
    assert 'http-equiv="refresh"' in page
    assert "&lt;b&gt;two" in page
    assert '<progress class="run-share"' in site.get("/runs", headers=HTML).text
    first = site.get(f"/runs/{folder.id}/progress.json").json()
    assert (first["running"], len(first["looks"]), first["tail"][-1]) == (True, 6, ":::MLLOG <b>two</b>")
    then = site.get(f"/runs/{folder.id}/progress.json?from={first['offset']}").json()
    assert (then["looks"], then["latest"], then["offset"]) == ([], None, first["offset"])
    assert site.get(f"/runs/{folder.id}/progress.json?from=-1").status_code == 422
    # Its process dies: nobody has to be told twice.
    owner = {"pid": 2**22 - 1, "started": psutil.boot_time()}
    (folder.path / "owner.json").write_text(json.dumps(owner))
    assert site.get(f"/runs/{folder.id}/progress.json").json()["state"] == "interrupted"
    assert 'http-equiv="refresh"' not in site.get(f"/runs/{folder.id}", headers=HTML).text


@pytest.mark.parametrize("name", ["..", "%2e%2e", "..%2f..", "nothing", "a%00b", "%2fetc"])
def test_no_other_folder_is_a_run(site: TestClient, make_run: MakeRun, name: str) -> None:  # noqa: F811
    make_run()
    assert site.get(f"/runs/{name}.json").status_code == 404


def test_hostile_folders_break_nothing(site: TestClient, settings: Settings, make_run: MakeRun) -> None:  # noqa: F811
    make_run(tail="0001", command="<script>alert(1)</script>", benchmark="<img src=x>", failure="\"'><b>")
    for number, content in enumerate(["{", "[" * 99_999, '{"format": 1}', ""]):
        path = settings.runs_dir / f"20270101-{number}-<script>"
        path.mkdir()
        (path / "run.json").write_text(content)
    (settings.runs_dir / "20270102-link").symlink_to("/etc")
    page = site.get("/runs", headers=HTML)
    assert page.status_code == 200
    assert page.text.count("unreadable</span>") == 4
    assert "<script>" not in page.text
    assert str(settings.home) not in page.text
    bad = site.get("/runs/20270101-0-%3Cscript%3E", headers=HTML)
    assert bad.status_code == 400
    assert str(settings.home) not in bad.text
    good = site.get(f"/runs/{site.get('/runs.json').json()['runs'][-1]['id']}", headers=HTML).text
    assert "<script>alert" not in good
    assert "<img src=x>" not in good


def test_only_who_looks_after_the_server_sees_them(settings: Settings, make_run: MakeRun) -> None:  # noqa: F811
    folder = make_run("SingleStream")
    addresses = [
        "/runs", "/runs.json", f"/runs/{folder.id}", f"/runs/{folder.id}.json", f"/runs/{folder.id}/progress.json",
        f"/runs/{folder.id}/charts/histogram.json", f"/runs/{folder.id}/files/run.json",
    ]  # fmt: skip
    with server_app(settings) as client:
        keeper = signed_in(client, "keeper", "maintainer")
        others = (newcomer(client), signed_in(client, "ada"), signed_in(client, "rea", "reader"))
        token = token_of(client, "keeper", "read")
        for address in addresses:
            assert keeper.get(address, headers=HTML).status_code == 200, address
            for browser in others:
                refused = browser.get(address, headers=HTML)
                unknown = browser.get("/no-such-page", headers=HTML)
                assert refused.status_code == unknown.status_code == 404
                assert "There is no such page" in refused.text or "there is no such page" in refused.text
                assert folder.id not in refused.text.replace(address, "")
            assert newcomer(client).get(address, headers=token).status_code == 404
