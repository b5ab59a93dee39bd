"""Whether an engine and its number format still answer well enough: measured once for each, told apart from speed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assay.loadgen.record import RunRecord
from assay.results import words
from assay.results.from_run import result_of
from assay.rules.model import QualityTarget

USUAL_SHARE = 0.99
"""Of the accuracy in the usual setting, where the round says none for a metric."""


@dataclass(frozen=True, slots=True)
class Scored:
    """The accuracy of an engine and a format.

    Attributes:
        accuracy: metric to value.
        units: metric to unit.
        official: whether the round's targets are about this model and these samples.
        run: id of the record.
    """

    accuracy: Mapping[str, float]
    units: Mapping[str, str]
    samples: int
    official: bool
    run: str

    @classmethod
    def of(cls, record: RunRecord) -> Scored:
        """The accuracy that a run measured."""
        figures = record.figures
        official = any(metric.met is not None for metric in result_of(record).accuracy)
        return cls(
            dict(figures.accuracy), dict(figures.accuracy_units), figures.samples_scored or 0, official, record.id
        )

    def line(self) -> str:
        """The accuracy for a person."""
        text = ", ".join(
            f"{name} {words.metric(value, self.units.get(name, ''))}" for name, value in self.accuracy.items()
        )
        return f"{text} over {self.samples:,} samples"


def shortfall(scored: Scored, usual: Scored, targets: tuple[QualityTarget, ...], share: float | None) -> str:
    """What is missing of the accuracy asked for, for a person; empty when nothing is.

    Args:
        scored: of the engine and format.
        usual: of the usual setting.
        targets: of the benchmark.
        share: of the usual setting's accuracy that has to be kept; None for what the round asks.
    """
    asked = {target.metric: target for target in targets}
    for name, value in scored.accuracy.items():
        target, unit = asked.get(name), scored.units.get(name, "")
        if asked and target is None:
            continue  # told beside the benchmark's own metrics, and nothing is asked of it
        if share is None and target is not None and scored.official:
            least, most = target.target, target.upper_limit
            of = f"the {target.ratio:.1%} of the reference that the round asks"
        else:
            kept = share if share is not None else target.ratio if target else USUAL_SHARE
            least, most = usual.accuracy.get(name, 0.0) * kept, None
            of = f"{kept:.1%} of the usual setting's {words.metric(usual.accuracy.get(name, 0.0), unit)}"
        if value < least or (most is not None and value > most):
            return f"{name} {words.metric(value, unit)} misses {of}"
    return ""
