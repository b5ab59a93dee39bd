from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assay.errors import NotFoundError, UsageError
from assay.harness.external.command import SETTINGS, choose, scenario_word
from assay.harness.external.forms import read_implementation
from assay.harness.external.model import Implementation
from assay.rules.model import Mode, Scenario

from .test_external_forms import write


def make(tmp_path: Path, /, **changes: Any) -> Implementation:
    return read_implementation(write(tmp_path, **changes))


def test_placeholders_are_filled_and_options_added_only_for_what_was_given(tmp_path: Path) -> None:
    of = make(
        tmp_path,
        modes={"performance": ["--perf"], "accuracy": ["--accuracy"]},
        scenario_arguments={"Offline": ["--all-at-once"]},
        options={"batch_size": ["--batch", "{batch_size}"], "threads": ["-j{threads}"]},
        environment={"LOGS": "{output}"},
        logs="logs",
    )
    chosen = choose(of, None, {})
    made = chosen.invocation(
        Scenario.OFFLINE,
        Mode.PERFORMANCE,
        {"model": "a b.onnx", "batch_size": "8"},
        frozenset({"batch_size"}),
        tmp_path,
    )
    assert made.command == ("run", "offline", "--model=a b.onnx", "--all-at-once", "--perf", "--batch", "8")
    assert made.environment == {"LOGS": str(tmp_path)}
    assert made.logs == tmp_path / "logs"
    assert made.folder == tmp_path


def test_a_value_is_never_read_again_for_placeholders(tmp_path: Path) -> None:
    chosen = choose(make(tmp_path), None, {})
    assert chosen.filled("{model}", {"model": "{dataset}; rm -rf /"}) == "{dataset}; rm -rf /"


def test_what_nobody_gave_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"mine has to be told file or folder of the model \(model\)") as caught:
        choose(make(tmp_path), None, {}).filled("{model}", {})
    assert caught.value.hint == "--model FILE"


def test_words_are_the_users_or_the_manifests(tmp_path: Path) -> None:
    of = make(
        tmp_path, parameters={"python": {"help": "the interpreter", "default": "python3"}, "card": {"help": "which"}}
    )
    assert choose(of, None, {"card": "0"}).words == {"python": "python3", "card": "0"}
    assert choose(of, None, {"card": "0"}).shown("{python} {model}") == "python3 {model}"
    with pytest.raises(UsageError, match="has to be told card: which"):
        choose(of, None, {})
    with pytest.raises(NotFoundError, match="unknown parameter of mine 'pyton'; expected python"):
        choose(of, None, {"pyton": "x", "card": "0"})


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    of = make(tmp_path, folder="vision", source="a checkout of something")
    with pytest.raises(NotFoundError, match="the program of mine is not here; expected a checkout") as caught:
        choose(of, tmp_path / "nowhere", {})
    assert "--implementation-dir" in str(caught.value.hint)


def test_a_scenario_that_it_does_not_have(tmp_path: Path) -> None:
    assert scenario_word(make(tmp_path), Scenario.OFFLINE) == "offline"
    with pytest.raises(UsageError, match="mine has no Server; expected one of Offline"):
        scenario_word(make(tmp_path), Scenario.SERVER)


def test_every_setting_has_a_placeholder_for_its_value() -> None:
    assert {"batch_size", "threads", "precision", "samples", "sample_limit"} <= set(SETTINGS)
