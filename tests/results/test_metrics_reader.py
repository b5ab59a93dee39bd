from __future__ import annotations

from pathlib import Path

import pytest

from assay.errors import InvalidInputError, NotFoundError
from assay.results.metrics.model import Better, OriginKind
from assay.results.metrics.reader import metric_schema, read_metric

WHOLE = """\
name: mine
title: Mine
expression: >
  samples_per_second
  / watts * factor
unit: samples/J
better: higher
description: What it is.
caution: When it is null.
source: A paper.
parameters:
  factor: {unit: ratio, description: A factor., default: 150%}
examples:
  - given: {samples_per_second: 10, watts: 5 W}
    expect: 3
  - given:
      - {samples_per_second: 10, watts: null}
      - {samples_per_second: 20, watts: 1}
    parameters: {factor: 2}
    expect: [null, 40]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(WHOLE)
    return path


def test_a_whole_file(file: Path) -> None:
    metric = read_metric(file)
    assert (metric.name, metric.title, str(metric.unit), metric.better) == ("mine", "Mine", "samples/J", Better.HIGHER)
    assert metric.expression == "samples_per_second / watts * factor"
    assert (metric.description, metric.caution, metric.source) == ("What it is.", "When it is null.", "A paper.")
    assert metric.parameters["factor"].default == 1.5
    assert metric.origin.kind is OriginKind.OWN
    assert metric.where == f"{file}:3"
    one, many = metric.examples
    assert one.given == ({"samples_per_second": 10, "watts": "5 W"},)
    assert (one.expect, many.expect) == ((3,), (None, 40))
    assert dict(many.parameters) == {"factor": "2"}
    assert one.where == f"{file}:14: examples.0"


def test_the_least_that_is_needed(file: Path) -> None:
    file.write_text("name: mine\ntitle: Mine\nexpression: watts\n")
    metric = read_metric(file)
    assert (metric.unit, metric.better, metric.parameters, metric.examples) == (None, Better.NEITHER, {}, ())


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("title: Mine\n", "", ":1: title: Field required"),
        ("better: higher", "better: bigger", ":7: better: Input should be 'higher', 'lower' or 'neither'"),
        ("better: higher", "beter: higher", ":7: beter: Extra inputs are not permitted; expected better"),
        ("name: mine", "name: Mine", ":1: name: String should match pattern"),
        ("name: mine", "name: and", ":1: name: 'and' is a word of the language"),
        ("unit: samples/J", "unit: samples/Joul", ":6: unit: unknown unit 'Joul'; expected joule"),
        ("unit: ratio", "unit: parsec", ":12: parameters.factor.unit: unknown unit 'parsec'"),
        ("150%", "3 W", ":12: parameters.factor.default: this is in W; expected something in ratio"),
        ("150%", "3 x 5", ":12: parameters.factor.default: an operator is missing before this"),
        ("expect: 3", "", ":14: examples.0.expect: Field required"),
        ("expression: >", "expression: [", "not YAML"),
    ],
)
def test_what_is_wrong_is_told_with_line_and_key(file: Path, old: str, new: str, told: str) -> None:
    assert old in WHOLE
    file.write_text(WHOLE.replace(old, new, 1))
    with pytest.raises(InvalidInputError) as caught:
        read_metric(file)
    assert told in str(caught.value)
    assert str(caught.value).startswith(str(file))


def test_an_example_of_nothing(file: Path) -> None:
    file.write_text("name: m\ntitle: M\nexpression: watts\nexamples:\n  - given: []\n    expect: []\n")
    with pytest.raises(InvalidInputError, match="an example needs a result"):
        read_metric(file)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_metric(tmp_path / "none.yaml")


def test_the_schema_names_every_key() -> None:
    schema = metric_schema()
    assert {"name", "expression", "unit", "better", "caution", "parameters", "examples"} <= set(schema["properties"])
    assert set(schema["required"]) == {"name", "title", "expression"}
