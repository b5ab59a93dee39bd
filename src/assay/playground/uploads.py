"""The queue of uploads: what has come is checked one after the other, and taken up again after a restart.

An upload lies in ``<home>/uploads/<id>/`` until it has been checked: ``archive`` as it came, ``job.json`` with what is to
be done. Its state is in the database of accounts, or in ``upload.json`` beside it where there are no accounts.
"""

from __future__ import annotations

import contextlib
import os
import queue
import re
import secrets
import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

import psutil

from assay.base.files import locked, machine_errors, require_space
from assay.base.settings import Settings
from assay.community.challenge import Challenge, Status, zone_of
from assay.community.challenges import find_challenge
from assay.errors import AssayError, InvalidInputError, MachineError, UsageError
from assay.playground.accounts.upload import Upload, UploadState
from assay.playground.accounts.viewer import Scope, Via, Viewer
from assay.playground.checking import ARCHIVE, JOB, UNPACKED, Job, check_apart
from assay.playground.here import Playground
from assay.playground.receiving import Received
from assay.playground.upload_store import EVERYTHING, AccountUploads, LocalUploads, UploadStore
from assay.rules.load import load_round

FOLDER = "uploads"
_INCOMING = re.compile(r"\.incoming-(\d+)-[0-9a-f]+")
_LOCK = ".checking.lock"
_MOST_TRIES = 3
_LONGEST_S = 3600.0
_LONGEST_NOTE = 1000
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_.-]+")

