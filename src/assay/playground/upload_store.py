"""Where the states of uploads are kept: in the accounts' database, or in files where there are no accounts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from assay.base.files import machine_errors, read_json, write_json
from assay.errors import AssayError, InvalidInputError, NotFoundError
from assay.playground.accounts.hashes import id_of, new_id
from assay.playground.accounts.refusals import ThrottledError
from assay.playground.accounts.upload import NEXT, Upload, UploadState
from assay.playground.accounts.viewer import Viewer, local_viewer

if TYPE_CHECKING:
    # SQLAlchemy takes 0.3 s to import, which a single user need not wait for.
    from assay.playground.accounts.service import Accounts

_FILE = "upload.json"
_MOST_WAITING = 20
_MOST_LISTED = 500
_MOST_BYTES = 32 << 20
_SERVER = "playground"


class UploadStore(Protocol):
    """Keeps the states of uploads."""

    def receive(
        self,
        name: str,
        file_name: str,
        *,
        size: int,
        sha256: str,
        challenges: Iterable[str],
        private: bool,
        embargo: datetime | None,
        address: str | None,
    ) -> Upload:
        """Note an upload that lies on the disk; ThrottledError when too many of the account wait."""

    def move(
        self, upload_id: str, state: UploadState, *, outcome: Mapping[str, Any] | None = None, commit: str | None = None
    ) -> Upload:
        """Bring an upload to its next state; InvalidInputError when it cannot follow."""

    def get(self, upload_id: str, viewer: Viewer) -> Upload:
        """An upload that the viewer may see; NotFoundError for none."""

    def list(
        self,
        viewer: Viewer,
        *,
        account: str | None = None,
        state: UploadState | None = None,
        before: datetime | None = None,
        limit: int = 50,
    ) -> list[Upload]:
        """Uploads that the viewer may see, the newest first."""


class AccountUploads:
    """The uploads of a server with accounts."""

    def __init__(self, accounts: Accounts) -> None:
        self._uploads = accounts.uploads
        self.get, self.list = accounts.uploads.get, accounts.uploads.list

    def receive(self, name: str, file_name: str, *, address: str | None, **more: Any) -> Upload:
        """Note an upload, with a line in the audit log."""
        from assay.playground.accounts.audit import Actor

        return self._uploads.receive(name, file_name, by=Actor(name, address), **more)

    def move(
        self, upload_id: str, state: UploadState, *, outcome: Mapping[str, Any] | None = None, commit: str | None = None
    ) -> Upload:
        """Bring an upload to its next state; its end is a line in the audit log."""
        from assay.playground.accounts.audit import Actor

        return self._uploads.move(upload_id, state, by=Actor(_SERVER), outcome=outcome, commit=commit)


class LocalUploads:
    """The uploads of a single user, each in a file ``<folder>/<id>/upload.json``.

    Args:
        folder: that they are in.
        clock: the time, in UTC.
    """

    def __init__(self, folder: Path, clock: Callable[[], datetime]) -> None:
        self._folder, self._clock = folder, clock
        self._lock = threading.Lock()

    def receive(
        self,
        name: str,
        file_name: str,
        *,
        size: int,
        sha256: str,
        challenges: Iterable[str],
        private: bool,
        embargo: datetime | None,
        address: str | None,
    ) -> Upload:
        """Note an upload."""
        del address
        now = self._clock()
        plain = "".join(each for each in file_name.replace("\\", "/").rpartition("/")[2] if each.isprintable())[-200:]
        upload = Upload(
            new_id(), name, now, now, plain or "upload", size, sha256, UploadState.RECEIVED,
            tuple(sorted(set(challenges))), private, embargo, {}, None,
        )  # fmt: skip
        with self._lock:
            if sum(not each.state.done for each in self._every()) >= _MOST_WAITING:
                raise ThrottledError("too many uploads are being checked", retry_after_s=60)
            self._write(upload)
        return upload

    def move(
        self, upload_id: str, state: UploadState, *, outcome: Mapping[str, Any] | None = None, commit: str | None = None
    ) -> Upload:
        """Bring an upload to its next state."""
        with self._lock:
            before = self._read(upload_id)
            if state not in NEXT[before.state]:
                raise InvalidInputError(
                    "an upload cannot become this", where=before.id, found=f"{state} after {before.state}"
                )
            upload = replace(
                before,
                state=state,
                changed=self._clock(),
                outcome=before.outcome if outcome is None else dict(outcome),
                commit=commit or before.commit,
            )
            self._write(upload)
        return upload

    def get(self, upload_id: str, viewer: Viewer) -> Upload:
        """An upload that the viewer may see."""
        upload = self._read(upload_id)
        if not upload.seen_by(viewer, self._clock()):
            raise NotFoundError(f"no upload {upload_id[:16]!a}")
        return upload

    def list(
        self,
        viewer: Viewer,
        *,
        account: str | None = None,
        state: UploadState | None = None,
        before: datetime | None = None,
        limit: int = 50,
    ) -> list[Upload]:
        """Uploads that the viewer may see, the newest first."""
        now = self._clock()
        found = [
            each
            for each in self._every()
            if each.seen_by(viewer, now)
            and (account is None or each.account == account)
            and (state is None or each.state is state)
            and (before is None or each.created < before)
        ]
        return sorted(found, key=lambda each: (each.created, each.id), reverse=True)[:limit]

    def _every(self) -> tuple[Upload, ...]:
        found = []
        with machine_errors(self._folder):
            files = [each for each in self._folder.glob(f"*/{_FILE}") if id_of(each.parent.name)]
            files.sort(key=lambda each: each.stat().st_mtime_ns, reverse=True)
        for path in files[:_MOST_LISTED]:
            try:
                found.append(self._read(path.parent.name))
            except AssayError:
                # One that cannot be read hides no other.
                continue
        return tuple(found)

    def _read(self, upload_id: str) -> Upload:
        name = id_of(upload_id)
        path = self._folder / name / _FILE
        if not name or not path.is_file():
            raise NotFoundError(f"no upload {upload_id[:16]!a}")
        said = read_json(path, max_bytes=_MOST_BYTES)
        try:
            moments = {key: datetime.fromisoformat(said[key]) for key in ("created", "changed")}
            embargo = datetime.fromisoformat(said["embargo"]) if said["embargo"] else None
            challenges = tuple(said["challenges"])
            return Upload(
                **{**said, **moments, "embargo": embargo, "challenges": challenges, "state": UploadState(said["state"])}
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInputError("not the file of an upload", where=path) from error

    def _write(self, upload: Upload) -> None:
        moments = {
            key: value.isoformat() if isinstance(value := getattr(upload, key), datetime) else None
            for key in ("created", "changed", "embargo")
        }
        write_json(self._folder / upload.id / _FILE, {**asdict(upload), **moments, "state": upload.state.value})


EVERYTHING = local_viewer(_SERVER)
"""Who looks when the server itself does."""
