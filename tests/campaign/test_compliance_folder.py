from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from assay.base.files import sha256_file
from assay.campaign.compliance_folder import write_folder
from assay.campaign.compliance_scores import PartScores
from assay.errors import InvalidInputError
from assay.loadgen.compliance import Verified
from assay.loadgen.names import ACCURACY, DETAIL, SUMMARY
from assay.tasks.protocol import Accuracy

SPEED, ANSWERS = Verified((), "speed\n"), Verified((), "answers\n")


def label(value: int) -> str:
    return np.array([value], "<f4").tobytes().hex().upper()


def write(folder: Path, labels: list[tuple[int, int]]) -> Path:
    folder.mkdir(exist_ok=True)
    entries = (f'{{ "seq_id" : 0, "qsl_idx" : {index}, "data" : "{label(value)}" }}' for index, value in labels)
    (folder / ACCURACY).write_text("[\n" + ",\n".join(entries) + "\n]\n")
    (folder / SUMMARY).write_text("summary")
    (folder / DETAIL).write_text("detail")
    return folder


def test_the_folder_is_that_of_a_submission(tmp_path: Path) -> None:
    run = write(tmp_path / "run", [(0, 0)])
    folder = write_folder(run, "TEST04", SPEED)
    assert folder == run / "compliance" / "TEST04"
    files = {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}
    assert files == {
        "verify_performance.txt": "speed\n",
        f"performance/run_1/{SUMMARY}": "summary",
        f"performance/run_1/{DETAIL}": "detail",
    }
    assert not (write_folder(run, "TEST04-B", None) / "verify_performance.txt").exists()


def test_answers_that_differ_bring_both_accuracies(tmp_path: Path) -> None:
    run = write(tmp_path / "run", [(0, 0)])
    both = PartScores(*(Accuracy({"acc": value}, {}, 1, f"accuracy={value}%") for value in (50.0, 49.0)))
    folder = write_folder(run, "TEST01", SPEED, ANSWERS, both, exact=False) / "accuracy"
    assert (folder / "baseline_accuracy.txt").read_text() == "accuracy=50.0%\n"
    assert (folder / "compliance_accuracy.txt").read_text() == "accuracy=49.0%\n"
    assert (folder / "accuracy.txt").read_text() == f"accuracy=49.0%\nhash={sha256_file(run / ACCURACY)}\n"
    # Written again, the folder holds nothing of before.
    folder = write_folder(run, "TEST01", SPEED, ANSWERS, None) / "accuracy"
    assert sorted(path.name for path in folder.iterdir()) == ["accuracy.txt", ACCURACY]
    assert (folder / "accuracy.txt").read_text().startswith("hash=")


def test_a_log_that_is_missing_is_named(tmp_path: Path) -> None:
    run = write(tmp_path / "run", [(0, 0)])
    (run / DETAIL).unlink()
    with pytest.raises(InvalidInputError, match=DETAIL):
        write_folder(run, "TEST05", SPEED)
    assert [path.name for path in run.iterdir() if path.name.startswith(".")] == []


def test_the_folder_of_test06_holds_responses_only(tmp_path: Path) -> None:
    folder = write_folder(write(tmp_path / "run", [(0, 0)]), "TEST06", None, ANSWERS, timed=False)
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert files == [f"accuracy/{ACCURACY}", "verify_accuracy.txt"]


def test_a_process_that_is_killed_leaves_the_whole_or_nothing(tmp_path: Path) -> None:
    run = write(tmp_path / "run", [(0, 0)])
    before = write_folder(run, "TEST04", SPEED)
    (before / "old").touch()
    script = (
        "import os, sys; from pathlib import Path; from assay.campaign import compliance_folder as c;"
        "from assay.loadgen.compliance import Verified;"
        "real = os.rename; count = int(sys.argv[2])\n"
        "def rename(*words, **more):\n    global count; count -= 1\n    os._exit(9) if count < 0 else real(*words, **more)\n"
        "os.rename = rename; c.write_folder(Path(sys.argv[1]), 'TEST04', Verified((), 'new'))"
    )
    for count, left in ((0, True), (1, False)):
        done = subprocess.run([sys.executable, "-c", script, str(run), str(count)], check=False)
        assert done.returncode == 9
        assert before.exists() is left
        assert any(path.name.startswith(".compliance-") for path in run.iterdir())
        assert not left or (before / "old").exists()
    write_folder(run, "TEST04", SPEED)
    assert (before / "verify_performance.txt").read_text() == "speed\n"
    assert sorted(path.name for path in run.iterdir()) == sorted([ACCURACY, "compliance", DETAIL, SUMMARY])
