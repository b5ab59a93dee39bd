"""A language model of somebody else's that answers everything alike and tells LoadGen its tokens, or something else."""

from __future__ import annotations

import sys

import mlperf_loadgen as lg
import numpy as np

END = 2


def main(scenario: str, user_conf: str, output: str, seeds: str, cheat: str) -> None:
    settings = lg.TestSettings()
    settings.scenario = getattr(lg.TestScenario, scenario)
    settings.FromConfig(user_conf, "mine", scenario)
    settings.mode = lg.TestMode.PerformanceOnly
    settings.use_token_latencies = True
    settings.ttft_latency = settings.tpot_latency = 10**9
    numbers = (int(seed) for seed in seeds.split(","))
    settings.qsl_rng_seed, settings.sample_index_rng_seed, settings.schedule_rng_seed = numbers
    tokens = np.array([7, 8, 9, END, *([END] if cheat == "ends" else [])], np.int64)
    told = np.array([7], np.int64)

    def issue(samples: list[lg.QuerySample]) -> None:
        for sample in samples:
            lg.FirstTokenComplete([lg.QuerySampleResponse(sample.id, told.ctypes.data, told.nbytes)])
            answer = lg.QuerySampleResponse(sample.id, tokens.ctypes.data, tokens.nbytes, len(tokens))
            lg.QuerySamplesComplete([answer])

    where = lg.LogOutputSettings()
    where.outdir = output
    log = lg.LogSettings()
    log.log_output = where
    sut = lg.ConstructSUT(issue, lambda: None)
    qsl = lg.ConstructQSL(500, 500, lambda indices: None, lambda indices: None)
    lg.StartTestWithLogSettings(sut, qsl, settings, log, "audit.config")
    lg.DestroyQSL(qsl)
    lg.DestroySUT(sut)


if __name__ == "__main__":
    main(*sys.argv[1:])
