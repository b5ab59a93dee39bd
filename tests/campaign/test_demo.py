from __future__ import annotations

from dataclasses import replace

import pytest

from assay.campaign.demo import next_steps
from assay.loadgen.record import Artefact, Figures, RunRecord, RunStatus
from assay.loadgen.verdict import Verdict

NOTHING = Artefact("nothing", None)
SERVER = RunRecord(
    id="r", group="g", created="2026-11-23T20:15:00+00:00", status=RunStatus.FINISHED, round="v3.1", benchmark="resnet",
    task="image-classification", scenario="Server", mode="performance", category="datacenter", division="open",
    model=NOTHING, dataset=NOTHING, backend_name="null", precision="fp32", batch_size=1, streams=1, threads=0,
    command="assay run", figures=Figures(value=58.6),
    verdict=Verdict(True, False, (), (), ()),
)  # fmt: skip


def rates(*records: RunRecord) -> list[str]:
    return [command for command, _ in next_steps("m", records) if "--target-qps" in command]


def test_a_rate_that_held_is_gone_on_from() -> None:
    assert rates(replace(SERVER, scenario="Offline"), SERVER) == ["assay run m --scenario Server --target-qps 73.2"]


@pytest.mark.parametrize(
    "record",
    [
        replace(SERVER, verdict=Verdict(False, False, (), (), ("lower the rate: --target-qps 46.9",))),
        replace(SERVER, verdict=None),
        replace(SERVER, figures=Figures()),
    ],
)
def test_no_second_rate_stands_beside_the_advice(record: RunRecord) -> None:
    assert rates(record) == []
    assert next_steps("m", [record])[0][0] == "assay runs show last"
