from __future__ import annotations

import gzip
import sys
import tarfile
from pathlib import Path

import pytest

from assay.assets.members import deb_members, npm_members, told_as_damaged, zip_members
from assay.errors import InvalidInputError, MissingDependencyError

from .archives import ar_bytes, deb_bytes, make, tar_bytes


@pytest.mark.parametrize("compression", [".xz", ".gz", ""])
def test_a_debian_package_of_any_compression_is_read(tmp_path: Path, compression: str) -> None:
    path = tmp_path / "x.deb"
    path.write_bytes(deb_bytes(tar_bytes({"./usr/share/a": b"1", "./usr/b": b"22"}), compression))
    assert [(member.name, member.open().read()) for member in deb_members(path)] == [
        ("usr/share/a", b"1"),
        ("usr/b", b"22"),
    ]


def test_zstd_asks_for_its_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    path = tmp_path / "x.deb"
    path.write_bytes(deb_bytes(tar_bytes({"./a": b"1"}), ".zst"))
    with pytest.raises(MissingDependencyError, match="zstd") as caught:
        list(deb_members(path))
    assert caught.value.hint == "pip install zstandard"


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "no ar archive"),
        (b"!<arch>\n", "no data.tar"),
        (ar_bytes({"debian-binary": b"2.0\n"}), "no data.tar"),
        (ar_bytes({f"m{number}": b"" for number in range(20)}), "no data.tar"),
        (b"!<arch>\nshort", "no ar header"),
        (ar_bytes({"a": b"1"}).replace(b"`\n", b"xx"), "no ar header"),
        (ar_bytes({"a": b"1"}).replace(b"1         `", b"-1        `"), "no ar header"),
    ],
    ids=["empty", "no members", "no data", "many members", "short header", "wrong end", "negative size"],
)
def test_what_is_no_debian_package_is_told(tmp_path: Path, raw: bytes, message: str) -> None:
    (tmp_path / "x").write_bytes(raw)
    with pytest.raises(InvalidInputError, match=message):
        list(deb_members(tmp_path / "x"))


def test_a_size_beyond_the_end_is_told(tmp_path: Path) -> None:
    raw = deb_bytes(tar_bytes({"./a": b"1" * 5_000}), "")
    (tmp_path / "x").write_bytes(raw[:-9_000])
    with pytest.raises(InvalidInputError, match="damaged"), told_as_damaged(tmp_path / "x"):
        list(deb_members(tmp_path / "x"))


def test_npm_loses_its_top_folder_whatever_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(gzip.compress(tar_bytes({"human/models/a": b"1", "top": b""})))
    assert [member.name for member in npm_members(tmp_path / "x")] == ["models/a", ""]


def test_a_header_of_megabytes_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "x", "w:gz", format=tarfile.PAX_FORMAT) as archive:
        entry = tarfile.TarInfo("package/a")
        entry.pax_headers = {"comment": "x" * 3_000_000}
        archive.addfile(entry)
    with pytest.raises(InvalidInputError, match="header that is too large"):
        list(npm_members(tmp_path / "x"))
    with tarfile.open(tmp_path / "y", "w:gz", format=tarfile.PAX_FORMAT) as archive:
        entry.pax_headers = {"comment": "x" * 100_000}
        archive.addfile(entry)
    with pytest.raises(InvalidInputError, match="header that is too large"):
        list(npm_members(tmp_path / "y"))


def test_folders_of_a_zip_are_not_plain(tmp_path: Path) -> None:
    path = make("package", tmp_path / "x", {"d/": b"", "d/a": b"1"})
    assert [(member.name, member.plain) for member in zip_members(path)] == [("d", False), ("d/a", True)]
