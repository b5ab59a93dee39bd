from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from assay.errors import InvalidInputError, NotFoundError
from assay.playground.accounts.refusals import ThrottledError
from assay.playground.accounts.upload import Upload, UploadState
from assay.playground.accounts.viewer import Viewer
from assay.playground.upload_store import EVERYTHING, LocalUploads

NOW = datetime(2026, 12, 1, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def store(folder: Path) -> LocalUploads:
    return LocalUploads(folder, Clock())


def sent(uploads: LocalUploads, **more: Any) -> Upload:
    given: dict[str, Any] = {
        "size": 3, "sha256": "ab" * 32, "challenges": ["b" * 16, "a" * 16], "private": True,
        "embargo": NOW + timedelta(days=9), "address": None,
    }  # fmt: skip
    return uploads.receive("me", "C:\\runs\\tree.tar.gz\x1b", **{**given, **more})


def test_a_state_outlives_the_server(tmp_path: Path) -> None:
    upload = sent(store(tmp_path))
    assert (upload.file_name, upload.challenges) == ("tree.tar.gz", ("a" * 16, "b" * 16))
    again = store(tmp_path)
    assert again.get(upload.id, EVERYTHING) == upload
    again.move(upload.id, UploadState.CHECKING)
    done = again.move(upload.id, UploadState.ACCEPTED, outcome={"message": "grün"}, commit="c" * 40)
    assert store(tmp_path).get(upload.id, EVERYTHING) == done
    assert (done.outcome, done.commit, done.embargo) == ({"message": "grün"}, "c" * 40, upload.embargo)


def test_no_state_is_left_out(tmp_path: Path) -> None:
    uploads = store(tmp_path)
    upload = sent(uploads)
    with pytest.raises(InvalidInputError, match="cannot become"):
        uploads.move(upload.id, UploadState.ACCEPTED)


@pytest.mark.parametrize("name", ["", "..", "0" * 16, "../../etc/passwd", "0" * 15 + "/", "A" * 16])
def test_an_id_leads_nowhere_else(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotFoundError, match="no upload"):
        store(tmp_path).get(name, EVERYTHING)


def test_the_newest_first_and_only_what_is_asked_for(tmp_path: Path) -> None:
    uploads = store(tmp_path)
    one, two = sent(uploads), sent(uploads)
    uploads.move(two.id, UploadState.CHECKING)
    assert [each.id for each in uploads.list(EVERYTHING)] == [two.id, one.id]
    assert [each.id for each in uploads.list(EVERYTHING, state=UploadState.RECEIVED)] == [one.id]
    assert [each.id for each in uploads.list(EVERYTHING, before=two.created)] == [one.id]
    assert [each.id for each in uploads.list(EVERYTHING, limit=1)] == [two.id]
    assert uploads.list(EVERYTHING, account="you") == []
    assert uploads.list(Viewer()) == []


def test_a_damaged_file_hides_no_other(tmp_path: Path) -> None:
    uploads = store(tmp_path)
    upload, spoilt = sent(uploads), sent(uploads)
    (tmp_path / spoilt.id / "upload.json").write_text('{"id": 1}')
    assert [each.id for each in uploads.list(EVERYTHING)] == [upload.id]
    with pytest.raises(InvalidInputError, match="not the file of an upload"):
        uploads.get(spoilt.id, EVERYTHING)


def test_no_more_wait_than_can_be_looked_after(tmp_path: Path) -> None:
    uploads = store(tmp_path)
    for _ in range(20):
        sent(uploads)
    with pytest.raises(ThrottledError):
        sent(uploads)
