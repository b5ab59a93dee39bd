from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete

from assay.cli.main import assay
from assay.cli.results_options import count

from .conftest import Call


def suggested(*words: str) -> list[str]:
    """What the shell is given for the last word."""
    *before, last = words
    return [item.value for item in ShellComplete(assay, {}, "assay", "_ASSAY_COMPLETE").get_completions(before, last)]


def test_fields_and_metrics_are_completed(asked_home: Path) -> None:
    assert "watts" in suggested("results", "query", "wat")
    assert suggested("results", "query", "samples_per_jo") == ["samples_per_joule"]
    assert "watts < 5 and organisation" in suggested("results", "query", "watts < 5 and organ")
    # The words of a filter without quotes.
    assert "organisation" in suggested("results", "query", "watts", "<", "5", "and", "organ")
    assert "==" in suggested("results", "query", "organisation", "")
    assert suggested("results", "query", "--columns", "system,samples_per_jo") == ["system,samples_per_joule"]
    assert suggested("results", "query", "--sort", "system,-samples_per_jo") == ["system,-samples_per_joule"]
    assert suggested("results", "query", "'", "x") == []


def test_values_are_completed(call: Call, asked_home: Path) -> None:
    # The index is not made for it.
    assert suggested("results", "query", "--organisation", "") == []
    call("results", "query", "-q")
    assert suggested("results", "query", "--organisation", "n") == ["NVIDIA"]
    assert suggested("results", "query", "--round", "") == ["v2.1", "v3.0"]
    assert suggested("results", "best", "-n", "") == ["bert-99", "resnet"]
    assert suggested("results", "best", "--category", "") == ["edge"]


@pytest.mark.parametrize(("number", "told"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (12345, "12,345 rows")])
def test_counts(number: int, told: str) -> None:
    assert count(number, "row") == told


def test_every_question_takes_the_same_options() -> None:
    group = assay.get_command(click.Context(assay), "results")
    assert isinstance(group, click.Group)
    shared = {"filter_", "round", "benchmark", "task", "scenario", "division", "category", "organisation"}
    shared |= {"inferred", "refused", "local", "baseline", "given"}
    for name in ("query", "best", "pareto", "export"):
        assert shared <= {str(parameter.name) for parameter in group.commands[name].params}
