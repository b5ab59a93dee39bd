from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.assets.archive import Bounds, extract_archive
from assay.errors import InvalidInputError

HOSTILE = ["../out", "/abs", "a/../../out", "..\\out", "C:/out", "a/..", "./../x"]


def make_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def make_tar(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_files_and_folders_come_out(tmp_path: Path, make: object) -> None:
    archive = make(tmp_path / "a", {"x.txt": b"1", "deep/er/y.txt": b"22"})  # type: ignore[operator]
    assert extract_archive(archive, tmp_path / "out") == 3
    assert (tmp_path / "out" / "deep" / "er" / "y.txt").read_bytes() == b"22"


@pytest.mark.parametrize("make", [make_zip, make_tar])
@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_leaves_the_folder(tmp_path: Path, make: object, name: str) -> None:
    archive = make(tmp_path / "a", {name: b"x"})  # type: ignore[operator]
    with pytest.raises(InvalidInputError, match="outside its folder"):
        extract_archive(archive, tmp_path / "in" / "out")
    assert not list((tmp_path).rglob("out/*"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        member = tarfile.TarInfo("x")
        member.type = kind
        member.linkname = "/etc/passwd"
        archive.addfile(member)
    with pytest.raises(InvalidInputError, match="no plain file"):
        extract_archive(tmp_path / "a.tar", tmp_path / "out")


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("x")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(InvalidInputError, match="a link"):
        extract_archive(tmp_path / "a.zip", tmp_path / "out")


def test_a_bomb_is_stopped(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x", b"\0" * 5_000_000)
    with pytest.raises(InvalidInputError, match="too large"):
        extract_archive(tmp_path / "a.zip", tmp_path / "out", Bounds(total=1_000_000))


def test_too_many_entries_are_stopped(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "a.zip", {f"{number}": b"" for number in range(20)})
    with pytest.raises(InvalidInputError, match="too many entries"):
        extract_archive(archive, tmp_path / "out", Bounds(entries=10))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_rubbish_is_told_as_damaged(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(InvalidInputError, match="damaged"):
        extract_archive(tmp_path / "a", tmp_path / "out")
