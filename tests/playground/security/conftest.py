"""A small application behind all guards, with accounts in SQLite."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.testclient import TestClient

from assay.errors import AssayError
from assay.playground.accounts.audit import CONSOLE
from assay.playground.accounts.service import Accounts
from assay.playground.accounts.settings import AccountSettings, Hashing, SignUp
from assay.playground.accounts.viewer import Role, Scope, Viewer
from assay.playground.security.answers import plain_answer
from assay.playground.security.config import ServerConfig
from assay.playground.security.cookies import forget_session, keep_session, session_cookie
from assay.playground.security.metrics import CONTENT_TYPE, Metrics, may_read
from assay.playground.security.requests import Gate, forget, identify, open_gate
from assay.playground.security.stack import guards

GOOD = "correct horse battery"
CHEAP = AccountSettings(sign_up=SignUp.OPEN, hashing=Hashing(passes=1, memory_kib=8, lanes=1))


@dataclass
class Site:
    """The application, its client and what it wrote."""

    client: TestClient
    gate: Gate
    metrics: Metrics
    lines: list[str] = field(default_factory=list)

    @property
    def accounts(self) -> Accounts:
        assert self.gate.accounts is not None
        return self.gate.accounts

    @property
    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]

    def csrf(self) -> str:
        """The token of forms of whoever looks."""
        return str(self.client.get("/form").json()["csrf"])

    def sign_in(self, name: str = "Ada") -> None:
        form = {"csrf": self.csrf(), "name": name, "password": GOOD}
        answer = self.client.post("/sign-in", data=form)
        assert answer.status_code == 200, answer.text

    def token(self, *scopes: Scope) -> str:
        return self.accounts.tokens.create("Ada", "t", scopes or (Scope.READ, Scope.PUSH), by=CONSOLE).text


def described(viewer: Viewer) -> dict[str, Any]:
    return {"name": viewer.name, "via": viewer.via, "scopes": sorted(viewer.scopes), "csrf": viewer.csrf}


def application(gate: Gate, metrics: Metrics, write: Callable[[str], None]) -> FastAPI:
    app = FastAPI(middleware=guards(gate, metrics=metrics, write_log=write), openapi_url=None)
    app.state.gate = gate

    @app.exception_handler(AssayError)
    async def refused(request: Request, error: AssayError) -> Response:
        return plain_answer(request.scope, error)

    @app.exception_handler(HTTPException)
    async def missing(_request: Request, error: HTTPException) -> Response:
        return PlainTextResponse("no", error.status_code)

    @app.get("/healthz")
    def health() -> str:
        return "ok"

    @app.get("/metrics")
    def figures(request: Request) -> Response:
        if not may_read(request, gate.config):
            raise HTTPException(403)
        return Response(metrics.render(), media_type=CONTENT_TYPE)

    @app.get("/plain")
    def plain() -> str:
        return "nobody asked who it is"

    @app.get("/form")
    def form(request: Request) -> dict[str, Any]:
        return described(identify(request))

    @app.get("/me")
    @app.get("/api/me")
    @app.get("/search")
    @app.get("/results/{uid}")
    @app.get("/embed/plot")
    def me(request: Request) -> dict[str, Any]:
        viewer = identify(request)
        return {"name": viewer.name, "via": viewer.via, "peer": request.client.host if request.client else None}

    @app.get("/broken")
    def broken() -> None:
        raise ZeroDivisionError

    @app.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        form = await request.form()
        assert gate.accounts is not None
        name, password = str(form["name"]), str(form["password"])
        session = await run_in_threadpool(gate.accounts.sign_in, name, password, "192.0.2.1")
        forget(request)
        response = JSONResponse({"name": session.viewer.name})
        keep_session(response, session, gate.config.secure)
        return response

    @app.post("/sign-out")
    def sign_out(request: Request) -> Response:
        cookie = session_cookie(request, gate.config.secure)
        if cookie and gate.accounts:
            gate.accounts.sign_out(cookie)
        response = JSONResponse({})
        forget_session(response, gate.config.secure)
        return response

    @app.post("/change")
    @app.put("/change")
    @app.delete("/change")
    async def change(request: Request) -> dict[str, Any]:
        viewer = identify(request)
        body = await request.body()
        return {"name": viewer.name, "via": viewer.via, "bytes": len(body)}

    @app.post("/submit")
    async def submit(request: Request) -> dict[str, Any]:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
        return {"bytes": size}

    return app


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """Makes an application: ``site(secure=True, limits={...}, single_user=True)``."""
    opened: list[Site] = []

    def make(peer: str = "192.0.2.1", host: str = "testserver", **changes: Any) -> Site:
        settings = {
            "base_url": f"https://{host}" if changes.pop("secure", False) else f"http://{host}",
            "allowed_hosts": [host],
            "secret": "0123456789abcdefghijklmnopqrstuv",
            **changes,
        }
        config = ServerConfig.model_validate(settings)
        accounts = None
        if not config.single_user:
            accounts = Accounts(f"sqlite:///{tmp_path / f'{len(opened)}.sqlite'}", CHEAP)
            for name, role in (("Maria", Role.MAINTAINER), ("Ada", Role.CONTRIBUTOR)):
                accounts.people.add(name, role=role, password=GOOD, by=CONSOLE)
        gate, metrics, lines = open_gate(config, accounts, local_name="me"), Metrics(), list[str]()
        app = application(gate, metrics, lines.append)
        client = TestClient(app, base_url=str(config.base_url), client=(peer, 1), raise_server_exceptions=False)
        made = Site(client, gate, metrics, lines)
        opened.append(made)
        return made

    yield make
    for each in opened:
        each.client.close()
        if each.gate.accounts is not None:
            each.gate.accounts.close()
