"""From the form of a round file to the round: defaults filled in, contradictions refused.

Each check names the place in the file, so that whoever writes a round is sent to the line.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from assay.errors import InvalidInputError
from assay.rules.model import (
    Benchmark,
    Category,
    Figure,
    Limits,
    Outputs,
    QualityTarget,
    Round,
    Scenario,
    ScenarioFacts,
    TokenLatency,
)
from assay.rules.schema import BenchmarkForm, QualityForm, RoundFile, ScenarioForm

Key = tuple[str | int, ...]
Where = Callable[[Key], str]
_TARGET_TOLERANCE = 1e-9


def build_round(form: RoundFile, where: Where) -> Round:
    """The round that a file's form describes.

    Args:
        form: the validated file.
        where: file, line and key of a key path, for messages.

    Raises:
        InvalidInputError: for facts that contradict each other; ``where`` names the place.
    """
    _check_scenarios(form, where)
    _check_names(form, where)
    builder = _Builder(form, where)
    return Round(
        name=form.name,
        source=form.source,
        conf_source=form.conf_source,
        seeds=form.seeds.to_seeds(),
        test05_seeds=form.test05_seeds.to_seeds(),
        scenarios={scenario: _facts(scenario, form.scenarios[scenario]) for scenario in Scenario},
        benchmarks={name: builder.benchmark(name, entry) for name, entry in form.benchmarks.items()},
        submission=form.submission,
    )


class _Builder:
    """Turns the benchmarks of one file into the model's."""

    def __init__(self, form: RoundFile, where: Where) -> None:
        self._form = form
        self._where = where

    def benchmark(self, name: str, form: BenchmarkForm) -> Benchmark:
        self._check_placement(name, form)
        if form.performance_sample_count > form.dataset_size:
            raise InvalidInputError(
                "more samples are loaded than the dataset has",
                where=self._where(("benchmarks", name, "performance_sample_count")),
                expected=f"at most {form.dataset_size}",
                found=str(form.performance_sample_count),
            )
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
            quality=self._qualities(name, form.quality),
            required=form.required,
            optional=form.optional,
            limits={scenario: self._limits(scenario, form) for scenario in Scenario},
            compliance=form.compliance,
            test01_sampling_target=form.test01_sampling_target,
            placeholder=form.placeholder,
            token_latency=_token_latency(form),
            figures={scenario: Figure(each.result_field, each.unit) for scenario, each in form.figures.items()},
            outputs={name: Outputs(each.required, each.expected) for name, each in form.outputs.items()},
        )

    def _check_placement(self, name: str, form: BenchmarkForm) -> None:
        """A benchmark is in a category, and no scenario is named twice in one."""
        for category in Category:
            seen: set[Scenario] = set()
            for kind, lists in (("required", form.required), ("optional", form.optional)):
                for number, scenario in enumerate(lists.get(category, ())):
                    if scenario in seen:
                        raise InvalidInputError(
                            f"{scenario.value} is named twice for {category.value}",
                            where=self._where(("benchmarks", name, kind, category.value, number)),
                        )
                    seen.add(scenario)
        if not any((*form.required.values(), *form.optional.values())):
            raise InvalidInputError(
                "the benchmark is in no category",
                where=self._where(("benchmarks", name, "required")),
                expected="scenarios for edge or datacenter",
            )

    def _qualities(self, name: str, forms: Iterable[QualityForm]) -> tuple[QualityTarget, ...]:
        targets: dict[str, QualityTarget] = {}
        for number, form in enumerate(forms):
            key: Key = ("benchmarks", name, "quality", number)
            if form.metric in targets:
                raise InvalidInputError(f"metric {form.metric!r} is given twice", where=self._where((*key, "metric")))
            targets[form.metric] = self._quality(key, form)
        return tuple(targets.values())

    def _quality(self, key: Key, form: QualityForm) -> QualityTarget:
        unit = self._form.accuracy_units.get(form.metric)
        if unit is None:
            raise InvalidInputError(
                f"metric {form.metric!r} has no unit",
                where=self._where((*key, "metric")),
                expected=", ".join(self._form.accuracy_units),
                hint="add it to accuracy_units",
            )
        product = form.reference * form.ratio
        if not math.isclose(form.target, product, rel_tol=_TARGET_TOLERANCE):
            raise InvalidInputError(
                "the target is not reference * ratio",
                where=self._where((*key, "target")),
                expected=repr(product),
                found=repr(form.target),
            )
        if form.upper_limit is not None and form.upper_limit < form.target:
            raise InvalidInputError(
                "the upper limit is below the target",
                where=self._where((*key, "upper_limit")),
                expected=f"at least {form.target!r}",
                found=repr(form.upper_limit),
            )
        return QualityTarget(form.metric, unit, form.reference, form.ratio, form.target, form.upper_limit)

    def _limits(self, scenario: Scenario, form: BenchmarkForm) -> Limits:
        facts, offline = self._form.scenarios[scenario], scenario is Scenario.OFFLINE
        latencies = {
            Scenario.SERVER: form.server_latency,
            Scenario.MULTI_STREAM: form.multistream_latency,
        }
        return Limits(
            min_duration_ns=facts.min_duration,
            min_query_count=(form.offline_min_samples if offline else None) or facts.min_query_count,
            target_latency_ns=latencies.get(scenario) or facts.target_latency,
            percentile=facts.percentile,
            target_qps=facts.target_qps,
            samples_per_query=facts.samples_per_query,
            performance_sample_count=form.performance_sample_count,
            equal_issue=scenario in form.equal_issue,
        )


def _check_scenarios(form: RoundFile, where: Where) -> None:
    """All four are there, and each has what early stopping and LoadGen need of it."""
    for scenario in Scenario:
        if scenario not in form.scenarios:
            raise InvalidInputError(f"scenario {scenario.value} is missing", where=where(("scenarios",)))
    for scenario, facts in form.scenarios.items():
        if scenario is Scenario.OFFLINE:
            continue
        for key in ("percentile", "samples_per_query", "target_latency"):
            if getattr(facts, key) is None:
                raise InvalidInputError(
                    f"{key} is missing: {scenario.value} has a latency and a size of its queries",
                    where=where(("scenarios", scenario.value, key)),
                )


def _check_names(form: RoundFile, where: Where) -> None:
    """Names and aliases are looked up without case, so each has to be one benchmark's only."""
    owners: dict[str, str] = {}
    for name in form.benchmarks:
        owner = owners.setdefault(name.casefold(), name)
        if owner != name:
            raise InvalidInputError(
                f"benchmark {name!r} is there twice, before as {owner!r}", where=where(("benchmarks", name))
            )
    for name, entry in form.benchmarks.items():
        for number, alias in enumerate(entry.aliases):
            owner = owners.setdefault(alias.casefold(), name)
            if owner != name or alias.casefold() == name.casefold():
                raise InvalidInputError(
                    f"alias {alias!r} is already the name of {owner!r}",
                    where=where(("benchmarks", name, "aliases", number)),
                )


def _token_latency(form: BenchmarkForm) -> TokenLatency | None:
    bounds = form.token_latency
    return None if bounds is None else TokenLatency(bounds.first_token, bounds.per_token)


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
