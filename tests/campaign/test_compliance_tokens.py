"""TEST06 through our harness and the real LoadGen: honest engines pass, whoever tells other tokens than it gives fails."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.base.progress import SILENT
from assay.base.settings import Settings
from assay.campaign.compliance import JudgedTest, carry_out_compliance
from assay.campaign.compliance_plan import ComplianceRequest, plan_compliance
from assay.campaign.execute import carry_out
from assay.campaign.plan import make_plan
from assay.campaign.request import RunRequest
from assay.campaign.search_plan import plan_search
from assay.errors import RunFailedError, UsageError
from assay.loadgen.logs import read_detail
from assay.loadgen.names import ACCURACY, DETAIL
from assay.loadgen.walk import walk_tokens
from assay.rules.model import Scenario

from ..backends.openai_fixtures import llama_server
from ..tasks.language_model.conftest import write_cnn
from ..tasks.language_model.tiny_llama import tiny_llama
from .tested import failed

PLUGIN = Path(__file__).parent / "cheats"


class Talk:
    """Runs as Llama 2 in round v4.0."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(home=folder / "home", offline=True)
        self.model, self._data = tiny_llama(folder / "tiny.gguf"), write_cnn(folder / "cnn").parent

    def request(self, scenario: Scenario, cheat: str = "none", **more: Any) -> RunRequest:
        given: dict[str, Any] = {
            "name": "llama2-70b", "round": "v4.0", "scenarios": (scenario,), "model": self.model, "dataset": str(self._data),
            "backend": "talker", "backend_options": {"cheat": cheat}, "duration_ns": 10**6, "samples": 700, "target_qps": 2000.0,
        }  # fmt: skip
        return RunRequest(**{**given, **more})

    def tested(self, request: RunRequest) -> JudgedTest:
        plan = plan_compliance(ComplianceRequest(request), self.settings)
        (done,) = carry_out_compliance(plan, self.settings, SILENT)
        assert done.record.compliance == "TEST06"
        return done


@pytest.fixture
def talk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Talk:
    monkeypatch.syspath_prepend(str(PLUGIN))
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(PLUGIN), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    )
    return Talk(tmp_path)


@pytest.mark.parametrize(
    ("scenario", "cheat", "wrong"),
    [
        (Scenario.SERVER, "none", []),
        (Scenario.SERVER, "first", ["TEST06 first token"]),
        pytest.param(Scenario.OFFLINE, "none", [], marks=pytest.mark.slow),
        pytest.param(Scenario.SERVER, "ends", ["TEST06 end of text"], marks=pytest.mark.slow),
        pytest.param(Scenario.OFFLINE, "ends", ["TEST06 end of text"], marks=pytest.mark.slow),
        pytest.param(Scenario.OFFLINE, "lengths", ["TEST06 length"], marks=pytest.mark.slow),
    ],
)
def test_who_tells_what_it_gives_passes(talk: Talk, scenario: Scenario, cheat: str, wrong: list[str]) -> None:
    done = talk.tested(talk.request(scenario, cheat))
    assert failed(done) == wrong
    said = (done.folder / "verify_accuracy.txt").read_text().splitlines()
    checks = {"first": "TEST06 first token", "EOS": "TEST06 end of text", "Sample": "TEST06 length"}
    found = [f"{checks['first'] not in wrong}" if scenario is Scenario.SERVER else "Skipped"]
    found += [f"{checks[name] not in wrong}" for name in ("EOS", "Sample")]
    assert [line.rpartition(": ")[2] for line in said[:3]] == found
    assert said[3] == f"TEST06 verification {'failed' if wrong else 'complete'}"


def test_loadgen_s_own_figures_are_in_the_record(talk: Talk) -> None:
    (record,) = carry_out(make_plan(talk.request(Scenario.SERVER), talk.settings), talk.settings, SILENT)
    assert record.verdict is not None and record.verdict.valid
    names = [item.name for item in record.verdict.constraints]
    assert "p99 time to first token" in names and "p99 time per token" in names
    tokens, own = record.figures.tokens, record.figures.measured
    assert {"answer_tokens_per_second", "first_token_mean_ns", "first_token_p99_ns", "next_token_p99_ns"} <= set(tokens)
    # LoadGen counts from the moment that a query was due, the engine from that of its call.
    assert tokens["first_token_p50_ns"] > own["first_token_p50_ns"]
    assert record.figures.unit == "Queries/s"
    (offline,) = carry_out(make_plan(talk.request(Scenario.OFFLINE), talk.settings), talk.settings, SILENT)
    assert offline.figures.unit == "Tokens/s"
    assert offline.figures.value == offline.figures.tokens["answer_tokens_per_second"]
    assert offline.figures.value == pytest.approx(5 * (offline.figures.samples_per_second or 0), rel=1e-4)


def test_an_engine_that_tells_no_first_token_fails_the_run(talk: Talk) -> None:
    plan = make_plan(talk.request(Scenario.SERVER, "silent"), talk.settings)
    with pytest.raises(RunFailedError, match="does not tell the first token"):
        carry_out(plan, talk.settings, SILENT)


@pytest.mark.slow
def test_the_engine_of_small_models_passes(talk: Talk) -> None:
    pytest.importorskip("xllamacpp", reason="the extra llm is not installed")
    more = {"threads": 1, "samples": 8, "recipe": {"prompt": "{input}", "decoding": {"max_new_tokens": 6}}}
    # Whether so short a run is valid depends on nothing but its number of queries, and Offline asks for no more.
    request = talk.request(Scenario.OFFLINE, **more, backend="llamacpp", backend_options={}, target_qps=200.0)
    done = talk.tested(request)
    assert failed(done) == []
    kept = list(walk_tokens(talk.settings.runs_dir / done.record.id / ACCURACY))
    assert len(kept) >= 100 and all(each.count == 6 == len(np.frombuffer(each.data, np.int64)) for each in kept)


def test_no_rate_is_searched_for_where_tokens_have_the_bounds(talk: Talk) -> None:
    with pytest.raises(UsageError, match="has bounds for its tokens"):
        plan_search(talk.request(Scenario.SERVER, target_qps=None), talk.settings)


@pytest.mark.slow
def test_a_server_that_streams_passes_with_its_tokenizer_and_not_without(talk: Talk) -> None:
    pytest.importorskip("xllamacpp", reason="the extra llm is not installed")
    short: dict[str, Any] = {"prompt": "{input}", "decoding": {"max_new_tokens": 4}}
    with llama_server(talk.model) as address:
        options = {"backend": "openai", "backend_options": {"address": address}, "model": None, "target_qps": 40.0}
        for more, wrong in (({}, ["TEST06 length"]), ({"tokenizer": str(talk.model)}, [])):
            request = talk.request(Scenario.OFFLINE, samples=8, recipe={**short, **more}, **options)
            assert failed(talk.tested(request)) == wrong
        request = talk.request(Scenario.SERVER, samples=20, recipe={**short, "tokenizer": str(talk.model)}, **options)
        (record,) = carry_out(make_plan(request, talk.settings), talk.settings, SILENT)
    # Whether so short a run is valid depends on how busy the machine is; LoadGen was told everything in any case.
    assert {"first_token_p50_ns", "next_token_p50_ns"} <= set(record.figures.tokens)
    kept = read_detail(talk.settings.runs_dir / record.id / DETAIL)
    assert not [each for each in kept.errors if "token" in each.text]
