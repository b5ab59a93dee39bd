from __future__ import annotations

from pathlib import Path

import pytest

from assay.expressions import parse_unit
from assay.results.metrics.model import Better, Metric, Origin, OriginKind


@pytest.mark.parametrize(
    ("origin", "told"),
    [
        (Origin(OriginKind.SHIPPED), "assay"),
        (Origin(OriginKind.OWN), "yours"),
        (Origin(OriginKind.REPOSITORY, "me@theirs"), "me@theirs"),
        (Origin(OriginKind.REPOSITORY), "a repository"),
    ],
)
def test_origins_in_words(origin: Origin, told: str) -> None:
    assert str(origin) == told


def test_a_metric_is_a_definition_of_the_language() -> None:
    origin = Origin(OriginKind.OWN)
    unit = parse_unit("kW")
    metric = Metric("m", "M", "watts", unit, Better.LOWER, "", "", "", {}, (), origin, Path("m.yaml"), "m.yaml:3")
    definition = metric.definition
    assert (definition.name, definition.text, definition.unit, definition.place) == ("m", "watts", unit, "m.yaml:3: m")
    assert definition.description == "M"
