"""Errors as pages: what is wrong, what was expected, what to do; never a traceback."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from assay.errors import AssayError, InvalidInputError, MachineError, NotFoundError
from assay.playground.accounts.viewer import Viewer
from assay.playground.here import Here, Playground
from assay.playground.markup import query
from assay.playground.page import html
from assay.playground.security.answers import headers_of, status_of, wants_json
from assay.playground.security.headers import security_headers
from assay.playground.security.requests import identify, viewer_in

_LONGEST = 300


def install(app: FastAPI) -> None:
    """Answer every error of an application with a page, or with JSON where that is asked for."""

    def of_ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, AssayError)
        return _answer(request, error, status_of(error), headers_of(error))

    def of_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 404:
            told: AssayError = NotFoundError(
                "there is no such page", where=request.url.path[:_LONGEST], hint="see what there is: /"
            )
        else:
            told = InvalidInputError(HTTPStatus(error.status_code).phrase.lower())
        return _answer(request, told, error.status_code, dict(error.headers or {}))

    def of_input(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return _answer(request, _told(error), 422, {})

    def of_nobody(request: Request, error: Exception) -> Response:
        del error
        # This answer is made outside of all guards, which would have given it its headers.
        headers = security_headers(request.url.path, https=request.app.state.playground.config.secure)
        told = MachineError("assay itself failed", hint="the server's log says where")
        return _answer(request, told, 500, {**headers, "Cache-Control": "no-store"})

    app.add_exception_handler(AssayError, of_ours)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(RequestValidationError, of_input)
    app.add_exception_handler(Exception, of_nobody)


def refusal(scope: Scope, error: AssayError) -> Response:
    """The answer of a guard that lets a request no further: a page, or JSON where that is asked for.

    Who asks is not looked up for it: that may be what there was too much of.
    """
    # The name that the server was called by may be what is wrong, and not even be a name.
    headers = [(name, value) for name, value in scope["headers"] if name != b"host"]
    request = Request({**scope, "headers": headers})
    return _answer(request, error, status_of(error), headers_of(error), viewer_in(scope) or Viewer())


def _told(error: RequestValidationError) -> InvalidInputError:
    first = error.errors()[0]
    where = ".".join(str(each) for each in first["loc"] if each not in ("query", "path", "body"))
    found = repr(first.get("input"))
    return InvalidInputError(first["msg"][:_LONGEST], where=where[:_LONGEST] or None, found=found[:_LONGEST])


def _answer(
    request: Request, error: AssayError, status: int, headers: dict[str, str], viewer: Viewer | None = None
) -> Response:
    if wants_json(request.scope):
        return JSONResponse({**error.to_dict(), "status": status}, status_code=status, headers=headers)
    playground: Playground = request.app.state.playground
    here = Here(request, playground, viewer or _viewer(request))
    sign_in = _way_in(request) if status == 401 and playground.accounts is not None else ""
    page = html(here, "failure.html", error, status=status, phrase=HTTPStatus(status).phrase, sign_in=sign_in)
    for name, value in headers.items():
        page.headers[name] = value
    return page


def _way_in(request: Request) -> str:
    """Where to sign in, and from there back to the page that was asked for."""
    if request.method != "GET":
        return "/sign-in"
    path, asked = request.url.path, request.url.query
    return f"/sign-in{query(next=f'{path}?{asked}' if asked else path)}"


def _viewer(request: Request) -> Viewer:
    try:
        return identify(request)
    except AssayError:
        # What failed may have been that.
        return Viewer()
