"""The real sample tree of round v3.0, where it is there, and ways to damage a copy of it."""

from __future__ import annotations

import os
import re
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest

ORACLE = Path(__file__).resolve().parents[3] / "shared" / "oracle"
SAMPLE = ORACLE / "sample-v3.0.tar.xz"


def variants() -> dict[str, Any]:
    """The damaged variants and what the official tool said of each; none where the oracle is absent."""
    path = ORACLE / "broken-v3.0.yaml"
    if not path.is_file():
        return {}
    import yaml

    found = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return {name: entry for name, entry in found.items() if isinstance(entry, dict) and "change" in entry}


@pytest.fixture(scope="session")
def sample_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample tree, extracted once; never write to it."""
    if not SAMPLE.is_file():
        pytest.skip(f"the sample tree is not there: {SAMPLE}")
    root = tmp_path_factory.mktemp("sample")
    with tarfile.open(SAMPLE) as archive:
        archive.extractall(root, filter="data")
    return root


@pytest.fixture
def sample_copy(sample_tree: Path, tmp_path: Path) -> Path:
    """A copy of the sample tree that may be damaged: files are links until they are written anew."""
    target = tmp_path / "tree"
    shutil.copytree(sample_tree, target, copy_function=os.link)
    return target


def write_anew(path: Path, data: bytes) -> None:
    """Give a file other content without touching those that it shares its content with."""
    path.unlink()
    path.write_bytes(data)


def damage(root: Path, operation: dict[str, Any]) -> None:
    """Do one operation of the oracle's variants."""
    kind, name = operation["op"], operation["path"]
    paths = sorted(root.glob(name)) if "*" in name else [root / name]
    assert paths, name
    for path in paths:
        if kind == "delete":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        elif kind == "rename":
            path.rename(root / operation["to"])
        elif kind == "replace":
            text = path.read_text(encoding="utf-8")
            changed = re.sub(operation["pattern"], operation["with"], text)
            assert changed != text, operation
            write_anew(path, changed.encode())
        elif kind == "append":
            write_anew(path, path.read_bytes() + operation["text"].encode())
        elif kind == "pad":
            write_anew(path, path.read_bytes() + b" " * operation["bytes"])
        elif kind == "truncate":
            write_anew(path, path.read_bytes()[: operation["bytes"]])
        else:
            raise AssertionError(kind)
