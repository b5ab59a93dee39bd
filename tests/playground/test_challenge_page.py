from __future__ import annotations

from pathlib import Path

from tests.playground.conftest import HTML, local_app

from assay.base.settings import Settings


def test_the_challenges_that_come_with_assay_are_pages_without_dead_ends(tmp_path: Path) -> None:
    with local_app(Settings(tmp_path)) as client:
        said = client.get("/challenges/optimize-mlperf-inference-v3.1.json").json()
        assert (said["line"]["state"]["status"], said["line"]["state"]["day"]) == ("closed", "2023-08-17")
        assert len(said["documents"]) == 7
        assert 'href="/challenges/reproduce-and-improve-mlperf-inference"' in said["html"]
        for each in said["documents"]:
            assert client.get(each["address"], headers=HTML).status_code == 200
        assert not any("playground.example" in each["command"] for each in said["how_to"])
        for each in said["experiments"]:
            assert each["address"].startswith("/explorer?round=v")
