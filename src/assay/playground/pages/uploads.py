"""Uploads: what somebody sent in, how far it is, and what became of it. Seen by its owner and by maintainers."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import AwareDatetime
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from assay.errors import InvalidInputError, NotFoundError
from assay.playground.accounts.upload import Upload
from assay.playground.accounts.viewer import Scope, Viewer
from assay.playground.here import Here, Looking
from assay.playground.page import PageModel, Pages
from assay.playground.receiving import Received, Receiver, check_digest
from assay.playground.security.addresses import address_of
from assay.playground.upload_view import UploadLine, UploadPage, upload_line, upload_page
from assay.playground.uploads import UploadQueue, contributor_of, wish_of

_PER_PAGE = 50


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    uploads = UploadQueue(app.state.playground)
    app.state.uploads = uploads
    await run_in_threadpool(uploads.start)
    try:
        yield
    finally:
        await run_in_threadpool(uploads.stop)


pages = Pages("uploads")
router = APIRouter(lifespan=_lifespan)
"""What runs beside the pages: the queue."""


def queue_of(request: Request) -> UploadQueue:
    """The queue of the server that a request came to."""
    uploads = request.app.state.uploads
    assert isinstance(uploads, UploadQueue)
    return uploads


class UploadsPage(PageModel):
    """Uploads, newest first."""

    uploads: tuple[UploadLine, ...]
    everybody: bool
    may_see_all: bool
    older: str | None


@pages.get("/uploads", template="uploads.html")
def uploads(
    here: Looking,
    everybody: Annotated[bool, Query(alias="all")] = False,
    before: Annotated[AwareDatetime | None, Query()] = None,
) -> UploadsPage:
    """What you have sent in; maintainers can see what everybody has."""
    viewer = here.viewer.require(Scope.PUSH) if not here.viewer.known else here.viewer
    every = everybody and viewer.is_maintainer
    found = queue_of(here.request).store.list(
        viewer, account=None if every else contributor_of(viewer), before=_utc(before), limit=_PER_PAGE
    )
    older = found[-1].created.isoformat() if len(found) == _PER_PAGE else None
    return UploadsPage(
        uploads=tuple(upload_line(each) for each in found),
        everybody=every,
        may_see_all=viewer.is_maintainer,
        older=older,
    )


@pages.get("/uploads/{upload_id}", template="upload.html")
def upload(here: Looking, upload_id: str) -> UploadPage:
    """One upload: how far it is, which results were taken and which not, and every finding of the check."""
    found = find_upload(here, upload_id)
    queue = queue_of(here.request)
    return upload_page(here, found, queue.note_of(found), queue.ahead(found.id))


def find_upload(here: Here, upload_id: str) -> Upload:
    """An upload for its owner, and for maintainers.

    Raises:
        NotFoundError: for everybody else, in the words for one that there is not.
    """
    found = queue_of(here.request).store.get(upload_id, here.viewer)
    if not (here.viewer.is_maintainer or _owns(here.viewer, found)):
        raise NotFoundError(f"no upload {upload_id[:16]!a}")
    return found


def _owns(viewer: Viewer, found: Upload) -> bool:
    return viewer.known and contributor_of(viewer).casefold() == found.account.casefold()


_TEXT = {"type": "string"}
_FORM = {
    "required": ["file"],
    "type": "object",
    "properties": {
        "file": {"type": "string", "format": "binary", "description": "A .tar.gz, .tar.xz, .tar or .zip"},
        "challenge": {"type": "array", "items": _TEXT, "description": "Alias or uid of an open challenge"},
        "private": {**_TEXT, "description": "1: seen by its account and maintainers alone"},
        "embargo": {**_TEXT, "description": "From when on everybody may see it: ISO 8601 with a zone"},
        "round": {**_TEXT, "description": "Whose rules a tree is checked by; told from its logs when left out"},
        "note": {**_TEXT, "description": "For yourself and the maintainers"},
        "sha256": {**_TEXT, "description": "Of the file, held against what came"},
    },
}


@pages.router.post(
    "/api/uploads",
    status_code=202,
    summary="Send in a submission tree or runs, packed",
    openapi_extra={"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}},
)
async def send(request: Request, here: Looking) -> Response:
    """Send in an archive as ``multipart/form-data``: ``file``, and if wanted ``challenge`` (repeated), ``private``,
    ``embargo``, ``round`` and ``note``. Answers at once; ask the address that it names what has become of it."""
    received = await receive(request, here)
    said = {
        "id": received.id,
        "state": received.state.value,
        "address": f"/uploads/{received.id}",
        "size": received.size,
        "sha256": received.sha256,
    }
    return JSONResponse(said, status_code=202, headers={"Location": f"/uploads/{received.id}"})


async def receive(request: Request, here: Here) -> Upload:
    """Write the file of a form to the disk as it comes, and put it into the queue.

    Raises:
        AssayError: when it is refused; nothing is kept then.
    """
    here.viewer.require(Scope.PUSH)
    uploads, limits = queue_of(request), here.playground.config.upload
    length = request.headers.get("content-length", "")
    target = await run_in_threadpool(uploads.incoming, int(length[:15]) if length.isdigit() else None)
    receiver = Receiver(request.headers.get("content-type", ""), target, limits.max_bytes)
    try:
        async for data in request.stream():
            if data:
                await run_in_threadpool(receiver.feed, data)
        return await run_in_threadpool(_put, request, here, receiver)
    except ClientDisconnect as error:
        raise InvalidInputError("the connection ended before all had come") from error
    finally:
        # Nothing lies there any more once it was put into the queue.
        receiver.discard()


def _put(request: Request, here: Here, receiver: Receiver) -> Upload:
    received = receiver.finish()
    if not received.file_name:
        raise InvalidInputError("there is no file in the form", expected="a .tar.gz, .tar.xz, .tar or .zip as file")
    check_digest(received, request.headers.get("digest", ""))
    return put(request, here, receiver, received)


def put(request: Request, here: Here, receiver: Receiver, received: Received) -> Upload:
    """Put what has come into the queue."""
    wish = wish_of(received, here.viewer, here.settings, here.now)
    return queue_of(request).put(
        receiver.target, received.file_name, received.size, received.sha256, wish, here.viewer,
        address_of(request.scope),
    )  # fmt: skip


def _utc(moment: datetime | None) -> datetime | None:
    try:
        return None if moment is None else moment.astimezone(UTC)
    except OverflowError as error:
        raise InvalidInputError("no moment", where="before", found=str(moment)) from error
