"""What is taken out of packages of all three kinds, and what hostile ones cannot do."""

from __future__ import annotations

import contextlib
import io
import random
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.assets import members, selection
from assay.assets.manifest import PackageSource
from assay.assets.selection import take_files
from assay.errors import AssayError, InvalidInputError, NotFoundError

from .archives import LINKS, make

KINDS = ["package", "npm", "debian"]
FILES = {"d/a.wav": b"aa", "d/b.wav": b"bbb", "d/e/c.wav": b"c", "d/text": b"t", "other/a.wav": b"no"}


def take(archive: Path, kind: str, *files: str, root: str = "", unzip: tuple[str, ...] = ()) -> dict[str, bytes]:
    folder = archive.parent / "out" / "content"
    folder.mkdir(parents=True)
    taken = take_files(archive, PackageSource("x", "1", files, kind, root, unzip), folder)
    assert taken == sorted(path for path in folder.rglob("*") if path.is_file())
    assert list(folder.parent.iterdir()) == [folder]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in taken}


@pytest.mark.parametrize("kind", KINDS)
def test_names_and_patterns_take_just_those_files(tmp_path: Path, kind: str) -> None:
    archive = make(kind, tmp_path / "x", FILES)
    assert take(archive, kind, "d/*.wav", "d/text") == {"a.wav": b"aa", "b.wav": b"bbb", "text": b"t"}


@pytest.mark.parametrize("kind", KINDS)
def test_paths_below_the_root_are_kept(tmp_path: Path, kind: str) -> None:
    archive = make(kind, tmp_path / "x", FILES)
    taken = take(archive, kind, "d/a.wav", "d/e/*.wav", root="d")
    assert taken == {"a.wav": b"aa", "e/c.wav": b"c"}


@pytest.mark.parametrize("kind", KINDS)
def test_members_of_a_zip_inside_are_the_asset(tmp_path: Path, kind: str) -> None:
    inner = make("package", tmp_path / "inner.zip", {"model.bin": b"m", "p/config.json": b"{}", "rest": b"r"})
    archive = make(kind, tmp_path / "x", {"d/model.zip": inner.read_bytes()})
    taken = take(archive, kind, "d/model.zip", unzip=("model.bin", "p/config.json"))
    assert taken == {"model.bin": b"m", "config.json": b"{}"}


def test_what_is_no_zip_or_more_than_one_is_told(tmp_path: Path) -> None:
    archive = make("npm", tmp_path / "x", {"d/1.zip": b"no zip", "d/2.zip": b""})
    with pytest.raises(InvalidInputError, match="is no zip"):
        take(archive, "npm", "d/1.zip", unzip=("m",))
    with pytest.raises(InvalidInputError, match="more than one file"):
        take_files(archive, PackageSource("x", "1", ("d/*",), "npm", "", ("m",)), tmp_path / "out" / "content")


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_not_there_is_named(tmp_path: Path, kind: str) -> None:
    archive = make(kind, tmp_path / "x", FILES)
    with pytest.raises(NotFoundError, match=r"no file 'd/z\.wav'"):
        take(archive, kind, "d/a.wav", "d/z.wav")


@pytest.mark.parametrize("kind", KINDS)
def test_two_files_of_one_name_are_refused(tmp_path: Path, kind: str) -> None:
    archive = make(kind, tmp_path / "x", FILES)
    with pytest.raises(InvalidInputError, match="two files"):
        take(archive, kind, "d/a.wav", "other/a.wav")


def test_a_file_that_another_needs_as_its_folder_is_refused(tmp_path: Path) -> None:
    archive = make("npm", tmp_path / "x", {"d/e": b"file", "d/e/c": b"below"})
    with pytest.raises(InvalidInputError, match="two files"):
        take(archive, "npm", "d/e", "d/e/c", root="d")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("special", sorted(LINKS))
