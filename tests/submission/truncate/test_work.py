from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from assay.base.progress import SILENT
from assay.errors import InvalidInputError
from assay.submission.tree import TreeReader
from assay.submission.truncate.backup import Backup
from assay.submission.truncate.logs import AccuracyLog, find_logs
from assay.submission.truncate.model import State
from assay.submission.truncate.work import GLUED, cut_in_place, unfinished

from ..trees import long_log

STEP = SILENT.start("")


class Place:
    def __init__(self, root: Path, size: int, text: str = "accuracy=1%\n") -> None:
        folder = root / "tree/closed/A/results/s/m/Offline/accuracy"
        folder.mkdir(parents=True)
        self.tree = root / "tree"
        self.log, self.text = folder / "mlperf_log_accuracy.json", folder / "accuracy.txt"
        self.data = long_log(size)
        self.sha = hashlib.sha256(self.data).hexdigest()
        self.log.write_bytes(self.data)
        self.text.write_text(text)
        self.backup = Backup(root / "originals")
        self.backup.claim(str(self.tree))

    def find(self) -> AccuracyLog:
        return find_logs(TreeReader(self.tree), ["closed/A"], 10240)[0]


def test_a_log_is_kept_hashed_and_cut(tmp_path: Path) -> None:
    place = Place(tmp_path, 50000)
    place.log.chmod(0o640)
    found = place.find()
    report = cut_in_place(found, place.backup, STEP)
    assert (report.state, report.sha256, report.before, report.after) == (State.CUT, place.sha, 50000, 8199)
    assert place.log.read_bytes() == place.data[:4096] + b"\n\n...\n\n" + place.data[-4096:]
    assert place.log.stat().st_mode & 0o777 == 0o640
    assert place.text.read_text() == f"accuracy=1%\nhash={place.sha}\n"
    assert Path(place.backup.log(found.path)).read_bytes() == place.data
    assert Path(place.backup.text(found.path)).read_text() == "accuracy=1%\n"


def test_a_short_log_only_gets_its_hash(tmp_path: Path) -> None:
    place = Place(tmp_path, 4095)
    report = cut_in_place(place.find(), place.backup, STEP)
    assert (report.state, report.after) == (State.HASHED, 4095)
    assert place.log.read_bytes() == place.data
    assert place.text.read_text().endswith(f"hash={place.sha}\n")


def test_an_unfinished_last_line_is_finished(tmp_path: Path) -> None:
    """The official tool glues the hash to it, and its checker then finds none."""
    place = Place(tmp_path, 50000, "accuracy=1%")
    assert cut_in_place(place.find(), place.backup, STEP).note == GLUED
    assert place.text.read_text() == f"accuracy=1%\nhash={place.sha}\n"


def test_a_hash_that_was_there_gets_company_as_with_the_official_tool(tmp_path: Path) -> None:
    place = Place(tmp_path, 50000)
    place.text.write_text(f"accuracy=1%\nhash={place.sha}\n")
    cut_in_place(place.find(), place.backup, STEP)
    assert place.text.read_text() == f"accuracy=1%\nhash={place.sha}\nhash={place.sha}\n"


def test_other_content_in_the_backup_or_the_text_is_not_overwritten(tmp_path: Path) -> None:
    place = Place(tmp_path, 50000)
    found = place.find()
    kept = Path(place.backup.log(found.path))
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"another")
    with pytest.raises(InvalidInputError, match="another log of this name"):
        cut_in_place(found, place.backup, STEP)
    kept.write_bytes(place.data)
    kept.with_name("accuracy.txt").write_text("accuracy=2%\n")
    with pytest.raises(InvalidInputError, match="changed since it was kept"):
        cut_in_place(found, place.backup, STEP)
    assert place.log.read_bytes() == place.data
    assert place.text.read_text() == "accuracy=1%\n"


def test_a_log_below_the_limit_whose_hash_was_written_only_is_known(tmp_path: Path) -> None:
    place = Place(tmp_path, 6000)
    found = place.find()
    assert not unfinished(found, place.backup, STEP)
    kept = Path(place.backup.log(found.path))
    kept.parent.mkdir(parents=True)
    kept.write_bytes(place.data)
    kept.with_name("accuracy.txt").write_text("accuracy=1%\n")
    place.text.write_text(f"accuracy=1%\nhash={place.sha}\n")
    found = place.find()
    assert found.state is State.KEPT
    assert unfinished(found, place.backup, STEP)
    cut_in_place(found, place.backup, STEP)
    assert not unfinished(place.find(), place.backup, STEP)
    assert place.text.read_text() == f"accuracy=1%\nhash={place.sha}\n"
