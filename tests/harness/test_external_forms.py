from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from assay.errors import InvalidInputError
from assay.harness.external.forms import implementation_schema, read_implementation
from assay.harness.external.model import Container
from assay.rules.model import Mode, Scenario

SMALL: dict[str, Any] = {
    "format": 1,
    "name": "mine",
    "title": "Mine",
    "task": "language",
    "command": ["run", "{scenario}", "--model={model}"],
    "modes": {"performance": []},
    "scenarios": {"Offline": "offline"},
}


def write(place: Path, /, **changes: Any) -> Path:
    path = place / "mine.yaml"
    path.write_text(yaml.safe_dump({**SMALL, **changes}, sort_keys=False))
    return path


def test_what_is_not_said_has_a_plain_meaning(tmp_path: Path) -> None:
    of = read_implementation(write(tmp_path, time_limit="90m"))
    assert of.command == ("run", "{scenario}", "--model={model}")
    assert of.modes == {Mode.PERFORMANCE: ()}
    assert of.scenarios == {Scenario.OFFLINE: "offline"}
    assert (of.folder, of.logs, of.build, of.container) == (".", ".", (), None)
    assert of.time_limit_ns == 90 * 60 * 10**9


def test_a_container_is_an_image_or_more_of_it(tmp_path: Path) -> None:
    assert read_implementation(write(tmp_path, container="ghcr.io/me/it:1.2")).container == Container(
        "ghcr.io/me/it:1.2"
    )
    told = {"image": "it@sha256:0f", "options": ["--gpus=all"], "network": True, "writable": True}
    assert read_implementation(write(tmp_path, container=told)).container == Container(
        "it@sha256:0f", ("--gpus=all",), network=True, writable=True
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"command": []}, "command"),
        ({"command": ["run", "{modle}"]}, "nothing is known of {modle} in '{modle}'"),
        ({"environment": {"A": "{b}"}}, "nothing is known of {b}"),
        ({"options": {"speed": ["--fast"]}}, "no setting 'speed'"),
        ({"parameters": {"model": {"help": "x"}}}, "a name of its own"),
        ({"parameters": {"a-b": {"help": "x"}}}, "a name of its own"),
        ({"logs": "../elsewhere"}, "stay inside"),
        ({"folder": "/etc"}, "stay inside"),
        ({"time_limit": "soon"}, "time_limit"),
        ({"scenarios": {"Onnline": "x"}}, "scenarios"),
        ({"modes": {"fast": []}}, "modes"),
        ({"comand": ["x"]}, "command"),
        ({"format": 2}, "format"),
        ({"container": "--privileged"}, "container"),
        ({"container": {"image": "x y"}}, "container"),
        ({"container": {"image": "x", "options": ["{what}"]}}, "nothing is known of {what}"),
        ({"container": {"options": ["--gpus=all"]}}, "container"),
    ],
)
def test_a_wrong_manifest_is_told_with_its_place(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_implementation(write(tmp_path, **changes))
    assert words in str(caught.value)
    assert "mine.yaml" in str(caught.value)


def test_the_schema_describes_every_key() -> None:
    properties = implementation_schema()["properties"]
    assert set(SMALL) <= set(properties)
    assert {"options", "parameters", "needs", "build", "container", "time_limit"} <= set(properties)
