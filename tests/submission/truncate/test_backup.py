from __future__ import annotations

from pathlib import Path

import pytest

from assay.errors import UsageError
from assay.submission.truncate.backup import Backup

LOG = "closed/A/results/s/m/Offline/accuracy/mlperf_log_accuracy.json"


def test_a_backup_belongs_to_one_tree(tmp_path: Path) -> None:
    for name in ("tree", "other"):
        (tmp_path / name).mkdir()
    backup = Backup(tmp_path / "originals")
    assert (backup.exists, backup.is_ours) == (False, False)
    backup.claim(str(tmp_path / "tree"))
    assert (backup.exists, backup.is_ours) == (True, True)
    backup.claim(str(tmp_path / "tree"))
    assert backup.is_of(str(tmp_path / "tree"))
    with pytest.raises(UsageError, match="holds something else"):
        backup.claim(str(tmp_path / "other"))


def test_a_place_that_is_taken_is_refused(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    with pytest.raises(UsageError, match="must not be inside the tree"):
        Backup(tree / "originals").claim(str(tree))
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="a file stands where"):
        Backup(tmp_path / "file").claim(str(tree))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("")
    with pytest.raises(UsageError, match="holds something else"):
        Backup(tmp_path / "full").claim(str(tree))
    (tmp_path / "empty").mkdir()
    Backup(tmp_path / "empty").claim(str(tree))


def test_its_logs_are_found_by_their_place_in_the_tree(tmp_path: Path) -> None:
    backup = Backup(tmp_path)
    log = Path(backup.log(LOG))
    log.parent.mkdir(parents=True)
    log.write_bytes(b"12345")
    (log.parent / "accuracy.txt").write_text("")
    link = tmp_path / "closed/A/results/s/m/Server/accuracy/mlperf_log_accuracy.json"
    link.parent.mkdir(parents=True)
    link.symlink_to(log)
    assert list(backup.logs()) == [LOG]
    assert backup.text(LOG) == str(log.parent / "accuracy.txt")
    assert backup.holds(LOG, 5)
    assert not backup.holds(LOG, 6)
    assert not backup.holds("closed/none", 0)
