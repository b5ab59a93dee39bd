"""Rounds as JSON documents, and what changed from one to the next."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assay.rules.model import Benchmark, Round

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True, slots=True)
class Change:
    """One fact that two rounds do not share.

    Attributes:
        key: where it stands, such as ``benchmarks.resnet.limits.Server.target_latency_ns``.
        old: what it was; None when it was not there.
        new: what it is; None when it is gone.
    """

    key: str
    old: Json
    new: Json


def round_document(round_: Round) -> dict[str, Json]:
    """All facts of a round, resolved; the keys are the model's, times in nanoseconds."""
    return {
        **_fields(round_),
        "benchmarks": {name: benchmark_document(each) for name, each in round_.benchmarks.items()},
    }


def benchmark_document(benchmark: Benchmark) -> dict[str, Json]:
    """All facts of a benchmark; its categories are spelt out."""
    return {**_fields(benchmark), "categories": [category.value for category in benchmark.categories()]}


def changes(old: Round, new: Round) -> list[Change]:
    """What the newer of two rounds has changed, in the order of its file, then what it has dropped.

    A benchmark that only one has is one change, not one for each of its facts.
    """
    before, after = dict(_flat(round_document(old))), dict(_flat(round_document(new)))
    found = [Change(key, before.get(key), after.get(key)) for key in {**after, **before}]
    return [each for each in _whole_benchmarks(found, old, new) if each.old != each.new and each.key != "name"]


def _whole_benchmarks(found: list[Change], old: Round, new: Round) -> Iterator[Change]:
    """Replace the facts of benchmarks that only one round has by the benchmark's name."""
    told: set[str] = set()
    shared = old.benchmarks.keys() & new.benchmarks.keys()
    # Names hold dots (bert-99.9), so the longest that fits is the one meant.
    names = sorted({*old.benchmarks, *new.benchmarks}, key=len, reverse=True)
    for each in found:
        name = next((name for name in names if each.key.startswith(f"benchmarks.{name}.")), None)
        if name is None or name in shared:
            yield each
        elif name not in told:
            told.add(name)
            gone = name not in new.benchmarks
            yield Change(f"benchmarks.{name}", name if gone else None, None if gone else name)


def _flat(value: Json, key: str = "") -> Iterator[tuple[str, Json]]:
    """Key path and value of every leaf; lists of plain values are leaves."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _flat(inner, f"{key}.{name}" if key else name)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for number, item in enumerate(value):
            label = item.get("metric", number) if isinstance(item, dict) else number
            yield from _flat(item, f"{key}.{label}")
    else:
        yield key, value


def _fields(noun: Round | Benchmark) -> dict[str, Json]:
    return {field.name: _plain(getattr(noun, field.name)) for field in dataclasses.fields(noun)}


def _plain(value: object) -> Json:
    """A noun's value as JSON types: enums by their official spelling, tuples as lists."""
    if isinstance(value, str):
        return str(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    assert dataclasses.is_dataclass(value), value
    return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
