"""The rules of a round in words, for who does not read round files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assay.base.units import format_count, format_duration, format_size
from assay.rules.document import Change, Json
from assay.rules.model import Benchmark, Category, Limits, QualityTarget, Round, Scenario, ScenarioFacts, Seeds

_UNITS = {"percent": " %", "fraction": ""}
_TESTS = {
    "TEST01": "TEST01 keeps some answers of a performance run and compares them with those of the accuracy run",
    "TEST04": "TEST04 sends one sample over and over, which shows whether answers are kept instead of computed",
    "TEST04-A": "TEST04-A and TEST04-B send the same and different samples, which shows whether answers are kept",
    "TEST05": "TEST05 runs with other seeds, so that nothing can be tuned to those of the round",
    "TEST06": "TEST06 looks at the tokens of language models: the first one, the end, and their number",
}


def metric_word(metric: str) -> str:
    """What an accuracy is called where people read it.

    The official log parser calls 100 less the word error rate ``WER`` (submission_checker.py, ACC_PATTERN); a value of 94%
    under that name reads as the opposite of what it is.
    """
    return "word accuracy (100 - WER)" if metric == "WER" else metric


def target_text(target: QualityTarget) -> str:
    """A quality target with metric and unit: ``acc 75.6954 %``."""
    return f"{metric_word(target.metric)} {accuracy_text(target.target, target.unit)}"


def accuracy_text(value: float, unit: str) -> str:
    """An accuracy with its unit, to ten significant digits (a target's last bits are rounding)."""
    return f"{value:,.10g}{_UNITS.get(unit, f' {unit}')}"


def seeds_text(seeds: Seeds) -> str:
    """The seeds of a round on one line."""
    return f"QSL {seeds.qsl}, sample index {seeds.sample_index}, schedule {seeds.schedule}"


def limits_words(facts: ScenarioFacts, limits: Limits) -> str:
    """What a valid performance run of a scenario has to reach, in a sentence."""
    what = "samples in its one query" if facts.samples_per_query is None else "queries"
    words = f"at least {format_duration(limits.min_duration_ns)} and {format_count(limits.min_query_count)} {what}"
    if facts.scenario is Scenario.SERVER and limits.target_latency_ns is not None and limits.percentile is not None:
        words += f"; {limits.percentile * 100:g}% of the queries within {format_duration(limits.target_latency_ns)}"
    if limits.equal_issue:
        words += "; every sample equally often"
    return words


def scenario_words(facts: ScenarioFacts) -> str:
    """How a scenario sends queries and what its figure is, in a sentence."""
    sends = {
        Scenario.SINGLE_STREAM: "One query of one sample at a time, the next when the last is answered",
        Scenario.MULTI_STREAM: f"One query of {facts.samples_per_query} samples at a time, the next when the last is "
        "answered",
        Scenario.SERVER: "Queries of one sample arrive at random moments, as users do, and have a bound to be answered in",
        Scenario.OFFLINE: "All samples at once, in any order",
    }[facts.scenario]
    if facts.percentile is not None and facts.lower_is_better:
        return f"{sends}. The figure is the {facts.percentile * 100:g}th percentile of the latency; lower is better."
    counted = "queries" if facts.scenario is Scenario.SERVER else "samples"
    return f"{sends}. The figure is {counted} per second; higher is better."


def benchmark_words(benchmark: Benchmark) -> str:
    """What a benchmark is, in a sentence or two."""
    task = benchmark.task.replace("-", " ")
    area = f" ({benchmark.area.lower()})" if benchmark.area.casefold() != task.casefold() else ""
    words = (
        f"{task.capitalize()}{area} with {benchmark.model} on {benchmark.dataset}: "
        f"{format_count(benchmark.dataset_size)} samples, of which one is {benchmark.sample}."
    )
    targets = " and ".join(quality_words(each) for each in benchmark.quality)
    return f"{words} In the closed division {targets}." if targets else words


def quality_words(target: QualityTarget) -> str:
    """What an accuracy has to reach, such as ``F1 has to reach 89.97 %, which is 99% of the reference's 90.87 %``."""
    words = (
        f"{metric_word(target.metric)} has to reach {_short(target.target, target.unit)}, "
        f"which is {target.ratio * 100:.4g}% of the reference's {_short(target.reference, target.unit)}"
    )
    if target.upper_limit is not None:
        words += f", and must not pass {_short(target.upper_limit, target.unit)}"
    return words


def _short(value: float, unit: str) -> str:
    return f"{value:,.6g}{_UNITS.get(unit, f' {unit}')}"


def round_words(round_: Round) -> list[str]:
    """What a round asks of everybody, as sentences."""
    seeds, other = round_.seeds, round_.test05_seeds
    durations = {format_duration(each.min_duration_ns) for benchmark in round_.benchmarks.values()
                 for each in benchmark.limits.values()}  # fmt: skip
    words = [
        f"LoadGen draws samples and moments by the seeds of the round: {seeds_text(seeds)}. Nobody knows them before "
        "the code is frozen.",
        f"A performance run lasts at least {' or '.join(sorted(durations))}.",
        "Every scenario of a category that a benchmark asks for has to be submitted in the closed division.",
        "The closed division runs the model of the reference and reaches its accuracy target; the open division may "
        "change the model, the data and the target, and says how.",
    ]
    tests = sorted({test for benchmark in round_.benchmarks.values() for test in benchmark.compliance})
    if tests:
        words.append(f"Compliance tests: {'; '.join(_TESTS.get(test, test) for test in tests)}.")
        if "TEST05" in tests:
            words.append(f"TEST05 has seeds of its own: {seeds_text(other)}.")
    if round_.submission is not None:
        words += _submission_words(round_)
    return words


def _submission_words(round_: Round) -> list[str]:
    rules = round_.submission
    assert rules is not None
    words = [
        "Power is optional. It is measured at the wall by SPEC PTDaemon while LoadGen runs: average watts of Server and "
        f"Offline, energy of a query of the streams (the official tool writes it in {rules.power.energy_unit}).",
        f"Divisions: {', '.join(rules.divisions)}. A system is {', '.join(rules.system.availability)}.",
    ]
    if rules.files.max_bytes is not None:
        words.append(f"No file of a submission may be larger than {format_size(rules.files.max_bytes)}.")
    return words


@dataclass(frozen=True, slots=True)
class ChangeWords:
    """A fact that changed from one round to the next, for all benchmarks alike that it changed for.

    Attributes:
        fact: in words.
        benchmarks: that it is about; empty for a fact of the round.
        old: what it was; empty when it was not there.
        new: what it is; empty when it is gone.
    """

    fact: str
    benchmarks: tuple[str, ...]
    old: str
    new: str


def changes_words(found: Iterable[Change], rounds: Sequence[Round]) -> list[ChangeWords]:
    """Changes in words, those of several benchmarks together.

    Args:
        found: as of :func:`assay.rules.document.changes`.
        rounds: the two rounds, whose benchmarks give the names.
    """
    names = sorted({name for each in rounds for name in each.benchmarks}, key=len, reverse=True)
    together: dict[tuple[str, str, str], list[str]] = {}
    for change in found:
        name, rest = _benchmark_of(change.key, names)
        if name and not rest:
            fact, old, new = ("benchmark is new", "", "") if change.old is None else ("benchmark is gone", "", "")
        else:
            fact, old, new = _fact(rest or change.key), _value(change.key, change.old), _value(change.key, change.new)
        together.setdefault((fact, old, new), []).extend([name] if name else [])
    return [ChangeWords(fact, tuple(names), old, new) for (fact, old, new), names in together.items()]


def _benchmark_of(key: str, names: Sequence[str]) -> tuple[str, str]:
    """The benchmark that a key is about, and what is left of it; names hold dots."""
    for name in names:
        if key == f"benchmarks.{name}":
            return name, ""
        if key.startswith(f"benchmarks.{name}."):
            return name, key[len(f"benchmarks.{name}.") :]
    return "", key


def _fact(key: str) -> str:
    words = key.removesuffix("_ns").replace("limits.", "").replace("_", " ").split(".")
    return ", ".join(words)


def _value(key: str, value: Json) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return format_duration(value) if key.endswith("_ns") else f"{value:,}" if "seed" not in key else str(value)
    if isinstance(value, list):
        return ", ".join(str(each) for each in value) or "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def categories_words(benchmark: Benchmark) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Each category of a benchmark with its required and its optional scenarios."""
    return [
        (
            category.value,
            tuple(each.value for each in benchmark.required.get(category, ())),
            tuple(each.value for each in benchmark.optional.get(category, ())),
        )
        for category in Category
        if benchmark.scenarios(category)
    ]
