"""What a log of somebody else's run says of its settings, in place of what was meant."""

from __future__ import annotations

from dataclasses import replace

from assay.campaign.finish import labels_for
from assay.loadgen.logs import DetailLog
from assay.loadgen.measured import asked_of
from assay.loadgen.record import Label, RunRecord
from assay.loadgen.settings import weaker
from assay.rules.model import Benchmark, Mode, Scenario


def as_logged(record: RunRecord, detail: DetailLog, benchmark: Benchmark, labels: tuple[str, ...]) -> RunRecord:
    """A record with the settings, deviations and labels that follow from the log: a program may have done as it liked.

    Args:
        record: of the run.
        detail: its log.
        benchmark: whose limits hold.
        labels: of model and data, without those of settings.
    """
    scenario = Scenario(record.scenario)
    asked = asked_of(detail, scenario) if record.mode == Mode.PERFORMANCE.value else None
    found = weaker(asked, benchmark.limits[scenario]) if asked else ()
    used = {
        name: value
        for name, value in detail.section("effective_").items()
        if isinstance(value, (bool, int, float, str))
    }
    if scenario is Scenario.SERVER and "target_latency_ns" in used:
        used["server_target_latency_ns"] = used["target_latency_ns"]
    partial = (Label.PARTIAL_DATASET,) if Label.PARTIAL_DATASET in record.labels else ()
    return replace(record, settings=used, deviations=found, labels=(*labels_for(labels, found), *partial))


def of_another_round(record: RunRecord) -> str:
    """Why the seeds of a foreign run are not the round's, and what to do; empty when they are."""
    wrong = record.verdict and [each for each in record.verdict.constraints if "seed" in each.name and not each.met]
    if not wrong:
        return ""
    version = record.versions.get("loadgen", "an unknown version")
    return (
        f"the program's LoadGen ({version}) did not use the seeds of round {record.round}: build it with the LoadGen of that "
        "round, or pass the seeds on ({qsl_rng_seed} and the others in its manifest)"
    )
