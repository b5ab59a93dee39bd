"""What machines ask for: whether the server can answer, what crawlers may see, and the mark of the site."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

import assay
from assay.errors import AssayError
from assay.playground.here import Playground
from assay.results.audience import ANYBODY
from assay.results.overview import overview

router = APIRouter(include_in_schema=False)
_ROBOTS = """User-agent: *
Disallow: /account
Disallow: /sign-in
Disallow: /sign-up
Disallow: /uploads
Disallow: /runs
Disallow: /search
Disallow: /explorer
Allow: /
"""


@router.get("/healthz")
def healthz(request: Request) -> Response:
    """Whether results can be read; says no names and no paths, for anybody may ask."""
    playground: Playground = request.app.state.playground
    try:
        store = playground.index.seen_by(ANYBODY)
        try:
            rounds = len({each.round for each in overview(store) if each.official})
        finally:
            store.close()
    except AssayError:
        answer = {"ok": False, "version": assay.__version__, "index": "cannot be read"}
        return JSONResponse(answer, status_code=503, headers=_FRESH)
    # A problem with what was added last is no reason to send visitors elsewhere.
    state = "behind" if playground.index.problem else "ready"
    return JSONResponse(
        {"ok": True, "version": assay.__version__, "index": state, "published_rounds": rounds}, headers=_FRESH
    )


_FRESH = {"Cache-Control": "no-store"}


@router.get("/robots.txt")
def robots() -> Response:
    """What crawlers are asked to leave alone: pages without an end, and what is somebody's own."""
    return PlainTextResponse(_ROBOTS, headers={"Cache-Control": "public, max-age=3600"})


@router.get("/favicon.ico")
def favicon(request: Request) -> Response:
    """The mark, where browsers look for it unasked."""
    playground: Playground = request.app.state.playground
    return RedirectResponse(
        playground.markup.static("mark.svg"), status_code=308, headers={"Cache-Control": "public, max-age=3600"}
    )
