"""The answer to a refused request, where no page can be asked: plain, escaped, in the form that was asked for."""

from __future__ import annotations

import html
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Scope

from assay.errors import AssayError, InvalidInputError, MachineError, NotFoundError, UsageError
from assay.playground.accounts.refusals import RefusedError, ThrottledError

Answer = Callable[[Scope, AssayError], Response]


def status_of(error: AssayError) -> int:
    """The HTTP status that says what an error is."""
    if isinstance(error, RefusedError):
        return error.status
    if isinstance(error, NotFoundError):
        return 404
    if isinstance(error, MachineError):
        return 503
    if isinstance(error, (InvalidInputError, UsageError)):
        return 400
    return 500


def headers_of(error: AssayError) -> dict[str, str]:
    """The headers that belong to an error's status."""
    headers = {"Cache-Control": "no-store"}
    if isinstance(error, ThrottledError):
        headers["Retry-After"] = str(error.retry_after_s)
    if status_of(error) == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="assay"'
    return headers


def wants_json(scope: Scope) -> bool:
    """Whether a program asks: by path, by what it accepts, or by sending a token."""
    headers = Headers(scope=scope)
    path = scope.get("path", "")
    if path.startswith("/api/") or path.endswith(".json"):
        return True
    accept = headers.get("accept", "")
    return "text/html" not in accept and ("json" in accept or headers.get("authorization", "")[:7].lower() == "bearer ")


def plain_answer(scope: Scope, error: AssayError) -> Response:
    """The answer to a refused request, without a template."""
    status, headers = status_of(error), headers_of(error)
    if wants_json(scope):
        return JSONResponse({**error.to_dict(), "status": status}, status_code=status, headers=headers)
    hint = f"<p>{html.escape(error.hint)}</p>" if error.hint else ""
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{status}</title>'
        f"<h1>{html.escape(error.what)}</h1>{hint}"
    )
    return HTMLResponse(page, status_code=status, headers=headers)
