from __future__ import annotations

from pathlib import Path

import click
import pytest

from assay.cli.options import CATEGORY, DURATION, SCENARIO, complete_backend, complete_runnable, key_values
from assay.errors import UsageError
from assay.rules.model import Category, Scenario


@pytest.mark.parametrize("text", ["SingleStream", "singlestream", "single-stream", "SINGLE_STREAM"])
def test_names_in_any_spelling(text: str) -> None:
    assert SCENARIO.convert(text, None, None) is Scenario.SINGLE_STREAM
    assert CATEGORY.convert("Edge", None, None) is Category.EDGE


def test_a_wrong_name_is_told_with_the_closest() -> None:
    with pytest.raises(click.BadParameter, match="expected Server"):
        SCENARIO.convert("serve", None, None)


def test_durations_need_a_unit() -> None:
    assert DURATION.convert("2ms", None, None) == 2_000_000
    with pytest.raises(click.BadParameter, match="with a unit"):
        DURATION.convert("2", None, None)


def test_the_shell_completes_names() -> None:
    context = click.Context(click.Command("x"))
    option = click.Option(["--scenario"])
    assert [item.value for item in SCENARIO.shell_complete(context, option, "s")] == ["SingleStream", "Server"]


def test_the_shell_completes_what_can_be_run(home: Path) -> None:
    context = click.Context(click.Command("x"))
    option = click.Option(["--name"])
    assert [item.value for item in complete_runnable(context, option, "mob")] == ["mobilenet-v2"]
    assert "bert-99" in [item.value for item in complete_runnable(context, option, "")]
    assert [item.value for item in complete_backend(context, option, "open")] == ["openai", "openvino"]


def test_pairs() -> None:
    assert key_values(("a=1", "b=x=y", "c="), "--o") == {"a": "1", "b": "x=y", "c": ""}
    for wrong in ("a", "=1"):
        with pytest.raises(UsageError, match="KEY=VALUE"):
            key_values((wrong,), "--o")
