from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

from assay.rules.document import Change, benchmark_document, changes, round_document
from assay.rules.load import load_round, read_round

Write = Callable[..., Path]


def test_a_document_is_plain_json_and_loses_nothing(write: Write) -> None:
    document = round_document(read_round(write()))
    assert json.loads(json.dumps(document)) == document
    cats = document["benchmarks"]["cats-99"]  # type: ignore[index,call-overload]
    assert cats["required"] == {"edge": ["SingleStream", "Offline"], "datacenter": ["Server", "Offline"]}
    assert cats["categories"] == ["edge", "datacenter"]
    assert cats["limits"]["Server"]["target_latency_ns"] == 15_000_000
    assert cats["quality"][0]["target"] == 79.2
    assert type(next(iter(cats["limits"]))) is str
    assert document["seeds"] == {"qsl": 1, "sample_index": 2, "schedule": 3}


def test_seeds_keep_all_their_bits() -> None:
    text = json.dumps(round_document(load_round("v3.1")))
    assert json.loads(text)["seeds"]["schedule"] == 811580660758947900


def test_benchmark_documents_are_those_of_the_round() -> None:
    round_ = load_round("v3.1")
    assert round_document(round_)["benchmarks"]["resnet"] == benchmark_document(round_.benchmark("resnet"))  # type: ignore[index,call-overload]


def test_equal_rounds_have_no_changes(write: Write) -> None:
    assert changes(read_round(write()), read_round(write())) == []


def test_changes_name_the_fact(write: Write) -> None:
    old = read_round(write())
    new = read_round(
        write(
            "extends: v9.0\nname: v9.1\nsource: later\n"
            "benchmarks:\n"
            "  cats-99:\n"
            "    server_latency: 20ms\n"
            "    required: {edge: [Offline]}\n"
            "    quality: [{metric: acc, reference: 81, ratio: 0.99, target: 80.19}]\n",
            "v9.1",
        )
    )
    assert {each.key: (each.old, each.new) for each in changes(old, new)} == {
        "source": ("invented", "later"),
        "benchmarks.cats-99.limits.Server.target_latency_ns": (15_000_000, 20_000_000),
        "benchmarks.cats-99.required.edge": (["SingleStream", "Offline"], ["Offline"]),
        "benchmarks.cats-99.quality.acc.reference": (80.0, 81.0),
        "benchmarks.cats-99.quality.acc.target": (79.2, 80.19),
    }


def test_a_benchmark_that_comes_or_goes_is_one_change(write: Write) -> None:
    old = read_round(write())
    new = read_round(write("extends: v9.0\nname: v9.1\nsource: invented\nbenchmarks: {dogs: null}\n", "v9.1"))
    assert changes(old, new) == [Change("benchmarks.dogs", "dogs", None)]
    assert changes(new, old) == [Change("benchmarks.dogs", None, "dogs")]


def test_names_with_dots_are_told_apart() -> None:
    """``bert-99`` is the beginning of ``bert-99.9``; dropping one leaves the other alone."""
    round_ = load_round("v3.1")
    rest = {name: each for name, each in round_.benchmarks.items() if name != "bert-99.9"}
    assert changes(round_, dataclasses.replace(round_, benchmarks=rest)) == [
        Change("benchmarks.bert-99.9", "bert-99.9", None)
    ]
    rest = {name: each for name, each in round_.benchmarks.items() if name != "bert-99"}
    assert changes(round_, dataclasses.replace(round_, benchmarks=rest)) == [
        Change("benchmarks.bert-99", "bert-99", None)
    ]
