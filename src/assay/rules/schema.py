"""The form of a round file, and how it becomes a :class:`~assay.rules.model.Round`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from assay.base.units import parse_duration
from assay.errors import InvalidInputError, UsageError
from assay.rules.model import Benchmark, Category, Limits, QualityTarget, Round, Scenario, ScenarioFacts, Seeds

Where = Callable[[tuple[str | int, ...]], str]


def _duration(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError("a duration needs a unit, such as 600s or 15ms")
    try:
        return parse_duration(value)
    except UsageError as error:
        raise ValueError(str(error)) from error


Duration = Annotated[int, BeforeValidator(_duration), Field(gt=0, json_schema_extra={"type": "string", "examples": ["600s", "15ms"]})]
Count = Annotated[int, Field(gt=0, strict=True)]
Seed = Annotated[int, Field(ge=0, lt=2**64, strict=True)]


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

    result_field: str
    unit: str
    divide_by: float = Field(gt=0)
    lower_is_better: bool
    percentile: float | None = Field(default=None, gt=0, lt=1)
    samples_per_query: Count | None = None
    early_stopping: bool
    min_duration: Duration
    min_query_count: Count
    target_latency: Duration | None = None
    target_qps: float | None = Field(default=None, gt=0)


class QualityForm(_Form):
    """An accuracy target."""

    metric: str
    reference: float = Field(gt=0)
    ratio: float = Field(gt=0, le=1)
    target: float = Field(gt=0)
    upper_limit: float | None = None


class BenchmarkForm(_Form):
    """A benchmark of the round."""

    aliases: tuple[str, ...] = ()
    task: str
    area: str
    model: str
    dataset: str
    dataset_size: Count
    sample: str
    conf_model: str | None = None
    performance_sample_count: Count
    quality: tuple[QualityForm, ...] = Field(min_length=1)
    required: dict[Category, tuple[Scenario, ...]]
    optional: dict[Category, tuple[Scenario, ...]] = Field(default_factory=dict)
    server_latency: Duration | None = None
    multistream_latency: Duration | None = None
    equal_issue: tuple[Scenario, ...] = ()
    compliance: tuple[str, ...] = ()
    placeholder: bool = False


class RoundFile(_Form):
    """A round file."""

    format: Literal[1]
    name: str = Field(pattern=r"^v\d+\.\d+$")
    source: str
    conf_source: str
    seeds: SeedsForm
    test05_seeds: SeedsForm
    scenarios: dict[Scenario, ScenarioForm]
    accuracy_units: dict[str, str]
    benchmarks: dict[str, BenchmarkForm] = Field(min_length=1)

    def to_round(self, where: Where) -> Round:
        """The round itself.

        Raises:
            InvalidInputError: for facts that contradict each other; ``where`` names the place.
        """
        for scenario in Scenario:
            if scenario not in self.scenarios:
                raise InvalidInputError(f"scenario {scenario.value} is missing", where=where(("scenarios",)))
        return Round(
            name=self.name,
            source=self.source,
            conf_source=self.conf_source,
            seeds=self.seeds.to_seeds(),
            test05_seeds=self.test05_seeds.to_seeds(),
            scenarios={scenario: _facts(scenario, form) for scenario, form in self.scenarios.items()},
            benchmarks={name: self._benchmark(name, form, where) for name, form in self.benchmarks.items()},
        )

    def _benchmark(self, name: str, form: BenchmarkForm, where: Where) -> Benchmark:
        return Benchmark(
            name=name,
            aliases=form.aliases,
            task=form.task,
            area=form.area,
            model=form.model,
            dataset=form.dataset,
            dataset_size=form.dataset_size,
            conf_model=form.conf_model or name,
            sample=form.sample,
            quality=tuple(self._quality(name, number, item, where) for number, item in enumerate(form.quality)),
            required=form.required,
            optional=form.optional,
            limits={scenario: self._limits(scenario, form) for scenario in self.scenarios},
            compliance=form.compliance,
            placeholder=form.placeholder,
        )

    def _quality(self, benchmark: str, number: int, form: QualityForm, where: Where) -> QualityTarget:
        key = ("benchmarks", benchmark, "quality", number)
        unit = self.accuracy_units.get(form.metric)
        if unit is None:
            raise InvalidInputError(f"metric {form.metric!r} has no unit", where=where((*key, "metric")), expected=", ".join(self.accuracy_units))
        product = form.reference * form.ratio
        if not math.isclose(form.target, product, rel_tol=1e-9):
            raise InvalidInputError("the target is not reference * ratio", where=where((*key, "target")), expected=repr(product), found=repr(form.target))
        return QualityTarget(form.metric, unit, form.reference, form.ratio, form.target, form.upper_limit)

    def _limits(self, scenario: Scenario, form: BenchmarkForm) -> Limits:
        facts = self.scenarios[scenario]
        own = {Scenario.SERVER: form.server_latency, Scenario.MULTI_STREAM: form.multistream_latency}.get(scenario)
        return Limits(
            min_duration_ns=facts.min_duration,
            min_query_count=facts.min_query_count,
            target_latency_ns=own or facts.target_latency,
            percentile=facts.percentile,
            target_qps=facts.target_qps,
            samples_per_query=facts.samples_per_query,
            performance_sample_count=form.performance_sample_count,
            equal_issue=scenario in form.equal_issue,
        )


def _facts(scenario: Scenario, form: ScenarioForm) -> ScenarioFacts:
    return ScenarioFacts(
        scenario=scenario,
        result_field=form.result_field,
        unit=form.unit,
        divide_by=form.divide_by,
        lower_is_better=form.lower_is_better,
        percentile=form.percentile,
        samples_per_query=form.samples_per_query,
        uses_early_stopping=form.early_stopping,
    )
