"""The application, put together: guards, pages, files. Nothing else happens here."""

from __future__ import annotations

import contextlib
import getpass
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import anyio.to_thread
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

import assay
from assay.base.files import machine_errors
from assay.base.processors import processor_count
from assay.base.settings import Settings
from assay.playground import cache, failures
from assay.playground.here import Playground
from assay.playground.index import Index
from assay.playground.markup import Markup
from assay.playground.openapi import Application
from assay.playground.pages import ROUTERS
from assay.playground.security.config import ServerConfig
from assay.playground.security.metrics import Metrics
from assay.playground.security.requests import Gate, open_gate
from assay.playground.security.stack import guards
from assay.playground.static_files import StaticFiles

_DESCRIPTION = """Results of MLPerf Inference: every page of the playground is here as JSON, at the page's address with
`.json` behind it. Filters, metrics and columns are written in the language of expressions."""


def create_app(
    settings: Settings,
    config: ServerConfig,
    gate: Gate | None = None,
    *,
    clock: Callable[[], datetime] | None = None,
    write_log: Callable[[str], None] | None = None,
) -> FastAPI:
    """The playground as an ASGI application.

    Args:
        settings: where files are.
        config: how the server is set up.
        gate: who is let in; made of the configuration unless given.
        clock: the time in UTC; the machine's unless given.
        write_log: takes a line for each request; None for no log.

    Raises:
        MachineError: when the database of accounts cannot be used.
    """
    gate = gate or _gate(settings, config)
    files = StaticFiles(settings)
    index = Index(settings, clock or (lambda: datetime.now(UTC)))
    metrics = Metrics(index_age_s=index.age_s, index_bytes=index.size)
    playground = Playground(settings, config, index, Markup(files), gate.accounts, metrics)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        del app
        # Pages reckon and do not wait, so more threads than these take turns only, and the loop waits for its own.
        anyio.to_thread.current_default_thread_limiter().total_tokens = 2 + 2 * processor_count()
        index.start()
        try:
            yield
        finally:
            index.stop()
            if gate.accounts is not None:
                gate.accounts.close()

    app = Application(
        title="assay playground",
        version=assay.__version__,
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        middleware=[
            *guards(gate, metrics=metrics, write_log=write_log, answer=failures.refusal),
            cache.middleware(index, config),
        ],
    )
    app.state.gate = gate
    app.state.playground = playground
    failures.install(app)
    for router in ROUTERS:
        app.include_router(router)
    app.add_api_route("/static/{digest}/{name}", _static(files), include_in_schema=False, name="static")
    return app


def _gate(settings: Settings, config: ServerConfig) -> Gate:
    if config.single_user:
        return open_gate(config, None, local_name=local_name())
    with machine_errors(settings.home):
        settings.home.mkdir(parents=True, exist_ok=True)
    # A single user never needs the library of databases, which takes a third of a second to import.
    from assay.playground.accounts.service import Accounts

    return open_gate(config, Accounts(config.database(settings), config.accounts))


def _static(files: StaticFiles) -> Callable[..., Response]:
    def answer(request: Request, digest: str, name: str) -> Response:
        return files.answer(name, digest=digest, accepts=request.headers.get("accept-encoding", ""))

    return answer


def local_name() -> str:
    """The name of who uses this machine."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "me"
