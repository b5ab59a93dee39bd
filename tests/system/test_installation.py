from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints, PackageNotFoundError
from typing import Any

import pytest

from assay.base.diagnosis import Condition, Diagnosis
from assay.system import installation
from assay.system.installation import diagnose_installation, installed_version


def checks() -> dict[str, Diagnosis]:
    return {check.name: check for check in diagnose_installation()}


@pytest.fixture
def points(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Replace the installed plugins."""

    def install(*found: EntryPoint) -> None:
        table = EntryPoints(found)

        def entry_points(**wanted: str) -> EntryPoints:
            return table.select(**wanted) if wanted else table

        monkeypatch.setattr(installation, "entry_points", entry_points)
        monkeypatch.setattr("assay.base.plugins.entry_points", entry_points)

    return install


def test_this_installation_can_run() -> None:
    found = checks()
    assert found["Python"].state is Condition.OK
    assert found["LoadGen"].state is Condition.OK
    assert found["engine onnxruntime"].state is Condition.OK
    assert "an engine" not in found
    assert "engine null" not in found


def test_without_loadgen_nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "find_spec", lambda name: None)
    found = checks()
    assert found["LoadGen"].state is Condition.MISSING
    assert found["LoadGen"].essential
    assert found["LoadGen"].fix == "pip install mlcommons-loadgen"
    assert found["pip"].state is Condition.MISSING
    assert not found["pip"].essential


def test_without_any_engine_library_that_is_essential(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(installation, "version", version)
    found = checks()
    assert found["engine openvino"].state is Condition.MISSING
    assert found["engine openvino"].fix == 'pip install "assay[openvino]"'
    assert found["an engine"].essential


def test_a_broken_plugin_is_named_with_its_reason(points: Any) -> None:
    points(
        EntryPoint("onnxruntime", "assay.backends.onnxruntime:BACKEND", "assay.backends"),
        EntryPoint("acme", "acme_engine_that_is_not_there:BACKEND", "assay.backends"),
        EntryPoint("other", "x:y", "somebody.else"),
    )
    found = checks()
    assert found["plugin acme"].state is Condition.WARNING
    assert "acme_engine_that_is_not_there" in found["plugin acme"].detail
    assert "plugin other" not in found
    assert "an engine" not in found


def test_a_strangers_engine_that_loads_is_an_engine(points: Any) -> None:
    points(EntryPoint("mine", "json:loads", "assay.backends"))
    found = checks()
    assert found["engine mine"].state is Condition.OK
    assert "an engine" not in found


def test_an_old_python_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "_OLDEST_PYTHON", (99, 0))
    assert checks()["Python"].essential


def test_versions_by_metadata() -> None:
    assert installed_version("click")
    assert installed_version("no-such-distribution-here") is None