def test_a_link_or_device_is_never_taken(tmp_path: Path, kind: str, special: str) -> None:
    archive = make(kind, tmp_path / "x", {"d/b": b"b"}, special={"d/a": LINKS[special]})
    with pytest.raises(InvalidInputError, match="no plain file"):
        take(archive, kind, "d/a")
    folder = tmp_path / "second"
    folder.mkdir()
    taken = take_files(archive, PackageSource("x", "1", ("d/*",), kind), folder)
    assert [path.name for path in taken] == ["b"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["../evil", "d/../../evil", "/evil", "d/..", "..\\evil", "C:\\evil", "d/\\..\\evil"])
def test_a_hostile_name_never_leaves_the_folder(tmp_path: Path, kind: str, name: str) -> None:
    archive = make(kind, tmp_path / "x", {name: b"x", "d/good": b"good"})
    folder = tmp_path / "in" / "out" / "content"
    folder.mkdir(parents=True)
    for number, pattern in enumerate(["*", "d/*", "../*"]):
        source = PackageSource("x", "1", (pattern,), kind, root="d" if number == 1 else "")
        with contextlib.suppress(AssayError):
            take_files(archive, source, folder)
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path != archive]
    assert all(path.is_relative_to(folder) for path in written)


@pytest.mark.parametrize("kind", KINDS)
def test_a_bomb_is_stopped(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "MAX_TAKEN", 1_000_000)
    archive = make(kind, tmp_path / "x", {"d/a": b"\0" * 5_000_000})
    assert archive.stat().st_size < 100_000
    with pytest.raises(InvalidInputError, match="too large"):
        take(archive, kind, "d/a")


@pytest.mark.parametrize("kind", ["npm", "debian"])
def test_a_bomb_in_a_file_nobody_asked_for_is_stopped(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "MAX_BYTES", 1_000_000)
    archive = make(kind, tmp_path / "x", {"bomb": b"\0" * 5_000_000, "d/a": b"a"})
    with pytest.raises(InvalidInputError, match="too large when unpacked"):
        take(archive, kind, "d/a")


@pytest.mark.parametrize("kind", KINDS)
def test_too_many_members_are_stopped(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "MAX_MEMBERS", 10)
    archive = make(kind, tmp_path / "x", {f"d/{number}": b"" for number in range(20)})
    with pytest.raises(InvalidInputError, match="too many files"):
        take(archive, kind, "d/1")


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_package_is_told_or_gives_the_right_bytes(tmp_path: Path, kind: str, data: st.DataObject) -> None:
    """Cut anywhere, or with bytes changed: no other exception than ours, and nothing beside the folder."""
    content = random.Random(1).randbytes(3_000)
    whole = make(kind, tmp_path / "x", {"d/a": content, "d/b": b"b" * 2_000}).read_bytes()
    raw = bytearray(whole[: data.draw(st.integers(0, len(whole)))] if data.draw(st.booleans()) else whole)
    for position in data.draw(st.lists(st.integers(0, max(0, len(raw) - 1)), max_size=4)) if raw else ():
        raw[position] = data.draw(st.integers(0, 255))
    (tmp_path / "damaged").write_bytes(raw)
    folder = tmp_path / "out" / "content"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        (taken,) = take_files(tmp_path / "damaged", PackageSource("x", "1", ("d/a",), kind), folder)
    except (InvalidInputError, NotFoundError):
        return
    assert taken == folder / "a"
    if kind != "debian" and bytes(raw) == whole:
        assert taken.read_bytes() == content


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=400))
def test_rubbish_is_told(tmp_path: Path, kind: str, raw: bytes) -> None:
    (tmp_path / "x").write_bytes(raw)
    with pytest.raises((InvalidInputError, NotFoundError)):
        take_files(tmp_path / "x", PackageSource("x", "1", ("d/a",), kind), tmp_path)


def test_an_encrypted_zip_is_told(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("d/a", b"secret")
    raw = bytearray(buffer.getvalue())
    for marker, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(marker) + offset] |= 1
    (tmp_path / "x").write_bytes(raw)
    with pytest.raises(InvalidInputError, match="damaged"):
        take(tmp_path / "x", "package", "d/a")
