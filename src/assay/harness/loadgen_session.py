"""One test of the real LoadGen; the only module that starts it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import mlperf_loadgen as lg

from assay.errors import InvalidInputError, RunFailedError
from assay.harness.spec import USER_CONF, RunSpec, loaded_samples
from assay.harness.sut import Sut
from assay.loadgen.audit import AUDIT_CONF
from assay.rules.model import Mode, Scenario

_SCENARIOS = {
    Scenario.SINGLE_STREAM: lg.TestScenario.SingleStream,
    Scenario.MULTI_STREAM: lg.TestScenario.MultiStream,
    Scenario.SERVER: lg.TestScenario.Server,
    Scenario.OFFLINE: lg.TestScenario.Offline,
}
_MODES = {Mode.PERFORMANCE: lg.TestMode.PerformanceOnly, Mode.ACCURACY: lg.TestMode.AccuracyOnly}


def run_test(spec: RunSpec, folder: Path, sut: Sut, total: int) -> None:
    """Run LoadGen from start to end, its log files going to ``folder``.

    Args:
        spec: scenario, mode and settings.
        folder: folder of the run; holds ``user.conf``, and ``audit.config`` where the run is a compliance test.
        sut: answers the queries; its store is filled by LoadGen before the timed part.
        total: samples in the dataset.

    Raises:
        InvalidInputError: when LoadGen refuses ``user.conf``.
        RunFailedError: when a setting of the spec is unknown to this LoadGen.
    """
    settings = _settings(spec, folder)
    log = lg.LogSettings()
    output = lg.LogOutputSettings()
    output.outdir = str(folder)
    output.copy_summary_to_stdout = False
    log.log_output = output
    log.enable_trace = spec.trace
    performance = loaded_samples(spec.attributes, total)
    handle = lg.ConstructFastSUT(sut.issue, sut.flush)
    library = lg.ConstructQSL(total, performance, sut.load, sut.store.unload)
    try:
        # Without the file, which only compliance tests have, nothing is audited.
        lg.StartTestWithLogSettings(handle, library, settings, log, str(folder / AUDIT_CONF))
    finally:
        lg.DestroyQSL(library)
        lg.DestroyFastSUT(handle)


def _settings(spec: RunSpec, folder: Path) -> lg.TestSettings:
    """LoadGen's settings: read from ``user.conf``, then every one pinned to the value of the round.

    LoadGen reads its built-in defaults, those of its own round, together with ``user.conf``; pinning makes the asked
    round hold, seeds included.
    """
    settings = lg.TestSettings()
    settings.scenario = _SCENARIOS[spec.scenario]
    settings.mode = _MODES[spec.mode]
    conf = folder / USER_CONF
    if settings.FromConfig(str(conf), spec.conf_model, spec.scenario.value) != 0:
        raise InvalidInputError(
            "LoadGen refuses the configuration", where=conf, expected="lines `model.scenario.key = number`"
        )
    pin(settings, spec.attributes)
    settings.mode = _MODES[spec.mode]
    return settings


def pin(settings: lg.TestSettings, attributes: Mapping[str, int | float | bool | str]) -> None:
    """Set LoadGen settings by name.

    Raises:
        RunFailedError: for a name this LoadGen does not have.
    """
    for name, value in attributes.items():
        if not hasattr(settings, name):
            raise RunFailedError(
                f"this LoadGen has no setting {name!r}",
                hint="install the pinned version: pip install -U mlcommons-loadgen",
            )
        setattr(settings, name, value)
