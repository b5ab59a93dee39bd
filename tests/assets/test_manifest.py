from __future__ import annotations

from pathlib import Path

import pytest

from assay.assets.manifest import HttpsSource, Kind, PackageSource, manifest_schema, read_manifest
from assay.errors import InvalidInputError, NotFoundError

GOOD = """format: 1
name: thing
kind: dataset
task: image-classification
title: A thing
sources:
  - type: https
    urls: [https://example.org/x.zip]
    archive: true
  - type: package
    package: some-package
    version: 1.2.3
    files: some/data/*.jpg
sha256: {sha}
size: 12
licence: none
count: 3
""".format(sha="ab" * 32)


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "thing.yaml"
    path.write_text(text)
    return path


def test_a_manifest_is_read(tmp_path: Path) -> None:
    asset = read_manifest(write(tmp_path, GOOD))
    assert asset.kind is Kind.DATASET
    assert asset.sources == (
        HttpsSource(("https://example.org/x.zip",), True),
        PackageSource("some-package", "1.2.3", "some/data/*.jpg"),
    )
    assert (asset.size, asset.count, asset.build, asset.local) == (12, 3, None, None)


@pytest.mark.parametrize(
    ("old", "new", "line", "key"),
    [
        ("kind: dataset", "kind: datset", 3, "kind"),
        ("size: 12", "size: -1", 15, "size"),
        ("licence: none", "licence: none\nlicense: none", 17, "license"),
        ("https://example.org", "file://example.org", 8, "sources.0.https.urls"),
        ("some/data/*.jpg", "../data/*.jpg", 11, "files"),
        ("some/data/*.jpg", "/data/*.jpg", 11, "files"),
        ("package: some-package", "package: --index-url=x", 11, "package"),
        ("sha256: ab", "sha256: zz", 14, "sha256"),
    ],
)
def test_a_wrong_manifest_is_told_with_line_and_key(tmp_path: Path, old: str, new: str, line: int, key: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_manifest(write(tmp_path, GOOD.replace(old, new)))
    assert caught.value.where is not None
    assert key.rsplit(".", 1)[-1] in caught.value.where
    assert "thing.yaml:" in caught.value.where
    assert f"thing.yaml:{line}" in caught.value.where


def test_a_missing_manifest_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_manifest(tmp_path / "none.yaml")


def test_the_schema_names_every_field() -> None:
    assert {"name", "kind", "sources", "sha256", "licence"} <= set(manifest_schema()["properties"])
