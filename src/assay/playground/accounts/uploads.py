"""Uploads: what somebody sent in, how far it is, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from assay.base.units import format_size
from assay.errors import InvalidInputError, NotFoundError
from assay.playground.accounts.audit import Actor, Audit
from assay.playground.accounts.database import Database
from assay.playground.accounts.hashes import id_of, new_id
from assay.playground.accounts.memberships import check_challenge
from assay.playground.accounts.people import key_of, row_of
from assay.playground.accounts.refusals import ThrottledError
from assay.playground.accounts.settings import Clock
from assay.playground.accounts.tables import AccountRow, UploadRow
from assay.playground.accounts.upload import NEXT, Upload, UploadState
from assay.playground.accounts.viewer import Viewer

LARGEST_OUTCOME = 4 << 20
"""Bytes of an outcome as JSON; findings beyond it belong into a file."""


_WAITING = (UploadState.RECEIVED.value, UploadState.CHECKING.value)


class Uploads:
    """The uploads of a server."""

    def __init__(self, database: Database, audit: Audit, clock: Clock, waiting: int) -> None:
        self._database, self._audit, self._clock, self._waiting = database, audit, clock, waiting

    def receive(
        self,
        name: str,
        file_name: str,
        *,
        size: int,
        sha256: str,
        by: Actor,
        challenges: Iterable[str] = (),
        private: bool = False,
        embargo: datetime | None = None,
    ) -> Upload:
        """Note an upload that lies on the disk.

        Raises:
            NotFoundError: when there is no such account.
            InvalidInputError: when a challenge is no uid.
            ThrottledError: when too many of the account wait or are checked.
        """
        now = self._clock()
        with self._database.writing() as session:
            account = row_of(session, name, lock=True)
            waiting = session.scalar(
                select(func.count()).where(UploadRow.account_id == account.id, UploadRow.state.in_(_WAITING))
            )
            if (waiting or 0) >= self._waiting:
                raise ThrottledError(
                    "too many uploads are being checked", retry_after_s=60, hint="wait until some of them are done"
                )
            row = UploadRow(
                id=new_id(),
                account_id=account.id,
                account=account.name,
                created=now,
                changed=now,
                file_name=_file_name(file_name),
                size=size,
                sha256=sha256,
                state=UploadState.RECEIVED.value,
                challenges=sorted({check_challenge(uid) for uid in challenges}),
                private=private,
                embargo=embargo,
                outcome={},
            )
            session.add(row)
            self._audit.write(session, "upload.receive", row.id, by=by, detail={"bytes": size, "sha256": sha256})
            return _upload_of(row)

    def move(
        self,
        upload_id: str,
        state: UploadState,
        *,
        by: Actor,
        outcome: Mapping[str, Any] | None = None,
        commit: str | None = None,
    ) -> Upload:
        """Bring an upload to its next state.

        Raises:
            NotFoundError: when there is none.
            InvalidInputError: when that state cannot follow, or the outcome is too large.
        """
        _check_outcome(outcome)
        with self._database.writing() as session:
            row = _row(session, upload_id)
            before = UploadState(row.state)
            if state not in NEXT[before]:
                raise InvalidInputError(
                    "an upload cannot become this",
                    where=row.id,
                    expected=" or ".join(sorted(NEXT[before])) or "nothing more",
                    found=f"{state} after {before}",
                )
            row.state, row.changed = state.value, self._clock()
            row.outcome = row.outcome if outcome is None else dict(outcome)
            row.commit = commit or row.commit
            if state.done:
                self._audit.write(
                    session, f"upload.{state}", row.id, by=by, detail={"account": row.account, "commit": row.commit}
                )
            return _upload_of(row)

    def get(self, upload_id: str, viewer: Viewer) -> Upload:
        """An upload, when the viewer may see it.

        Raises:
            NotFoundError: when there is none that the viewer may see.
        """
        with self._database.reading() as session:
            row = session.get(UploadRow, id_of(upload_id))
            upload = None if row is None else _upload_of(row)
        if upload is None or not upload.seen_by(viewer, self._clock()):
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
        """Uploads that the viewer may see, the newest first.

        Args:
            viewer: who looks.
            account: only those of this account.
            state: only those.
            before: only those received before, for the next page.
            limit: how many are looked at, up to 500.
        """
        query = select(UploadRow).order_by(UploadRow.created.desc(), UploadRow.id).limit(max(1, min(limit, 500)))
        if account is not None:
            query = query.join(AccountRow, AccountRow.id == UploadRow.account_id).where(
                AccountRow.key == key_of(account)
            )
        if state is not None:
            query = query.where(UploadRow.state == state.value)
        if before is not None:
            query = query.where(UploadRow.created < before)
        if not viewer.audience.everything:
            mine = UploadRow.account == viewer.name
            query = query.where(mine | (UploadRow.state == UploadState.ACCEPTED.value))
        now = self._clock()
        with self._database.reading() as session:
            uploads = [_upload_of(row) for row in session.scalars(query)]
        return [upload for upload in uploads if upload.seen_by(viewer, now)]

    def recover(self, *, by: Actor) -> int:
        """Fail the uploads that were being checked when the server stopped; returns how many."""
        query = select(UploadRow).where(UploadRow.state.in_(_WAITING)).with_for_update()
        with self._database.writing() as session:
            rows = session.scalars(query).all()
            for row in rows:
                row.state, row.changed = UploadState.FAILED.value, self._clock()
                row.outcome = {"error": "the server stopped while this was being checked; send it again"}
                self._audit.write(session, "upload.failed", row.id, by=by, detail={"reason": "server stopped"})
            return len(rows)

    def counts(self) -> dict[UploadState, int]:
        """How many uploads are in each state."""
        query = select(UploadRow.state, func.count()).group_by(UploadRow.state)
        with self._database.reading() as session:
            found: dict[str, int] = dict(session.execute(query).all())
        return {state: found.get(state.value, 0) for state in UploadState}


def _row(session: Session, upload_id: str) -> UploadRow:
    row = session.scalar(select(UploadRow).where(UploadRow.id == id_of(upload_id)).with_for_update())
    if row is None:
        raise NotFoundError(f"no upload {upload_id[:16]!a}")
    return row


def _file_name(name: str) -> str:
    """The last part of what a browser calls a file, without what cannot be seen."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(character for character in last if character.isprintable())[-200:] or "upload"


def _check_outcome(outcome: Mapping[str, Any] | None) -> None:
    size = 0 if outcome is None else len(json.dumps(dict(outcome)))
    if size > LARGEST_OUTCOME:
        raise InvalidInputError(
            "the outcome of an upload is too large", expected=f"at most {format_size(LARGEST_OUTCOME)}"
        )


def _upload_of(row: UploadRow) -> Upload:
    return Upload(
        row.id,
        row.account,
        row.created,
        row.changed,
        row.file_name,
        row.size,
        row.sha256,
        UploadState(row.state),
        tuple(row.challenges),
        row.private,
        row.embargo,
        row.outcome,
        row.commit,
    )
