"""Errors as pages: what is wrong, what was expected, what to do; never a traceback."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from assay.errors import AssayError, InvalidInputError, MachineError, NotFoundError
from assay.playground.accounts.viewer import Viewer
from assay.playground.here import Here, Playground
from assay.playground.page import html
from assay.playground.security.answers import headers_of, status_of, wants_json
from assay.playground.security.requests import identify

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
        return _answer(request, MachineError("assay itself failed", hint="the server's log says where"), 500, {})

    app.add_exception_handler(AssayError, of_ours)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(RequestValidationError, of_input)
    app.add_exception_handler(Exception, of_nobody)


def _told(error: RequestValidationError) -> InvalidInputError:
    first = error.errors()[0]
    where = ".".join(str(each) for each in first["loc"] if each not in ("query", "path", "body"))
    found = repr(first.get("input"))
    return InvalidInputError(first["msg"][:_LONGEST], where=where[:_LONGEST] or None, found=found[:_LONGEST])


def _answer(request: Request, error: AssayError, status: int, headers: dict[str, str]) -> Response:
    if wants_json(request.scope):
        return JSONResponse({**error.to_dict(), "status": status}, status_code=status, headers=headers)
    playground: Playground = request.app.state.playground
    here = Here(request, playground, _viewer(request))
    page = html(here, "failure.html", error, status=status, phrase=HTTPStatus(status).phrase)
    for name, value in headers.items():
        page.headers[name] = value
    return page


def _viewer(request: Request) -> Viewer:
    try:
        return identify(request)
    except AssayError:
        # What failed may have been that.
        return Viewer()
