from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assay.loadgen.audit import AUDIT_CONF, audit_of
from assay.loadgen.compliance_tokens import Kept, read_tokens, verify_tokens
from assay.loadgen.logs import DetailLog, Tokens, read_detail
from assay.loadgen.names import ACCURACY, DETAIL
from assay.loadgen.walk import walk_tokens
from assay.rules.load import load_round
from assay.rules.model import Scenario

ROUND = load_round("v4.0")
AUDIT = audit_of("TEST06", ROUND.benchmark("llama2-70b-99"), ROUND)
END = 2


def entry(*tokens: int, first: tuple[int, ...] | None = None, count: int | None = -1) -> Tokens:
    """A response; what LoadGen was told is right unless it is given."""
    data = np.array(tokens, np.int64).tobytes()
    told = np.array(tokens[:1] if first is None else first, np.int64).tobytes()
    return Tokens(0, data, told, len(tokens) if count == -1 else count)


@pytest.mark.parametrize(
    ("entries", "kept"),
    [
        ([entry(5, 6, END), entry(5, 6), entry(END)], Kept(3, 0, 0, 0)),
        ([entry(5, END, END), entry(5, END, 6, END), entry(END, END)], Kept(3, 2, 0, 0)),
        ([entry(5, 6, count=3), entry(5, 6, count=None), entry(5, 6, count=1)], Kept(3, 0, 3, 0)),
        ([entry(5, 6, first=(6,)), entry(5, 6, first=(5, 7)), entry(5, 6, first=())], Kept(3, 0, 0, 3)),
        ([Tokens(0, b"\5" * 7, None, 0)], Kept(1, 0, 1, 1)),
        ([], Kept(0, 0, 0, 0)),
    ],
    ids=["right", "ends", "lengths", "firsts", "no tokens", "none"],
)
def test_what_is_wrong_with_each_response_is_counted(entries: list[Tokens], kept: Kept) -> None:
    assert read_tokens(entries) == kept


@pytest.fixture
def tested(detail: Callable[[str], DetailLog]) -> DetailLog:
    log = detail("offline")
    return replace(log, values={**dict(log.values), **AUDIT.effective()})


def test_the_text_is_the_official_one(tested: DetailLog) -> None:
    good = verify_tokens(AUDIT, Kept(100, 0, 0, 0), tested, Scenario.SERVER, ROUND)
    assert good.passed
    assert good.text.splitlines() == [
        "First token check pass: True",
        "EOS check pass: True",
        "Sample length check pass: True",
        "TEST06 verification complete",
    ]
    # Offline has no first token, and none is asked for.
    offline = verify_tokens(AUDIT, Kept(100, 0, 0, 100), tested, Scenario.OFFLINE, ROUND)
    assert offline.passed and offline.text.splitlines()[0] == "First token check pass: Skipped"
    bad = verify_tokens(AUDIT, Kept(100, 1, 2, 3), tested, Scenario.SERVER, ROUND)
    assert [item.name for item in bad.constraints if not item.met] == [
        "TEST06 first token", "TEST06 end of text", "TEST06 length"
    ]  # fmt: skip
    assert bad.text.splitlines()[:4] == [
        "First token check pass: False",
        "EOS check pass: False",
        "Sample length check pass: False",
        "TEST06 verification failed",
    ]


def test_a_log_without_responses_or_without_the_tests_settings_proves_nothing(tested: DetailLog) -> None:
    none = verify_tokens(AUDIT, Kept(0, 0, 0, 0), tested, Scenario.OFFLINE, ROUND)
    assert [item.name for item in none.constraints if not item.met] == ["TEST06 responses"]
    assert "EOS check pass: False" in none.text
    plain = replace(tested, values={**dict(tested.values), "effective_accuracy_log_sampling_target": 0})
    assert not verify_tokens(AUDIT, Kept(100, 0, 0, 0), plain, Scenario.OFFLINE, ROUND).passed


PROGRAM = """
import sys
import numpy as np
import mlperf_loadgen as lg

folder, cheat = sys.argv[1:]

def issue(samples):
    for sample in samples:
        tokens = np.array([7, 8, 9, 2] + ([2] if cheat == "ends" else []), np.int64)
        first = np.array([7 if cheat != "first" else 6], np.int64)
        lg.FirstTokenComplete([lg.QuerySampleResponse(sample.id, first.ctypes.data, first.nbytes)])
        count = len(tokens) + (5 if cheat == "length" else 0)
        lg.QuerySamplesComplete([lg.QuerySampleResponse(sample.id, tokens.ctypes.data, tokens.nbytes, count)])

settings = lg.TestSettings()
settings.scenario = lg.TestScenario.Server
settings.mode = lg.TestMode.PerformanceOnly
settings.server_target_qps = 2000
settings.server_target_latency_ns = 10**9
settings.use_token_latencies = True
settings.ttft_latency = settings.tpot_latency = 10**9
output = lg.LogOutputSettings()
output.outdir = folder
log = lg.LogSettings()
log.log_output = output
sut = lg.ConstructSUT(issue, lambda: None)
qsl = lg.ConstructQSL(200, 200, lambda indices: None, lambda indices: None)
lg.StartTestWithLogSettings(sut, qsl, settings, log, folder + "/audit.config")
lg.DestroyQSL(qsl)
lg.DestroySUT(sut)
"""


@pytest.mark.parametrize(
    ("cheat", "wrong"),
    [("none", []), ("ends", ["end of text"]), ("first", ["first token"]), ("length", ["length"])],
)
def test_logs_of_the_real_loadgen(tmp_path: Path, cheat: str, wrong: list[str]) -> None:
    (tmp_path / AUDIT_CONF).write_text(AUDIT.text())
    subprocess.run([sys.executable, "-c", PROGRAM, str(tmp_path), cheat], check=True, capture_output=True)
    kept = read_tokens(walk_tokens(tmp_path / ACCURACY))
    verified = verify_tokens(AUDIT, kept, read_detail(tmp_path / DETAIL), Scenario.SERVER, ROUND)
    assert kept.entries >= 100
    assert [item.name.removeprefix("TEST06 ") for item in verified.constraints if not item.met] == wrong
