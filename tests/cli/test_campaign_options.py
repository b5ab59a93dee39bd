from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest

from assay.cli.campaign import plan
from assay.cli.campaign_options import given_options, wanted_of
from assay.errors import UsageError


def options(*words: str) -> dict[str, Any]:
    """What the words of ``assay campaign plan`` become."""
    with plan.make_context("plan", list(words)) as context:
        return {key: value for key, value in context.params.items() if key not in ("which", "dry_run")}


def test_options_become_keys_of_the_file() -> None:
    wanted = wanted_of(options(
        "--benchmark", "resnet50", "--benchmark", "bert-99", "--category", "both", "--division", "open", "-s", "server",
        "--target-qps", "server=50", "--target-latency", "SingleStream=2ms", "--setting", "s.yaml", "-p", "int8",
        "--no-find-rate", "--backend-option", "a=b", "--set", "cooling=air", "--field", "retraining=no",
        "--notify", "./tell", "--notify", "lab", "--calibration", "how.md", "--batch-wait", "2ms",
    ))  # fmt: skip
    assert wanted.benchmarks == ("resnet50", "bert-99") and (wanted.category, wanted.division) == ("both", "open")
    assert wanted.entry == {
        "precision": "int8", "batch_wait": "2ms", "setting": str(Path("s.yaml").absolute()), "find_rate": False,
        "backend_options": {"a": "b"}, "scenarios": ["Server"], "target_qps": {"Server": 50.0},
        "target_latency": {"SingleStream": "2ms"},
    }  # fmt: skip
    assert wanted.given == {
        "fields": {"retraining": "no"}, "describe": {"cooling": "air"}, "notify": [str(Path("tell").absolute()), "lab"],
        "calibration": str(Path("how.md").absolute()),
    }  # fmt: skip


def test_what_is_missing_or_means_nothing_is_told() -> None:
    for words, says in (
        (("--category", "edge"), "what is to be run"),
        (("--benchmark", "x"), "a tree has a category"),
        (("--benchmark", "x", "--category", "edge", "--target-qps", "Server=fast"), "no rate"),
        (("--benchmark", "x", "--category", "edge", "--target-qps", "Server=-1"), "no rate"),
        (("--benchmark", "x", "--category", "edge", "--target-latency", "Serve=1ms"), "scenario"),
    ):
        with pytest.raises(UsageError, match=says):
            wanted_of(options(*words))
    with pytest.raises(click.BadParameter):
        options("--category", "all")


def test_which_options_were_given() -> None:
    assert given_options(options()) == []
    assert set(given_options(options("--no-find-rate", "--rehearsal"))) == {"rehearsal", "find_rate"}
