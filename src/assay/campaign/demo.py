"""The demo: a trained model on real images, accuracy first, then every scenario, short."""

from __future__ import annotations

from dataclasses import dataclass

from assay.campaign.request import RunRequest
from assay.rules.model import Scenario

SECONDS = 10
MODEL = "mobilenet-v2"


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
