from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from assay.backends import registry
from assay.backends.null import BACKEND
from assay.backends.protocol import Capabilities, Precision
from assay.cli.main import run
from assay.errors import AssayError, MissingDependencyError


class Plugin:
    """An engine of somebody else's."""

    name = "plugin"
    title = "Somebody's engine"

    def __init__(self, answer: Capabilities | Exception) -> None:
        self._answer = answer

    def capabilities(self) -> Capabilities:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


ABLE = Capabilities("1.2", ("CPU", "GPU"), (Precision.FP32, Precision.BF16), ("quick",), {"device": "which one"})


def install(monkeypatch: pytest.MonkeyPatch, **engines: Any) -> None:
    def get(name: str) -> Any:
        found = engines[name]
        if isinstance(found, AssayError):
            raise found
        return found

    known = SimpleNamespace(names=lambda: sorted(engines), get=get)
    monkeypatch.setattr(registry, "backends", lambda: known)


def as_json(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_our_engines_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["backends"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["backend", "version", "devices", "precisions", "threads", "notes"]
    # A long note goes on in a line of its own, which begins with a space.
    assert [line.split()[0] for line in lines[1:] if not line.startswith(" ")] == [
        "ctranslate2", "kserve", "litert", "llamacpp", "null", "onnxruntime", "openai", "openvino", "torch",
    ]  # fmt: skip


def test_the_list_as_json(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, null=BACKEND, plugin=Plugin(ABLE))
    assert run(["backends", "--json"]) == 0
    null, plugin = as_json(capsys)
    assert null["name"] == "null"
    assert null["usable"]
    assert plugin == {
        "name": "plugin",
        "title": "Somebody's engine",
        "usable": True,
        "version": "1.2",
        "devices": ["CPU", "GPU"],
        "precisions": ["fp32", "bf16"],
        "threads": plugin["threads"],
        "notes": ["quick"],
        "options": {"device": "which one"},
    }
    assert plugin["threads"] >= 1


def test_an_engine_that_cannot_be_used_stops_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = MissingDependencyError("the library is not installed", hint="pip install library")
    install(
        monkeypatch,
        absent=absent,
        asked=Plugin(MissingDependencyError("no driver", hint="install the driver")),
        broken=Plugin(KeyError("x")),
        null=BACKEND,
    )
    assert run(["backends"]) == 0
    text = capsys.readouterr().out
    assert "the library is not installed; try: pip install library" in text
    assert "no driver; try: install the driver" in text
    assert "KeyError: 'x'" in text
    assert "null" in text
    assert run(["backends", "--json"]) == 0
    assert [entry["usable"] for entry in as_json(capsys)] == [False, False, False, True]


def test_one_engine_with_its_options(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, plugin=Plugin(ABLE))
    assert run(["backends", "show", "plugin"]) == 0
    text = capsys.readouterr().out
    for part in ("Somebody's engine (plugin)", "CPU, GPU", "fp32, bf16", "quick", "--backend plugin", "which one"):
        assert part in text
    assert run(["backends", "show", "plugin", "--json"]) == 0
    assert as_json(capsys)["version"] == "1.2"


def test_one_engine_that_is_missing(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, plugin=MissingDependencyError("not installed", hint="pip install plugin"))
    assert run(["backends", "show", "plugin"]) == 3
    text = capsys.readouterr().out
    assert "usable   no" in text
    assert "try      pip install plugin" in text
    assert run(["backends", "show", "plugin", "--json"]) == 3
    assert as_json(capsys)["fix"] == "pip install plugin"


def test_an_unknown_engine(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["backends", "show", "opnvino"]) == 3
    assert "expected openvino" in capsys.readouterr().err


def test_names_are_those_of_the_package() -> None:
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    for name in registry.backends().names():
        assert f'assay.backends.{name}:BACKEND"' in text
