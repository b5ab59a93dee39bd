from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from assay.errors import InvalidInputError
from assay.models.dlrm_snapshot import METADATA, find_snapshot, locate_snapshot
from assay.models.dlrm_stored import check_stored, read_stored

from .dlrm_made import name_v2, snapshot

TENSORS = {
    "table.0": np.arange(40, dtype=np.float32).reshape(10, 4),
    "table.2": np.arange(20, dtype=np.float32).reshape(5, 4),
    "cross.0.bias": np.arange(12, dtype=np.float32),
    "top.0.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return snapshot(tmp_path / "snapshot", TENSORS, 2)


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_tables_cut_over_files_are_put_together(folder: Path, form: str) -> None:
    if form == "yaml":
        path = folder / METADATA
        path.write_text(yaml.safe_dump(json.loads(path.read_text())))
    found = locate_snapshot(folder)
    assert len(found) == len(TENSORS)
    for name, array in TENSORS.items():
        stored = found[name_v2(name, 2)]
        check_stored(name, stored)
        assert np.array_equal(read_stored(stored).reshape(array.shape), array)
    assert [len(found[name_v2(name, 2)].blocks) for name in TENSORS] == [2, 2, 1, 1]


def test_the_snapshot_may_lie_in_a_folder_of_the_archive(folder: Path) -> None:
    assert find_snapshot(folder.parent) == folder
    with pytest.raises(InvalidInputError, match="there is no"):
        find_snapshot(folder / "sharded")


def changed(folder: Path, change: Callable[[Any], Any]) -> Path:
    path = folder / METADATA
    read = json.loads(path.read_text())
    change(read["manifest"])
    path.write_text(json.dumps(read))
    return folder


TABLE, PLAIN = f"0/model/{name_v2('table.0', 2)}", f"0/model/{name_v2('top.0.weight', 2)}"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda m: m[PLAIN].update(location="../../secret"), "leads out"),
        (lambda m: m[PLAIN].update(location="/etc/passwd"), "leads out"),
        (lambda m: m[PLAIN].update(dtype="torch.qint8"), "another form"),
        (lambda m: m[PLAIN].update(serializer="torch_save"), "another form"),
        (lambda m: m[PLAIN].update(byte_range=[0, 8]), "sizes do not fit"),
        (lambda m: m[PLAIN].update(shape=[]), "another form"),
        (lambda m: m[PLAIN].update(shape=[2, -3]), "sizes do not fit"),
        (lambda m: m[TABLE].update(shards=None), "another form"),
        (lambda m: m[TABLE]["shards"][0].update(sizes=[5, 3]), "sizes do not fit"),
        (lambda m: m[TABLE]["shards"][0].update(offsets=[0]), "sizes do not fit"),
    ],
)
def test_entries_of_another_form_are_told(folder: Path, change: Any, what: str) -> None:
    with pytest.raises(InvalidInputError, match=what):
        locate_snapshot(changed(folder, change))


@pytest.mark.parametrize("offsets", [[4, 0], [6, 0]])
def test_gaps_and_overlaps_are_told(folder: Path, offsets: list[int]) -> None:
    key = TABLE.replace("0/", "1/", 1)
    found = locate_snapshot(changed(folder, lambda m: m[key]["shards"][0].update(offsets=offsets)))
    with pytest.raises(InvalidInputError, match="do not make it up"):
        check_stored("table", found[name_v2("table.0", 2)])


@pytest.mark.parametrize("text", ["", "{", "[1]", "a: [", '{"manifest": 7}', "&a [*a]"])
def test_metadata_that_is_none_is_told(folder: Path, text: str) -> None:
    (folder / METADATA).write_text(text)
    with pytest.raises(InvalidInputError):
        locate_snapshot(folder)


def test_a_link_out_of_the_snapshot_is_told(folder: Path) -> None:
    (folder.parent / "secret").write_bytes(bytes(80))
    part = folder / json.loads((folder / METADATA).read_text())["manifest"][TABLE]["shards"][0]["tensor"]["location"]
    part.unlink()
    part.symlink_to(folder.parent / "secret")
    with pytest.raises(InvalidInputError, match="leads out"):
        locate_snapshot(folder)
