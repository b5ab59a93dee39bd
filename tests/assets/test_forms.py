from __future__ import annotations

from pathlib import Path

import pytest

from assay.assets.forms import manifest_schema, read_manifest
from assay.assets.manifest import HttpsSource, Kind, LocalSource, PackageSource
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
        PackageSource("some-package", "1.2.3", ("some/data/*.jpg",)),
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


NPM = """  - type: npm
    package: "@some/human"
    version: 3.3.6
    files: [models/a.json, models/b/*.bin]
    root: models
"""
DEBIAN = """  - type: debian
    package: some-data
    version: 1:1.2+dfsg-4~bpo1
    pool: pool/main/s/some/some-data_1.2+dfsg-4_all.deb
    files: usr/share/x.zip
    unzip: [a/b.txt]
"""
LOCAL = """  - type: local
    layout: squad-v1.1
    instructions: get it
"""


def with_sources(*sources: str) -> str:
    head, _, rest = GOOD.partition("sources:\n")
    return head + "sources:\n" + "".join(sources) + rest[rest.index("sha256") :]


def test_packages_of_other_indexes_are_read(tmp_path: Path) -> None:
    asset = read_manifest(write(tmp_path, with_sources(NPM, DEBIAN)))
    assert asset.sources == (
        PackageSource("@some/human", "3.3.6", ("models/a.json", "models/b/*.bin"), "npm", "models"),
        PackageSource(
            "some-data",
            "1:1.2+dfsg-4~bpo1",
            ("usr/share/x.zip",),
            "debian",
            "",
            ("a/b.txt",),
            "pool/main/s/some/some-data_1.2+dfsg-4_all.deb",
        ),
    )
    assert [source.described for source in asset.sources if isinstance(source, PackageSource)] == [
        "npm package @some/human 3.3.6",
        "Debian package some-data 1:1.2+dfsg-4~bpo1",
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("root: models", "root: weights", "is not below root"),
        ("root: models", "root: ../x", "inside the package"),
        ("models/a.json", "../a.json", "inside the package"),
        ("models/a.json", "./a.json", "inside the package"),
        ("models/a.json", "models//a.json", "inside the package"),
        ("@some/human", "@some/../human", "package"),
        ("@some/human", "--registry=x", "package"),
        ("pool/main/s/some", "pool/../../some", "inside the package"),
        ("pool/main", "https://example.org/pool/main", "pool"),
        ("package: some-data", "package: -o=x", "package"),
        ("unzip: [a/b.txt]", "unzip: [../b.txt]", "inside the package"),
        ("unzip: [a/b.txt]", "unzip: [a/b.txt]\n    root: usr", "unzip goes with"),
    ],
)
def test_a_path_that_leaves_a_package_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_manifest(write(tmp_path, with_sources(NPM, DEBIAN).replace(old, new)))
    assert message in f"{caught.value} {caught.value.where}"


def test_a_layout_beside_an_address_is_not_only_the_users_to_get(tmp_path: Path) -> None:
    asset = read_manifest(write(tmp_path, GOOD.replace("sha256:", LOCAL + "sha256:")))
    assert (asset.layout, asset.local) == (LocalSource("squad-v1.1", "get it"), None)
    asset = read_manifest(write(tmp_path, with_sources(LOCAL)))
    assert asset.local == asset.layout == LocalSource("squad-v1.1", "get it")


def test_an_unknown_layout_and_a_wrong_md5_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="no such layout"):
        read_manifest(write(tmp_path, with_sources(LOCAL.replace("squad-v1.1", "squad"))))
    with pytest.raises(InvalidInputError, match="md5"):
        read_manifest(write(tmp_path, GOOD.replace("archive: true", "md5: zz")))
    asset = read_manifest(write(tmp_path, GOOD.replace("archive: true", f"md5: {'0a' * 16}")))
    assert asset.sources[0] == HttpsSource(("https://example.org/x.zip",), False, "0a" * 16)


def test_a_missing_manifest_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_manifest(tmp_path / "none.yaml")


def test_the_schema_names_every_field() -> None:
    assert {"name", "kind", "sources", "sha256", "licence"} <= set(manifest_schema()["properties"])
