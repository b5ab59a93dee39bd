from __future__ import annotations

import os
from pathlib import Path

import pytest

from assay.submission.tree import TreeReader
from assay.submission.truncate.logs import AccuracyLog, find_logs, read_text
from assay.submission.truncate.model import State

from ..smalltree import SmallTree, build
from ..trees import long_log

LIMIT = 10240


@pytest.fixture
def tree(tmp_path: Path) -> SmallTree:
    return build(tmp_path / "tree", "v3.0")


def found(tree: SmallTree) -> dict[str, AccuracyLog]:
    logs = find_logs(TreeReader(tree.root), ["closed/Acme"], LIMIT)
    return {"/".join(log.path.split("/")[2:3] + log.path.split("/")[5:-2]): log for log in logs}


def accuracy(tree: SmallTree, scenario: str) -> Path:
    return tree.result(scenario) / "accuracy"


def test_logs_of_results_and_of_test01_are_looked_at(tree: SmallTree) -> None:
    states = {name: log.state for name, log in found(tree).items()}
    scenarios = ("Offline", "SingleStream", "MultiStream")
    assert {name for name in states if name.startswith("results")} == {f"results/{each}" for each in scenarios}
    assert {name for name in states if name.startswith("comp")} == {f"compliance/{each}/TEST01" for each in scenarios}
    # Those of compliance have no hash yet.
    assert {name for name, state in states.items() if state is State.CUT} == {
        f"compliance/{each}/TEST01" for each in scenarios
    }


@pytest.mark.parametrize(
    ("size", "hashed", "state"),
    [
        (LIMIT - 1, True, State.KEPT),
        (LIMIT, True, State.CUT),
        (LIMIT - 1, False, State.CUT),
        (100, False, State.CUT),
        (50000, False, State.CUT),
    ],
)
def test_a_log_is_done_when_it_has_its_hash_and_is_below_the_limit(
    tree: SmallTree, size: int, hashed: bool, state: State
) -> None:
    (accuracy(tree, "Offline") / "mlperf_log_accuracy.json").write_bytes(long_log(size))
    if not hashed:
        (accuracy(tree, "Offline") / "accuracy.txt").write_text("accuracy=76.014%\n")
    assert found(tree)["results/Offline"].state is state


def test_what_cannot_be_done_is_told(tree: SmallTree) -> None:
    (accuracy(tree, "Offline") / "accuracy.txt").unlink()
    (accuracy(tree, "SingleStream") / "accuracy.txt").write_text("accuracy=76.014%\n")
    (accuracy(tree, "MultiStream") / "mlperf_log_accuracy.json").unlink()
    logs = found(tree)
    assert logs["results/Offline"].state is State.REFUSED
    assert "accuracy.txt is missing" in logs["results/Offline"].note
    # It was cut (the gap is in it), and nobody knows the hash of the whole any more.
    assert logs["results/SingleStream"].state is State.REFUSED
    assert "put the original back" in logs["results/SingleStream"].note
    assert logs["results/MultiStream"].state is State.MISSING


def test_links_are_followed_inside_the_submitters_folder_only(tree: SmallTree, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    tree.result("MultiStream").rename(outside)
    tree.result("MultiStream").symlink_to(outside)
    (tree.result("Server")).symlink_to("Offline")
    log = accuracy(tree, "SingleStream") / "mlperf_log_accuracy.json"
    log.unlink()
    log.symlink_to(outside / "accuracy" / log.name)
    logs = find_logs(TreeReader(tree.root), ["closed/Acme"], LIMIT)
    refused = [log.path for log in logs if log.state is State.REFUSED]
    base = "closed/Acme/results/box/resnet50"
    assert sorted(refused) == [f"{base}/MultiStream", f"{base}/SingleStream/accuracy/mlperf_log_accuracy.json"]
    server = next(log for log in logs if "/results/" in log.path and "/Server/" in log.path)
    assert server.log == os.path.realpath(accuracy(tree, "Offline") / "mlperf_log_accuracy.json")


def test_a_link_to_another_submitter_is_refused(tree: SmallTree) -> None:
    other = tree.root / "closed" / "Bolt"
    other.mkdir()
    (accuracy(tree, "Offline")).rename(other / "accuracy")
    accuracy(tree, "Offline").symlink_to("../../../../../Bolt/accuracy")
    assert found(tree)["results/Offline"].state is State.REFUSED


def test_a_text_is_read_when_it_can_be(tmp_path: Path) -> None:
    assert read_text(str(tmp_path / "none")) is None
    with pytest.raises(OSError, match="64 MiB"):
        with (tmp_path / "huge").open("wb") as file:
            file.truncate((64 << 20) + 1)
        read_text(str(tmp_path / "huge"))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="no regular file"):
        read_text(str(tmp_path / "pipe"))


@pytest.mark.parametrize("junk", [b"", b"\x00" * 100, b"[" * 100000])
def test_no_content_makes_it_raise(tree: SmallTree, junk: bytes) -> None:
    for name in ("accuracy.txt", "mlperf_log_accuracy.json"):
        (accuracy(tree, "Offline") / name).write_bytes(junk)
    found(tree)
    (accuracy(tree, "Offline") / "accuracy.txt").unlink()
    (accuracy(tree, "Offline") / "accuracy.txt").mkdir()
    assert found(tree)["results/Offline"].state is State.REFUSED
