from __future__ import annotations

import json
import sys

import pytest

from assay.cli.main import run


def test_engines_are_listed_with_what_this_machine_supports(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["backends", "--json"]) == 0
    found = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert {"onnxruntime", "openvino", "null"} <= set(found)
    assert "fp32" in found["onnxruntime"]["precisions"]
    assert found["onnxruntime"]["devices"][-1:] == ["CPU"]


def test_an_engine_that_is_not_installed_says_how_to_get_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert run(["backends"]) == 0
    shown = capsys.readouterr().out
    assert 'pip install "assay[openvino]"' in shown
