from __future__ import annotations

from pathlib import Path

import mlperf_loadgen as lg
import pytest

from assay.backends.protocol import BackendOptions
from assay.errors import InvalidInputError, RunFailedError
from assay.harness.batching import BatchLimits
from assay.harness.loadgen_session import pin, run_test
from assay.harness.meter import Meter
from assay.harness.samples import SampleStore
from assay.harness.spec import USER_CONF, RunSpec
from assay.harness.sut import InlineSut
from assay.loadgen.settings import Overrides, resolve
from assay.rules.load import load_round
from assay.rules.model import Mode, Scenario


@pytest.mark.parametrize("scenario", list(Scenario))
def test_loadgen_has_every_setting_that_is_pinned(scenario: Scenario) -> None:
    round_ = load_round("v3.1")
    resolved = resolve(round_, round_.benchmark("resnet"), scenario, Mode.PERFORMANCE, Overrides(), dataset_size=5000)
    settings = lg.TestSettings()
    pin(settings, resolved.attributes())
    for name, value in resolved.attributes().items():
        if name not in ("scenario", "mode"):
            assert getattr(settings, name) == pytest.approx(value), name


def test_a_setting_that_loadgen_lacks_is_told() -> None:
    with pytest.raises(RunFailedError, match="no setting 'unheard_of'"):
        pin(lg.TestSettings(), {"unheard_of": 1})


def test_a_configuration_that_loadgen_refuses_is_told(tmp_path: Path) -> None:
    (tmp_path / USER_CONF).write_text("resnet50.Offline.target_qps = many\n")
    spec = RunSpec(
        scenario=Scenario.OFFLINE, mode=Mode.PERFORMANCE, task="t", recipe={}, model=Path("m"), backend="b", options=BackendOptions(),
        dataset=None, cache=Path("c"), batch_size=1, conf_model="resnet50", user_conf="", attributes={},
    )  # fmt: skip
    store = SampleStore(lambda _: (), 1)
    with pytest.raises(InvalidInputError, match=USER_CONF):
        run_test(spec, tmp_path, InlineSut(store, BatchLimits(1), Meter(), lambda inputs: inputs[0]), 10)
