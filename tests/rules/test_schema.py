from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from assay.errors import InvalidInputError
from assay.rules.load import read_round
from assay.rules.model import Seeds
from assay.rules.schema import Duration, RoundFile, SeedsForm

Broken = Callable[[str, str], tuple[Path, int]]


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ("format: 1", "format: 2", "format", "should be 1"),
        ("name: v9.0", "name: nine", "name", "match pattern"),
        ("source: invented", "source: ''", "source", "at least 1 character"),
        ("{qsl: 1,", "{qsl: -1,", "seeds.qsl", "greater than or equal"),
        ("{qsl: 1,", "{qsl: 18446744073709551616,", "seeds.qsl", "less than"),
        ("{qsl: 1,", "{qsl: '1',", "seeds.qsl", "valid integer"),
        ("  SingleStream:\n", "  SingelStream:\n", "scenarios.SingelStream", "'SingleStream'"),
        ("min_duration: 600s", "min_duration: -600s", "scenarios.SingleStream.min_duration", "not a duration"),
        ("min_duration: 600s", "min_duration: 0s", "scenarios.SingleStream.min_duration", "greater than 0"),
        ("min_duration: 600s", "min_duration: 600", "scenarios.SingleStream.min_duration", "needs a unit"),
        ("percentile: 0.9", "percentile: 90", "scenarios.SingleStream.percentile", "less than 1"),
        ("divide_by: 1000000", "divide_by: .inf", "scenarios.SingleStream.divide_by", "finite"),
        ("lower_is_better: true", "lower_is_better: 'yes'", "scenarios.SingleStream.lower_is_better", "boolean"),
        ("min_query_count: 100", "min_query_count: 0", "scenarios.SingleStream.min_query_count", "greater"),
        ("dataset_size: 1000", "dataset_size: 1.5", "benchmarks.cats-99.dataset_size", "integer"),
        ("      edge: [S", "      Edge: [S", "benchmarks.cats-99.required.Edge", "'edge' or 'datacenter'"),
        ("[SingleStream, Off", "[Stream, Off", "benchmarks.cats-99.required.edge.0", "'SingleStream'"),
        ("reference: 80,", "reference: '80',", "benchmarks.cats-99.quality.0.reference", "valid number"),
        ("ratio: 0.99, target: 79.2", "ratio: 1.1, target: 88", "benchmarks.cats-99.quality.0.ratio", "less"),
        ("[TEST01]", "[TEST1]", "benchmarks.cats-99.compliance.0", "pattern"),
        ("aliases: [cats]", "aliases: ['../x']", "benchmarks.cats-99.aliases.0", "pattern"),
    ],
)
def test_a_wrong_value_is_told_with_file_line_and_key(broken: Broken, old: str, new: str, key: str, words: str) -> None:
    path, line = broken(old, new)
    with pytest.raises(InvalidInputError, match=words) as caught:
        read_round(path)
    assert caught.value.where == f"{path}:{line}: {key}"
    assert caught.value.found is not None
    assert caught.value.exit_code == 4


@pytest.mark.parametrize(
    ("old", "new", "key", "expected"),
    [
        ("format: 1", "format: 1\nnmae: x", "nmae", "name"),
        ("    area: Vision", "    aera: Vision\n    area: Vision", "benchmarks.cats-99.aera", "area"),
        ("{metric: acc, ref", "{metrik: x, metric: acc, ref", "benchmarks.cats-99.quality.0.metrik", "metric"),
        ("    unit: Latency", "    zzz: 1\n    unit: Latency", "scenarios.SingleStream.zzz", "result_field, unit"),
    ],
)
def test_an_unknown_key_gets_the_closest_ones(broken: Broken, old: str, new: str, key: str, expected: str) -> None:
    path, _ = broken(old, new)
    with pytest.raises(InvalidInputError, match="not permitted") as caught:
        read_round(path)
    assert str(caught.value.where).endswith(f": {key}")
    assert expected in str(caught.value.expected)


def test_a_missing_key_is_told_at_the_line_of_its_mapping(broken: Broken) -> None:
    path, line = broken("    area: Vision\n", "")
    with pytest.raises(InvalidInputError, match="Field required") as caught:
        read_round(path)
    assert caught.value.where == f"{path}:{line - 3}: benchmarks.cats-99.area"


@given(st.one_of(st.text(max_size=20), st.integers(), st.floats(), st.booleans(), st.none()))
def test_a_duration_is_positive_or_refused(value: object) -> None:
    with contextlib.suppress(ValidationError):
        assert TypeAdapter(Duration).validate_python(value) > 0


@given(st.integers(1, 10**6), st.sampled_from([("ms", 10**6), ("s", 10**9), ("m", 60 * 10**9)]))
def test_durations_are_nanoseconds(count: int, unit: tuple[str, int]) -> None:
    assert TypeAdapter(Duration).validate_python(f"{count}{unit[0]}") == count * unit[1]


def test_seeds_become_the_models() -> None:
    form = SeedsForm(qsl=2**64 - 1, sample_index=0, schedule=7)
    assert form.to_seeds() == Seeds(qsl=2**64 - 1, sample_index=0, schedule=7)


def test_the_form_knows_no_other_keys() -> None:
    assert RoundFile.model_config["extra"] == "forbid"
