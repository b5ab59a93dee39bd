"""Submit: send in a submission tree or runs, from the browser, from the command line, or a run of this machine."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, ConfigDict

import assay
from assay.community.challenge import Challenge, Status
from assay.community.challenges import load_challenges
from assay.community.parcel import pack, parcel_of_runs, with_partner
from assay.errors import AssayError
from assay.playground import run_files
from assay.playground.accounts.refusals import DeniedError
from assay.playground.accounts.upload import UploadState
from assay.playground.accounts.viewer import Scope, Via
from assay.playground.here import Here, Looking
from assay.playground.page import PageModel, Pages, html
from assay.playground.pages.uploads import queue_of, receive
from assay.playground.receiving import Received
from assay.playground.run_view import RunLine, run_line
from assay.playground.security.addresses import address_of
from assay.playground.security.answers import headers_of, status_of, wants_json
from assay.playground.security.config import UploadLimits
from assay.playground.upload_store import EVERYTHING
from assay.playground.upload_view import Trouble
from assay.playground.uploads import wish_of
from assay.rules.load import round_names
from assay.rules.model import Mode

pages = Pages("uploads")

_RUNS = 30
_LOOKED_AT = 300


class OpenChallenge(BaseModel):
    """A challenge that takes results now."""

    model_config = ConfigDict(frozen=True)

    uid: str
    name: str
    title: str
    closes: str | None
    private: bool
    chosen: bool


class SubmitPage(PageModel):
    """What can be sent in here, by whom, and how.

    Attributes:
        assay: version of the server; programs know by it what they talk to.
        viewer: name of who asks; None for anybody.
        may_push: whether they may send something in.
        why_not: why not.
        limits: of an upload.
        unknown: a challenge that was asked for and takes no results, or is not there.
    """

    assay: str
    address: str
    viewer: str | None
    accounts: bool
    may_push: bool
    why_not: str
    limits: UploadLimits
    challenges: tuple[OpenChallenge, ...]
    unknown: str
    rounds: tuple[str, ...]
    runs: tuple[RunLine, ...]
    problem: Trouble | None = None
    status: int = 200

    @property
    def http_status(self) -> int:
        """That of the problem, when there is one."""
        return self.status


@pages.get("/submit", template="submit.html")
def submit(
    here: Looking,
    challenge: Annotated[list[str], Query(max_length=50)] = [],  # noqa: B006 - FastAPI copies it
) -> SubmitPage:
    """Send in results: what is taken, what is checked, and as which command."""
    return submit_page(here, tuple(each for each in challenge if each)[:20])


def submit_page(here: Here, chosen: tuple[str, ...], error: AssayError | None = None) -> SubmitPage:
    """The page, with what was chosen and what was wrong."""
    viewer = here.viewer
    opened = load_challenges(here.settings, viewer.audience, here.now).of(Status.OPEN)
    wanted = {each.strip().casefold() for each in chosen}
    lines = tuple(_line(each, wanted) for each in opened)
    known = {name for each in opened for name in (each.uid, each.alias.casefold())}
    return SubmitPage(
        assay=assay.__version__,
        address=_address(here),
        viewer=viewer.name,
        accounts=here.playground.accounts is not None,
        may_push=viewer.may(Scope.PUSH),
        why_not=_why_not(here),
        limits=here.playground.config.upload,
        challenges=lines,
        unknown=next((each[:100] for each in chosen if each.strip().casefold() not in known), ""),
        rounds=tuple(reversed(round_names())),
        runs=_runs(here),
        problem=None if error is None else Trouble.model_validate(error.to_dict()),
        status=200 if error is None else status_of(error),
    )


@pages.router.post("/submit", include_in_schema=False)
async def sent(request: Request, here: Looking) -> Response:
    """The form of the page, as browsers send it without scripts."""
    try:
        received = await receive(request, here)
    except AssayError as error:
        return _again(here, error)
    return RedirectResponse(f"/uploads/{received.id}", status_code=303)


@pages.router.post("/submit/run", include_in_schema=False)
def sent_run(
    request: Request,
    here: Looking,
    run: Annotated[str, Form(max_length=300)],
    challenge: Annotated[list[str], Form(max_length=50)] = [],  # noqa: B006 - FastAPI copies it
    private: Annotated[str, Form(max_length=10)] = "",
    embargo: Annotated[str, Form(max_length=60)] = "",
    zone: Annotated[str, Form(max_length=60)] = "",
) -> Response:
    """A run of this machine, sent in with one button; for who uses the server alone."""
    try:
        here.viewer.require(Scope.PUSH)
        if here.viewer.via is not Via.LOCAL:
            raise DeniedError("runs of the server are sent in by nobody but its only user")
        folders = with_partner(run_files.find_run(here.settings.runs_dir, run))
        fields = {"challenge": tuple(challenge), "private": (private,), "embargo": (embargo,), "zone": (zone,)}
        wish = wish_of(Received("", 0, "", fields), here.viewer, here.settings, here.now)
        uploads = queue_of(request)
        parcel = parcel_of_runs(folders)
        target = uploads.incoming(parcel.size)
        try:
            packed = pack(parcel, target)
            found = uploads.put(
                target, parcel.name, packed.size, packed.sha256, wish, here.viewer, address_of(request.scope)
            )
        finally:
            target.unlink(missing_ok=True)
    except AssayError as error:
        return _again(here, error)
    return RedirectResponse(f"/uploads/{found.id}", status_code=303)


def _again(here: Here, error: AssayError) -> Response:
    """The page with what was wrong, in place; programs get the error alone."""
    if wants_json(here.request.scope):
        raise error
    answer = html(here, "submit.html", submit_page(here, (), error))
    for name, value in headers_of(error).items():
        answer.headers[name] = value
    return answer


def _line(challenge: Challenge, wanted: set[str]) -> OpenChallenge:
    return OpenChallenge(
        uid=challenge.uid,
        name=challenge.name,
        title=challenge.title,
        closes=None if challenge.closes is None else challenge.closes.isoformat(),
        private=challenge.private,
        chosen=bool(wanted & {challenge.uid, challenge.alias.casefold()}),
    )


def _address(here: Here) -> str:
    """How this server is called in a command."""
    base = here.playground.config.base_url
    return base or f"{here.request.url.scheme}://{here.request.url.netloc}"


def _why_not(here: Here) -> str:
    if here.viewer.may(Scope.PUSH):
        return ""
    if not here.viewer.known:
        return "nobody is signed in"
    if here.viewer.via is Via.TOKEN and here.viewer.role is not None and Scope.PUSH in here.viewer.role.scopes:
        return "this token may not push"
    return "the role reader may look, and send nothing in"


def _runs(here: Here) -> tuple[RunLine, ...]:
    """Runs of the only user that could be sent in and were not: those whose logs make a result."""
    if here.viewer.via is not Via.LOCAL:
        return ()
    gone = _sent_runs(here)
    found = []
    for each in run_files.list_runs(here.settings.runs_dir)[:_LOOKED_AT]:
        record = each.record
        if record is None or record.mode != Mode.PERFORMANCE.value or each.id in gone:
            continue
        line = run_line(each)
        # A record without a verdict gets one when it is checked.
        if line.state in ("VALID", "not judged"):
            found.append(line)
        if len(found) >= _RUNS:
            break
    return tuple(found)


def _sent_runs(here: Here) -> set[str]:
    """Runs that are in an upload that was taken, or may be."""
    found: set[str] = set()
    for upload in queue_of(here.request).store.list(EVERYTHING, limit=200):
        if not upload.state.done:
            found.add(upload.file_name.removesuffix(".tar.gz"))
        elif upload.state is UploadState.ACCEPTED:
            found |= {str(each.get("path", "")).rpartition("/")[2] for each in upload.outcome.get("accepted", ())}
    return found
