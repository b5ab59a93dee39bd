"""Round files of invention: small, whole, and easy to break in one place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

ROUND = """\
format: 1
name: v9.0
source: invented
conf_source: invented
seeds: {qsl: 1, sample_index: 2, schedule: 3}
test05_seeds: {qsl: 4, sample_index: 5, schedule: 6}
scenarios:
  SingleStream:
    result_field: ss
    unit: Latency (ms)
    divide_by: 1000000
    lower_is_better: true
    percentile: 0.9
    samples_per_query: 1
    early_stopping: true
    min_duration: 600s
    min_query_count: 100
    target_latency: 10ms
  MultiStream:
    result_field: ms
    unit: Latency (ms)
    divide_by: 1000000
    lower_is_better: true
    percentile: 0.99
    samples_per_query: 8
    early_stopping: true
    min_duration: 600s
    min_query_count: 662
    target_latency: 80ms
  Server:
    result_field: server
    unit: Queries/s
    divide_by: 1
    lower_is_better: false
    percentile: 0.99
    samples_per_query: 1
    early_stopping: true
    min_duration: 600s
    min_query_count: 100
    target_latency: 10ms
    target_qps: 1.0
  Offline:
    result_field: offline
    unit: Samples/s
    divide_by: 1
    lower_is_better: false
    early_stopping: false
    min_duration: 600s
    min_query_count: 24576
    target_qps: 1.0
accuracy_units: {acc: percent, tokens: tokens}
benchmarks:
  cats-99:
    aliases: [cats]
    task: image-classification
    area: Vision
    model: CatNet
    dataset: Cats
    dataset_size: 1000
    sample: one cat
    performance_sample_count: 500
    quality:
      - {metric: acc, reference: 80, ratio: 0.99, target: 79.2}
    required:
      edge: [SingleStream, Offline]
      datacenter: [Server, Offline]
    optional:
      edge: [MultiStream]
    server_latency: 15ms
    equal_issue: [SingleStream]
    compliance: [TEST01]
  dogs:
    task: image-classification
    area: Vision
    model: DogNet
    dataset: Dogs
    dataset_size: 10
    sample: one dog
    conf_model: dog
    performance_sample_count: 10
    quality:
      - {metric: acc, reference: 50, ratio: 0.99, target: 49.5}
      - {metric: tokens, reference: 100, ratio: 0.9, target: 90, upper_limit: 110}
    required:
      datacenter: [Offline]
"""

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file; by default the invented round."""

    def make(text: str = ROUND, name: str = "v9.0") -> Path:
        path = tmp_path / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return make


@pytest.fixture
def broken(write: Write) -> Callable[[str, str], tuple[Path, int]]:
    """Write the round with one piece of text replaced; gives the file and the line of the replacement."""

    def make(old: str, new: str) -> tuple[Path, int]:
        assert ROUND.count(old) >= 1, old
        place = ROUND.index(old)
        return write(ROUND[:place] + new + ROUND[place + len(old) :]), ROUND.count("\n", 0, place) + 1

    return make
