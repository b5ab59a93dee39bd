from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from assay.base.settings import Settings
from assay.errors import AssayError, InvalidInputError, NotFoundError, UsageError
from assay.playground.accounts.upload import Upload, UploadState
from assay.playground.accounts.viewer import Role, Via, Viewer, local_viewer
from assay.playground.here import Playground
from assay.playground.index import Index
from assay.playground.markup import Markup
from assay.playground.receiving import Received
from assay.playground.security.config import ServerConfig
from assay.playground.static_files import StaticFiles
from assay.playground.upload_store import EVERYTHING
from assay.playground.uploads import UploadQueue, Wish, contributor_of, embargo_of, state_of, wish_of, word_of

from .sending import nothing_published  # noqa: F401 - used by every test here

NOW = datetime(2026, 12, 1, tzinfo=UTC)
ME = local_viewer("me")
TAKEN = {"accepted": [{"uid": "a" * 16}], "message": "1 result accepted", "commit": "c" * 40}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "home")


class Checks:
    """A check that says what it is told to, when it is let go."""

    def __init__(self, *answers: Mapping[str, Any] | None) -> None:
        self.answers = list(answers)
        self.seen: list[str] = []
        self.at_once = 0
        self.most_at_once = 0
        self.began, self.go = threading.Semaphore(0), threading.Semaphore(0)
        self._lock = threading.Lock()

    def __call__(
        self, folder: Path, settings: Settings, limits: object, *, stopping: Callable[[], bool], seconds: float
    ) -> Mapping[str, Any] | None:
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            self.seen.append(folder.name)
        self.began.release()
        assert self.go.acquire(timeout=20)
        with self._lock:
            self.at_once -= 1
        return self.answers.pop(0) if self.answers else TAKEN


def queue(settings: Settings, check: Any = None) -> UploadQueue:
    config = ServerConfig(single_user=True)
    index = Index(settings)
    return UploadQueue(Playground(settings, config, index, Markup(StaticFiles(settings))), check=check)


def put(uploads: UploadQueue, wish: Wish | None = None, content: bytes = b"archive") -> Upload:
    path = uploads.incoming(None)
    path.write_bytes(content)
    return uploads.put(path, "tree.tar.gz", len(content), "ab" * 32, wish or Wish(), ME, None)


def state(uploads: UploadQueue, upload: Upload) -> UploadState:
    return uploads.store.get(upload.id, EVERYTHING).state


def test_one_after_the_other_in_the_order_of_their_coming(settings: Settings) -> None:
    checks = Checks()
    uploads = queue(settings, checks)
    uploads.start()
    sent = [put(uploads, Wish(note=f"no {number}")) for number in range(3)]
    assert checks.began.acquire(timeout=20)
    assert state(uploads, sent[0]) is UploadState.CHECKING
    assert [uploads.ahead(each.id) for each in sent] == [0, 1, 2]
    assert uploads.note_of(sent[2]) == "no 2"
    for _ in sent:
        checks.go.release()
    assert uploads.drained(20)
    assert (checks.seen, checks.most_at_once) == ([each.id for each in sent], 1)
    done = uploads.store.get(sent[1].id, EVERYTHING)
    assert (done.state, done.commit, uploads.note_of(done)) == (UploadState.ACCEPTED, "c" * 40, "no 1")
    # What came is kept no longer than it is needed.
    assert [each.name for each in (uploads.folder / done.id).iterdir()] == ["upload.json"]
    uploads.stop()


def test_what_a_killed_server_left_is_taken_up_again(settings: Settings) -> None:
    first = queue(settings, Checks())
    waiting = put(first)
    checking = put(first)
    first.store.move(checking.id, UploadState.CHECKING)
    lost = put(first)
    (first.folder / lost.id / "job.json").unlink()
    (first.folder / ".incoming-999999999-ab12").write_bytes(b"half")
    checks = Checks()
    for _ in range(2):
        checks.go.release()
    second = queue(settings, checks)
    second.start()
    assert second.drained(20)
    second.stop()
    assert checks.seen == [waiting.id, checking.id]
    assert [state(second, each) for each in (waiting, checking, lost)] == [
        UploadState.ACCEPTED,
        UploadState.ACCEPTED,
        UploadState.FAILED,
    ]
    assert "send it again" in str(second.store.get(lost.id, EVERYTHING).outcome)
    assert not list(second.folder.glob(".incoming-*"))


def test_what_ends_the_server_each_time_is_given_up(settings: Settings) -> None:
    uploads = queue(settings, Checks())
    upload = put(uploads)
    job = uploads.folder / upload.id / "job.json"
    job.write_text(job.read_text().replace('"tries": 0', '"tries": 3'))
    again = queue(settings, Checks())
    again.start()
    assert again.drained(20)
    again.stop()
    assert state(again, upload) is UploadState.FAILED


