from __future__ import annotations

import pytest

from assay.assets.manifest import PackageSource


@pytest.mark.parametrize(
    ("kind", "text"),
    [("package", "package x 1"), ("npm", "npm package x 1"), ("debian", "Debian package x 1")],
)
def test_a_package_is_described_with_its_index(kind: str, text: str) -> None:
    assert PackageSource("x", "1", ("f",), kind).described == text
