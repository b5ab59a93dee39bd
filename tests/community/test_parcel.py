from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from assay.base.files import sha256_file
from assay.community.outcome import UploadKind
from assay.community.parcel import pack, parcel_of_path, parcel_of_runs, with_partner
from assay.errors import InvalidInputError, NotFoundError
from assay.loadgen.names import ACCURACY, DETAIL, TRACE
from assay.loadgen.record import RunStatus
from assay.playground.security.archive import unpack

from ..submission.smalltree import SmallTree
from .conftest import MakeRun


def names(path: Path) -> list[str]:
    with tarfile.open(path) as tar:
        return tar.getnames()


def test_a_tree_is_packed_whole_and_unpacked_as_it_was(tree: SmallTree, tmp_path: Path) -> None:
    deep = tree.submitter / "code" / "resnet50" / ("x" * 90) / ("y" * 90 + "ü.py")
    deep.parent.mkdir(parents=True)
    deep.write_text("pass")
    (tree.root / ".git").mkdir()
    (tree.root / ".git" / "config").write_text("secret")
    (tree.root / ".DS_Store").write_text("")
    parcel = parcel_of_path(tree.root)
    assert (parcel.kind, parcel.name, parcel.left_out) == (UploadKind.TREE, "tree.tar.gz", ())
    packed = pack(parcel, tmp_path / "out")
    assert (packed.size, packed.sha256) == ((tmp_path / "out").stat().st_size, sha256_file(tmp_path / "out"))
    unpack(tmp_path / "out", tmp_path / "back")
    before = {p.relative_to(tree.root).as_posix(): p.read_bytes() for p in tree.root.rglob("*") if p.is_file()}
    after = {
        p.relative_to(tmp_path / "back").as_posix(): p.read_bytes()
        for p in (tmp_path / "back").rglob("*")
        if p.is_file()
    }
    assert after == {name: each for name, each in before.items() if ".git/" not in name and ".DS_Store" not in name}


def test_the_same_files_are_the_same_bytes(tree: SmallTree, tmp_path: Path) -> None:
    one = pack(parcel_of_path(tree.root), tmp_path / "one")
    tree.system_json.touch()
    assert pack(parcel_of_path(tree.root), tmp_path / "two").sha256 == one.sha256


def test_links_are_followed_inside_and_nowhere_else(tree: SmallTree, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("secret")
    (tree.submitter / "inside.txt").symlink_to(tree.system_json)
    (tree.submitter / "outside.txt").symlink_to(tmp_path / "outside")
    (tree.submitter / "folder").symlink_to(tmp_path)
    (tree.submitter / "gone").symlink_to(tmp_path / "nothing")
    parcel = parcel_of_path(tree.root)
    sent = [each.name for each in parcel.pieces]
    assert "open/Acme/inside.txt" in sent
    assert sorted(parcel.left_out) == [
        "open/Acme/folder: a link to a folder",
        "open/Acme/gone: no plain file of the tree",
        "open/Acme/outside.txt: no plain file of the tree",
    ]
    pack(parcel, tmp_path / "out")
    unpack(tmp_path / "out", tmp_path / "back")


def test_of_a_run_only_what_is_needed_goes(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run()
    for name in (ACCURACY, TRACE, "worker.log", "accuracy.txt"):
        (run / name).write_text("x")
    parcel = parcel_of_path(run)
    assert (parcel.kind, parcel.runs) == (UploadKind.RUNS, (run,))
    pack(parcel, tmp_path / "out")
    files = ("accuracy.txt", "mlperf_log_detail.txt", "mlperf_log_summary.txt", "run.json")
    assert names(tmp_path / "out") == [f"{run.name}/{name}" for name in files]


def test_a_run_goes_with_the_other_half_of_its_result(make_run: MakeRun) -> None:
    accuracy, performance = make_run(mode="accuracy", number=1), make_run(number=2)
    make_run("SingleStream", number=3)
    make_run(number=4, group="0" * 16)
    make_run(mode="accuracy", number=5, status=RunStatus.FAILED)
    assert with_partner(performance) == [accuracy, performance] == with_partner(accuracy)
    alone = make_run(number=6, group="")
    assert with_partner(alone) == [alone]


def test_a_run_that_did_not_finish_is_not_sent(make_run: MakeRun) -> None:
    with pytest.raises(InvalidInputError, match="the run is failed"):
        with_partner(make_run(status=RunStatus.FAILED))
    run = make_run(number=2)
    (run / DETAIL).unlink()
    with pytest.raises(InvalidInputError, match="no log"):
        parcel_of_runs([run])


def test_runs_of_one_name_are_not_mixed(make_run: MakeRun, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="one name"):
        parcel_of_runs([make_run(parent=tmp_path / "a"), make_run(parent=tmp_path / "b")])


def test_an_archive_goes_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "tree.zip"
    path.write_bytes(b"PK")
    packed = pack(parcel_of_path(path), tmp_path / "out")
    assert (packed.path, packed.size) == (path, 2)
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_sent(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no such folder"):
        parcel_of_path(tmp_path / "none")
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(InvalidInputError, match="nothing that can be sent"):
        parcel_of_path(tmp_path / "a.txt")
    with pytest.raises(InvalidInputError, match="nothing in it can be taken"):
        parcel_of_path(tmp_path)


def test_a_file_that_changes_while_it_is_read(tree: SmallTree, tmp_path: Path) -> None:
    parcel = parcel_of_path(tree.root)
    tree.system_json.write_text("{}")
    with pytest.raises(InvalidInputError, match="changes while it is read"):
        pack(parcel, tmp_path / "out")
