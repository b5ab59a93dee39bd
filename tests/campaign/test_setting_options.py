"""What a setting asks of a request, and what it leaves out where it means nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.campaign.request import RunRequest
from assay.campaign.setting import SettingFile, read_setting
from assay.campaign.setting_options import setting_options
from assay.rules.model import Scenario

FULL = SettingFile(
    format=1, backend="openvino", precision="bf16", threads=2, streams=3, batch_size=16, batch_wait="2ms",
    backend_options={"hint": "latency"},
)  # fmt: skip


@pytest.mark.parametrize("scenario", list(Scenario))
def test_a_whole_setting_is_a_request_in_every_scenario(scenario: Scenario) -> None:
    asked = RunRequest(name="mobilenet-v2", scenarios=(scenario,), **setting_options(FULL, (scenario,)))
    rated = scenario in (Scenario.OFFLINE, Scenario.SERVER)
    assert (asked.backend, asked.precision, asked.threads) == ("openvino", "bf16", 2)
    assert asked.backend_options == {"hint": "latency"}
    assert asked.streams == (3 if rated else 1)
    assert asked.batch_size == (None if scenario is Scenario.SINGLE_STREAM else 16)
    assert asked.batch_wait_ns == (2 * 10**6 if scenario is Scenario.SERVER else None)


def test_what_the_file_does_not_give_is_not_asked(tmp_path: Path) -> None:
    path = tmp_path / "setting.yaml"
    path.write_text("format: 1\nthreads: 0\n")
    assert setting_options(read_setting(path), (Scenario.OFFLINE,)) == {"threads": 0}
