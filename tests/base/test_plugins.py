from __future__ import annotations

import sys
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from assay.base import plugins
from assay.base.plugins import Registry
from assay.errors import AssayError, MissingDependencyError, NotFoundError

GROUP = "assay.things"


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry[object]:
    modules = {
        "good": "THING = 'good'",
        "needy": "import a_library_that_is_not_there",
        "wild": "1 / 0",
        "ours": "from assay.errors import UsageError\nraise UsageError('not here')",
        "bare": "",
    }
    for name, code in modules.items():
        (tmp_path / f"assay_test_{name}.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    points = EntryPoints(EntryPoint(name, f"assay_test_{name}:THING", GROUP) for name in modules)
    monkeypatch.setattr(plugins, "entry_points", lambda group: points.select(group=group))
    return Registry(GROUP, "thing")


def test_names_need_no_import(registry: Registry[object]) -> None:
    assert registry.names() == ["bare", "good", "needy", "ours", "wild"]
    assert not any(name.startswith("assay_test_") for name in sys.modules)


def test_one_is_loaded_by_name(registry: Registry[object]) -> None:
    assert registry.get("good") == "good"


def test_a_misspelt_name_has_close_ones(registry: Registry[object]) -> None:
    with pytest.raises(NotFoundError, match="good") as caught:
        registry.get("godo")
    assert "thing" in caught.value.what


def test_a_missing_library_is_told_with_the_command(registry: Registry[object]) -> None:
    with pytest.raises(MissingDependencyError, match="a_library_that_is_not_there") as caught:
        registry.get("needy")
    assert caught.value.hint == 'pip install "assay[needy]"'


def test_broken_ones_stop_nothing_else(registry: Registry[object]) -> None:
    loaded, broken = registry.load_all()
    assert loaded == {"good": "good"}
    reasons = {one.name: one.reason for one in broken}
    assert reasons["wild"] == "ZeroDivisionError: division by zero"
    assert reasons["ours"] == "not here"
    assert "a_library_that_is_not_there" in reasons["needy"]
    assert reasons["bare"].startswith("AttributeError")
    assert {one.origin for one in broken} == {f"assay_test_{name}:THING" for name in reasons}


@pytest.mark.parametrize("name", ["wild", "ours", "bare"])
def test_a_plugin_that_breaks_while_loading_is_told_as_an_error_of_ours(registry: Registry[object], name: str) -> None:
    with pytest.raises(AssayError):
        registry.get(name)


def test_our_own_engines_and_tasks_are_plugins_too() -> None:
    assert {"onnxruntime", "openvino", "null"} <= set(Registry[object]("assay.backends", "backend").names())
    assert "image-classification" in Registry[object]("assay.tasks", "task").names()