def test_a_server_that_stops_in_order_checks_again_later_and_counts_no_try(settings: Settings) -> None:
    checks = Checks(None)
    uploads = queue(settings, checks)
    uploads.start()
    upload = put(uploads)
    assert checks.began.acquire(timeout=20)
    checks.go.release()
    uploads.stop()
    assert state(uploads, upload) is UploadState.CHECKING
    assert '"tries": 0' in (uploads.folder / upload.id / "job.json").read_text()


def test_a_disk_that_fails_is_told_and_nothing_waits_for_ever(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads = queue(settings, Checks())
    path = uploads.incoming(None)
    with pytest.raises(AssayError):
        # It is not there, as if the disk had lost it.
        uploads.put(path, "a.tar.gz", 1, "ab" * 32, Wish(), ME, None)
    (upload,) = uploads.store.list(EVERYTHING)
    assert upload.state is UploadState.FAILED


def test_damage_on_the_servers_disk_is_no_verdict(settings: Settings) -> None:
    uploads = queue(settings, Checks())
    upload = put(uploads)
    (uploads.folder / upload.id / "job.json").write_text("{}")
    again = queue(settings, Checks())
    again.start()
    assert again.drained(20)
    again.stop()
    assert state(again, upload) is UploadState.FAILED
    shutil.rmtree(again.folder / upload.id)


# ---- what is wished


def wish(settings: Settings, **fields: str | tuple[str, ...]) -> Wish:
    given = {name: (value,) if isinstance(value, str) else value for name, value in fields.items()}
    return wish_of(Received("a", 1, "", given), ME, settings, NOW)


def test_fields_become_a_wish(settings: Settings) -> None:
    found = wish(
        settings,
        challenge=("reproduce-and-improve-mlperf-inference", "Reproduce-and-improve-mlperf-inference"),
        private="on",
        embargo="2026-12-24T18:00",
        zone="Europe/Berlin",
        round="3.1",
        note="  two \n words ",
    )
    assert [each.alias for each in found.challenges] == ["reproduce-and-improve-mlperf-inference"]
    assert (found.private, found.round, found.note) == (True, "v3.1", "two words")
    assert found.embargo == datetime(2026, 12, 24, 17, tzinfo=UTC)
    assert wish(settings) == Wish()


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"challenge": "no-such"}, NotFoundError),
        ({"challenge": "optimize-mlperf-inference-v3.1"}, UsageError),
        ({"private": "perhaps"}, InvalidInputError),
        ({"embargo": "2026-12-24T18:00"}, InvalidInputError),
        ({"embargo": "soon"}, InvalidInputError),
        ({"embargo": "9999-12-31T23:59-14:00"}, InvalidInputError),
        ({"embargo": "2026-12-24T18:00", "zone": "Mars/Olympus"}, InvalidInputError),
        ({"embargo": "2026-12-24T18:00", "zone": "../../etc/passwd"}, InvalidInputError),
        ({"embargo": "2026-11-30T00:00Z"}, UsageError),
        ({"round": "v99"}, NotFoundError),
        ({"note": "x" * 1001}, InvalidInputError),
        ({"note": "a\x1b[31mb"}, InvalidInputError),
    ],
)
def test_what_cannot_be_wished(settings: Settings, fields: dict[str, str], error: type[AssayError]) -> None:
    with pytest.raises(error):
        wish(settings, **fields)


def test_a_moment_with_a_zone_needs_no_other() -> None:
    assert embargo_of("2026-12-02T00:00+02:00", NOW) == datetime(2026, 12, 1, 22, tzinfo=UTC)
    assert embargo_of("", NOW) is None
    with pytest.raises(UsageError):
        embargo_of((NOW - timedelta(seconds=1)).isoformat(), NOW)


@pytest.mark.parametrize(
    ("name", "account"), [("me", "me"), ("Ada Müller", "Ada-M-ller"), ("..", "me"), ("DOM\\ada", "DOM-ada")]
)
def test_the_only_users_name_is_one_that_git_takes(name: str, account: str) -> None:
    assert contributor_of(local_viewer(name)) == account


def test_the_name_of_an_account_stays_as_it_is() -> None:
    assert contributor_of(Viewer(name="ada", role=Role.CONTRIBUTOR, via=Via.TOKEN)) == "ada"


def test_states_of_outcomes() -> None:
    assert state_of(TAKEN) is UploadState.ACCEPTED
    assert state_of({"accepted": [], "refused": [{}]}) is UploadState.REFUSED
    assert state_of({"error": {"ours": False}}) is UploadState.REFUSED
    assert state_of({"error": {"ours": True}}) is UploadState.FAILED
    assert word_of(UploadState.ACCEPTED, {"refused": [{}]}) == "partly"
    assert word_of(UploadState.ACCEPTED, {}) == "accepted"
