"""The form of a round file: what may stand where, and in which type.

What the facts mean together is checked in :mod:`assay.rules.build`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from assay.base.units import parse_duration
from assay.errors import UsageError
from assay.rules.model import Category, Scenario, Seeds
from assay.rules.submission import SubmissionRules


def _duration(value: Any) -> int:
    if not isinstance(value, str):
        raise ValueError("a duration needs a unit, such as 600s or 15ms")
    try:
        return parse_duration(value)
    except UsageError as error:
        raise ValueError(str(error)) from error


Duration = Annotated[
    int,
    BeforeValidator(_duration),
    Field(gt=0),
    WithJsonSchema({"type": "string", "description": "A duration with its unit", "examples": ["600s", "15ms"]}),
]
Count = Annotated[int, Field(gt=0, strict=True)]
Positive = Annotated[float, Field(gt=0, strict=True, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, le=1, strict=True)]
Percentile = Annotated[float, Field(gt=0, lt=1, strict=True)]
Flag = Annotated[bool, Field(strict=True)]
Seed = Annotated[int, Field(ge=0, lt=2**64, strict=True)]
Text = Annotated[str, Field(min_length=1, max_length=500)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80)]
Test = Annotated[str, Field(pattern=r"^TEST\d\d(-[A-Z])?$")]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SeedsForm(_Form):
    """Seeds of a round."""

    qsl: Seed
    sample_index: Seed
    schedule: Seed

    def to_seeds(self) -> Seeds:
        """The model's noun."""
        return Seeds(self.qsl, self.sample_index, self.schedule)


class ScenarioForm(_Form):
    """A scenario, for every benchmark of the round."""

    result_field: Text
    unit: Text
    divide_by: Positive
    lower_is_better: Flag
    percentile: Percentile | None = None
    samples_per_query: Count | None = None
    early_stopping: Flag
    min_duration: Duration
    min_query_count: Count
    target_latency: Duration | None = None
    target_qps: Positive | None = None


class QualityForm(_Form):
    """An accuracy target."""

    metric: Text
    reference: Positive
    ratio: Share
    target: Positive
    upper_limit: Positive | None = None


class FigureForm(_Form):
    """The figure of a benchmark in a scenario, where it is not the one that the scenario has."""

    result_field: Text
    unit: Text


class TokenLatencyForm(_Form):
    """Bounds of a benchmark that reports tokens."""

    first_token: Duration
    per_token: Duration


class OutputsForm(_Form):
    """Outputs of the model that a folder of the accuracy run holds."""

    required: tuple[Name, ...] = Field(min_length=1)
    expected: tuple[Name, ...] = ()


class BenchmarkForm(_Form):
    """A benchmark of the round."""

    aliases: tuple[Name, ...] = ()
    task: Name
    area: Text
    model: Text
    dataset: Text
    dataset_size: Count
    sample: Text
    conf_model: Name | None = None
    performance_sample_count: Count
    quality: tuple[QualityForm, ...] = Field(min_length=1)
    required: dict[Category, tuple[Scenario, ...]]
    optional: dict[Category, tuple[Scenario, ...]] = Field(default_factory=dict)
    server_latency: Duration | None = None
    multistream_latency: Duration | None = None
    token_latency: TokenLatencyForm | None = None
    offline_min_samples: Count | None = None
    figures: dict[Scenario, FigureForm] = Field(default_factory=dict)
    outputs: dict[Name, OutputsForm] = Field(default_factory=dict)
    equal_issue: tuple[Scenario, ...] = ()
    compliance: tuple[Test, ...] = ()
    test01_sampling_target: Count = 4096
    placeholder: Flag = False


class RoundFile(_Form):
    """A round file, with everything that it extends merged in."""

    format: Literal[1]
    name: str = Field(pattern=r"^v\d+\.\d+$")
    source: Text
    conf_source: Text
    seeds: SeedsForm
    test05_seeds: SeedsForm
    scenarios: dict[Scenario, ScenarioForm]
    accuracy_units: dict[Name, Text]
    benchmarks: dict[Name, BenchmarkForm] = Field(min_length=1)
    submission: SubmissionRules | None = None
