"""Makes the logs beside this file with the real LoadGen (6.0.17) and a system that answers at once.

``python tests/loadgen/data/make_logs.py FOLDER [NAME...]``. What depends on the machine's speed (latencies, rates)
changes with every run; the tests hold for the logs as committed. The lines on LoadGen's own sources, which are most
of a short log, are left out except in ``singlestream``.
"""

from __future__ import annotations

import array
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import mlperf_loadgen as lg

SCENARIOS = {name: getattr(lg.TestScenario, name) for name in ("SingleStream", "MultiStream", "Server", "Offline")}
SEEDS = {
    "qsl_rng_seed": 148687905518835231,
    "sample_index_rng_seed": 520418551913322573,
    "schedule_rng_seed": 811580660758947900,
}
TOTAL, LOADED = 40, 16
LONG = ('"loadgen_file_sha1"', '"loadgen_git_log_message"', '"loadgen_git_status_message"')

STREAM = {"scenario": "SingleStream", "single_stream_expected_latency_ns": 100_000}
MULTI = {"scenario": "MultiStream", "multi_stream_expected_latency_ns": 1_000_000}
SERVER = {"scenario": "Server", "server_target_qps": 2000}
OFFLINE = {"scenario": "Offline", "offline_expected_qps": 100}

LOGS: dict[str, dict[str, Any]] = {
    # valid
    "singlestream": {**STREAM, "min_query_count": 70, "delay": 0.0002},
    "multistream": {**MULTI, "min_query_count": 700},
    "server": {**SERVER, "min_query_count": 470},
    "offline": {**OFFLINE, "min_query_count": 100},
    # the order of responses, and their bytes
    "singlestream_accuracy": {**STREAM, "accuracy": True},
    "offline_accuracy": {**OFFLINE, "accuracy": True},
    # with a trace
    "singlestream_trace": {**STREAM, "min_query_count": 5, "trace": True},
    "multistream_trace": {**MULTI, "min_query_count": 3, "trace": True},
    "server_trace": {**SERVER, "min_query_count": 4, "trace": True},
    "offline_trace": {**OFFLINE, "min_query_count": 6, "trace": True},
    # every way to be INVALID
    "singlestream_ran_out": {**STREAM, "min_duration_ms": 200, "single_stream_expected_latency_ns": 5_000_000},
    "multistream_few": {**MULTI, "min_query_count": 5},
    "server_late": {**SERVER, "min_query_count": 500, "server_target_latency_ns": 1_000_000, "delay": 0.002},
    "server_slow": {**SERVER, "min_query_count": 500, "server_target_latency_ns": 5_000_000, "delay": 0.001},
    "server_few": {**SERVER, "min_query_count": 300},
    "server_one": {**SERVER, "min_query_count": 1},
    "server_max": {**SERVER, "min_query_count": 1, "min_duration_ms": 200, "max_query_count": 20},
    "offline_short": {**OFFLINE, "min_query_count": 10, "min_duration_ms": 1000},
}


def make(
    folder: Path, scenario: str, *, accuracy: bool = False, delay: float = 0.0, trace: bool = False, **attributes: Any
) -> None:
    """Run LoadGen once, its logs going to ``folder``."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    settings = lg.TestSettings()
    settings.scenario = SCENARIOS[scenario]
    settings.mode = lg.TestMode.AccuracyOnly if accuracy else lg.TestMode.PerformanceOnly
    for name, value in {"min_duration_ms": 0, "min_query_count": 1, **SEEDS, **attributes}.items():
        setattr(settings, name, value)
    kept = []

    def issue(queries: Any) -> None:
        if delay:
            time.sleep(delay)
        responses = []
        for query in queries:
            answer = array.array("f", [float(query.index)])
            kept.append(answer)
            address, count = answer.buffer_info()
            responses.append(lg.QuerySampleResponse(query.id, address, count * answer.itemsize))
        lg.QuerySamplesComplete(responses)

    log, output = lg.LogSettings(), lg.LogOutputSettings()
    output.outdir = str(folder)
    output.copy_summary_to_stdout = False
    log.log_output, log.enable_trace = output, trace
    sut = lg.ConstructSUT(issue, lambda: None)
    library = lg.ConstructQSL(TOTAL, LOADED, lambda samples: None, lambda samples: None)
    lg.StartTestWithLogSettings(sut, library, settings, log, str(folder / "audit.config"))
    lg.DestroyQSL(library)
    lg.DestroySUT(sut)


def trim(folder: Path, *, keep_all: bool) -> None:
    """Leave out what no test reads."""
    detail = folder / "mlperf_log_detail.txt"
    if not keep_all:
        lines = detail.read_text().splitlines(keepends=True)
        detail.write_text("".join(line for line in lines if not any(key in line[:80] for key in LONG)))
    for file in folder.iterdir():
        if not file.read_bytes().strip(b"[]\n "):
            file.unlink()


if __name__ == "__main__":
    for wanted in sys.argv[2:] or LOGS:
        target = Path(sys.argv[1]) / wanted
        make(target, **LOGS[wanted])
        trim(target, keep_all=wanted == "singlestream")