Check = Callable[..., Mapping[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to become of an upload.

    Attributes:
        embargo: with a zone.
        round: whose rules a tree is checked by; empty: told from its logs.
    """

    challenges: tuple[Challenge, ...] = ()
    private: bool = False
    embargo: datetime | None = None
    round: str = ""
    note: str = ""


def wish_of(received: Received, viewer: Viewer, settings: Settings, now: datetime) -> Wish:
    """The fields of a form as a wish.

    Raises:
        NotFoundError: for a challenge that there is not, or that the viewer may not see, and for a round.
        UsageError: for a challenge that takes nothing now, or an embargo that has passed.
        InvalidInputError: for a field that is wrong.
    """
    challenges = tuple(find_challenge(settings, each, viewer.audience, now) for each in received.every("challenge"))
    for each in challenges:
        if each.status is not Status.OPEN:
            raise UsageError(
                f"the challenge {each.name} takes no results: it is {each.status.value}",
                hint="push without it, or to one that is open",
            )
    note = " ".join(received.one("note").split())
    if len(note) > _LONGEST_NOTE or not note.isprintable():
        raise InvalidInputError("the note is too long, or cannot be printed", expected=f"{_LONGEST_NOTE} characters")
    return Wish(
        tuple({each.uid: each for each in challenges}.values()),
        _yes(received.one("private")),
        embargo_of(received.one("embargo"), now, received.one("zone")),
        load_round(received.one("round")).name if received.one("round") else "",
        note,
    )


def _yes(text: str) -> bool:
    if text.lower() not in ("", "0", "false", "no", "off", "1", "true", "yes", "on"):
        raise InvalidInputError("neither yes nor no", where="private", found=text[:40])
    return text.lower() in ("1", "true", "yes", "on")


def embargo_of(text: str, now: datetime, zone: str = "") -> datetime | None:
    """A moment to come; None for an empty text.

    Args:
        text: ISO 8601.
        now: with a zone.
        zone: IANA name of the zone that a text without one is of.

    Raises:
        InvalidInputError: when it is none, or has no zone.
        UsageError: when it has passed.
    """
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None and zone:
            moment = moment.replace(tzinfo=zone_of(zone[:80]))
        if moment.tzinfo is None:
            raise InvalidInputError("the embargo has no time zone", where="embargo", expected=f"{text[:60]}Z for UTC")
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError, ZoneInfoNotFoundError, OSError) as error:
        raise InvalidInputError(
            "no moment", where="embargo", expected="a moment with its zone: 2026-12-31T00:00Z", found=text[:60]
        ) from error
    if moment <= now:
        raise UsageError("the embargo is no moment to come", expected="a later moment", found=text[:60])
    return moment


class UploadQueue:
    """Receives uploads and has them checked, one after the other.

    Args:
        playground: the server.
        check: looks at one; in a process of its own unless given.
    """

    def __init__(self, playground: Playground, *, check: Check | None = None) -> None:
        self._playground, self._check = playground, check or check_apart
        self.folder = playground.settings.home / FOLDER
        clock = playground.index.clock
        self.store: UploadStore = (
            LocalUploads(self.folder, clock) if playground.accounts is None else AccountUploads(playground.accounts)
        )
        self._waiting: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._order: list[str] = []
        self._changed = threading.Condition()

    # ---- receiving

    def incoming(self, size: int | None) -> Path:
        """A file that does not exist yet, for something that comes.

        Args:
            size: bytes that are announced.

        Raises:
            MachineError: when the disk is full.
        """
        require_space(self.folder, size or 0)
        with machine_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / f".incoming-{os.getpid()}-{secrets.token_hex(8)}"

    def put(
        self, path: Path, file_name: str, size: int, sha256: str, wish: Wish, viewer: Viewer, address: str | None
    ) -> Upload:
        """Take over a file that has come, and have it checked.

        Raises:
            SignInError: when nobody is signed in.
            DeniedError: when the viewer may not send anything in.
            ThrottledError: when too many uploads of the account wait.
            MachineError: when the database or the disk fails.
        """
        viewer.require(Scope.PUSH)
        name = contributor_of(viewer)
        shown, organisation = self._names_of(viewer)
        upload = self.store.receive(
            name,
            file_name,
            size=size,
            sha256=sha256,
            challenges=[each.uid for each in wish.challenges],
            private=wish.private,
            embargo=wish.embargo,
            address=address,
        )
        folder = self.folder / upload.id
        job = Job(
            contributor=name,
            received=upload.created,
            display_name=shown,
            organisation=organisation,
            challenges=upload.challenges,
            private=wish.private,
            embargo=wish.embargo,
            round=wish.round,
            note=wish.note,
        )
        try:
            with machine_errors(folder):
                folder.mkdir(parents=True, exist_ok=True)
                path.replace(folder / ARCHIVE)
            # Last: an upload with a job is whole.
            job.write(folder)
        except (AssayError, OSError) as error:
            self._give_up(upload, "the server could not keep it", "send it again")
            raise MachineError("the server could not keep the upload", hint="send it again") from error
        self._add(upload.id)
        return upload

    def _names_of(self, viewer: Viewer) -> tuple[str, str]:
        """The name to show and the organisation of an account."""
        accounts = self._playground.accounts
        if accounts is None or viewer.name is None:
            return viewer.shown or "", ""
        account = accounts.people.get(viewer.name)
        return account.shown or "", account.organisation or ""

    def note_of(self, upload: Upload) -> str:
        """What its sender has written to it."""
        if "note" in upload.outcome:
            return str(upload.outcome["note"])
        try:
            return Job.read(self.folder / upload.id).note
        except AssayError:
            return ""

    def ahead(self, upload_id: str) -> int:
        """How many uploads are checked before this one."""
        with self._changed:
            order = list(self._order)
        return order.index(upload_id) if upload_id in order else 0

    # ---- checking

    def start(self) -> None:
        """Take up what was left, and begin to check."""
        self._clean()
        for upload in reversed(self._left()):
            if (self.folder / upload.id / JOB).is_file():
                self._add(upload.id)
            else:
                self._give_up(upload, "the server stopped while this came in", "send it again")
        self._thread = threading.Thread(target=self._work, name="assay-uploads", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Check nothing more; what is being checked is checked again later."""
        self._stopping.set()
        self._waiting.put(None)
        if self._thread is not None:
            self._thread.join(timeout=20)

    def _left(self) -> list[Upload]:
        states = (UploadState.RECEIVED, UploadState.CHECKING)
        found = [each for state in states for each in self.store.list(EVERYTHING, state=state, limit=500)]
        return sorted(found, key=lambda each: (each.created, each.id), reverse=True)

    def _clean(self) -> None:
        """Remove what never became an upload, and what is left of those that are done."""
        if not self.folder.is_dir():
            return
        with machine_errors(self.folder):
            inside = list(self.folder.iterdir())
        for path in inside:
            match = _INCOMING.fullmatch(path.name)
            if match and (int(match[1]) == os.getpid() or not psutil.pid_exists(int(match[1]))):
                with contextlib.suppress(OSError):
                    path.unlink()
            elif (path / ARCHIVE).exists():
                with contextlib.suppress(AssayError):
                    if self.store.get(path.name, EVERYTHING).state.done:
                        self._remove(path.name)

    def drained(self, seconds: float) -> bool:
        """Wait until everything that has come is checked; whether it is, after so many seconds at most."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._order, seconds)

    def _add(self, upload_id: str) -> None:
        with self._changed:
            self._order.append(upload_id)
        self._waiting.put(upload_id)

    def _work(self) -> None:
        while (upload_id := self._waiting.get()) is not None and not self._stopping.is_set():
            try:
                # Two servers of one home check one upload at a time, too.
                with locked(self.folder / _LOCK):
                    self._one(upload_id)
            except AssayError as error:
                # The database or the disk is gone; the upload stays, and is taken up again at the next start.
                self._playground.index.problem = str(error)
            finally:
                with self._changed:
                    self._order.remove(upload_id)
                    self._changed.notify_all()

    def _one(self, upload_id: str) -> None:
        upload = self.store.get(upload_id, EVERYTHING)
        if upload.state.done:
            return
        folder = self.folder / upload.id
        try:
            job = Job.read(folder)
        except AssayError:
            self._give_up(upload, "what came is damaged on the server's disk", "send it again")
            return
        if job.tries >= _MOST_TRIES:
            self._give_up(upload, "the server stopped each time this was checked", "tell who looks after the server")
            return
        replace(job, tries=job.tries + 1).write(folder)
        if upload.state is UploadState.RECEIVED:
            upload = self.store.move(upload.id, UploadState.CHECKING)
        said = self._check(
            folder,
            self._playground.settings,
            self._playground.config.upload,
            stopping=self._stopping.is_set,
            seconds=_LONGEST_S,
        )
        if said is None:
            # Ended in order: that was no try.
            job.write(folder)
            return
        with contextlib.suppress(AssayError):
            # Who is told that it is accepted finds it on the board.
            self._playground.index.refresh()
        self._settle(upload, {**said, "note": job.note, "asked_round": job.round})

    def _settle(self, upload: Upload, said: Mapping[str, Any]) -> None:
        state = state_of(said)
        self.store.move(upload.id, state, outcome=said, commit=said.get("commit"))
        self._playground.counters.upload(word_of(state, said))
        self._remove(upload.id)

    def _give_up(self, upload: Upload, what: str, hint: str) -> None:
        if upload.state is UploadState.RECEIVED:
            upload = self.store.move(upload.id, UploadState.CHECKING)
        self._settle(upload, {"error": {"error": "RunFailed", "what": what, "hint": hint, "ours": True}})

    def _remove(self, upload_id: str) -> None:
        """Remove what is needed no more; its state is kept."""
        folder = self.folder / upload_id
        shutil.rmtree(folder / UNPACKED, ignore_errors=True)
        for each in (ARCHIVE, JOB, "outcome.json"):
            with contextlib.suppress(OSError):
                (folder / each).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            # Stays where a single user's upload is kept.
            folder.rmdir()


def contributor_of(viewer: Viewer) -> str:
    """The account name that results are taken under; a single user's is made one that git takes."""
    name = viewer.name or ""
    return (_NOT_A_NAME.sub("-", name).strip("-.") or "me")[:39] if viewer.via is Via.LOCAL else name


def state_of(said: Mapping[str, Any]) -> UploadState:
    """The state that an outcome leads to."""
    error = said.get("error")
    if error is not None:
        return UploadState.FAILED if error.get("ours") else UploadState.REFUSED
    return UploadState.ACCEPTED if said.get("accepted") else UploadState.REFUSED


def word_of(state: UploadState, said: Mapping[str, Any]) -> str:
    """The state in a word, which tells those apart of which only a part was taken."""
    return "partly" if state is UploadState.ACCEPTED and said.get("refused") else state.value
