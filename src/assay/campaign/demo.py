"""The demo: a trained model on real images, accuracy first, then every scenario, short; or one model of every task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay.assets.catalogue import Catalogue
from assay.campaign.request import DEFAULT_ROUND, RunRequest
from assay.loadgen.advice import rate_option
from assay.loadgen.record import RunRecord
from assay.rules.load import load_round
from assay.rules.model import Scenario

SECONDS = 10
MODEL = "mobilenet-v2"
_FASTER = 1.25
"""How much faster Server is worth a try once a rate has held."""

STAND_INS = (
    "mobilenet-v2",
    "centernet-mobilenetv3",
    "minilm-l6",
    "whisper-tiny",
    "deepbrain",
    "movielens-dlrm",
    "smollm2-135m-instruct",
)
"""A model of each task that is made of packages alone, in the order of the rules."""
ALL_SECONDS = 5


@dataclass(frozen=True, slots=True)
class DemoPart:
    """One command of the demo and what it shows."""

    title: str
    request: RunRequest


def demo_parts(backend: str, model: str = MODEL, seconds: int = SECONDS) -> list[DemoPart]:
    """What the demo runs, in order."""
    return [
        DemoPart(
            "Accuracy: every image once, scored from LoadGen's own log",
            RunRequest(name=model, scenarios=(Scenario.OFFLINE,), mode="accuracy", backend=backend),
        ),
        DemoPart(
            "Performance: one query after another, eight at a time, all at once, and at random times",
            RunRequest(
                name=model,
                scenarios=(Scenario.SINGLE_STREAM, Scenario.MULTI_STREAM, Scenario.OFFLINE, Scenario.SERVER),
                mode="performance",
                backend=backend,
                duration_ns=seconds * 10**9,
            ),
        ),
    ]


def every_task(catalogue: Catalogue, seconds: int = ALL_SECONDS) -> list[DemoPart]:
    """Accuracy and performance of one model of each task: a stream of single queries where its benchmark has one, else
    Server, and all at once.
    """
    round_ = load_round(DEFAULT_ROUND)
    found: list[DemoPart] = []
    for name in STAND_INS:
        model = catalogue.get(name)
        assert model.model is not None
        benchmark = round_.benchmark(model.model.benchmark)
        streams = any(Scenario.SINGLE_STREAM in benchmark.scenarios(each) for each in benchmark.categories())
        scenarios = (Scenario.SINGLE_STREAM if streams else Scenario.SERVER, Scenario.OFFLINE)
        title = f"{model.task}: {model.title}"
        found.append(DemoPart(title, RunRequest(name=name, mode="accuracy")))
        speed = RunRequest(name=name, scenarios=scenarios, duration_ns=seconds * 10**9)
        found.append(DemoPart(title, speed))
    return found


def next_steps(model: str, records: Sequence[RunRecord]) -> list[tuple[str, str]]:
    """Commands to go on with, and what each is for.

    A rate is named here only when Server held the one it was sent at; after an INVALID run the verdict's own advice,
    printed above, names the rate, and a second number would contradict it.
    """
    steps = [("assay runs show last", "everything about the last run")]
    for record in records:
        if record.scenario != Scenario.SERVER.value or record.verdict is None or not record.figures.value:
            continue
        if record.verdict.valid:
            rate = rate_option(record.figures.value * _FASTER)
            command = f"assay run {model} --scenario Server --target-qps {rate}"
            steps.append((command, "look for the rate that this machine holds"))
    return [
        *steps,
        ("assay benchmarks show resnet50", "what round v3.1 asks"),
        ("assay assets add imagenet2012 --path DIR", "bring the real dataset, then: assay run resnet50"),
    ]
