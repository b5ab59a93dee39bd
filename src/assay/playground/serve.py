"""The playground as a process: what it is set up with, checked before it listens, and the server itself."""

from __future__ import annotations

import gc
import socket
from collections.abc import Callable
from pathlib import Path

import uvicorn

from assay.base.settings import Settings
from assay.errors import MachineError, UsageError
from assay.playground.app import create_app
from assay.playground.security.checks import is_loopback, refuse_unsafe
from assay.playground.security.config import ServerConfig, load_config

_TRIED = 20
_GRACE_S = 10
_KEEP_ALIVE_S = 30
"""Longer than clients and proxies keep a connection that they do not use: else they write into one that is being closed."""


def configured(
    path: Path | None, *, host: str | None = None, port: int | None = None, public: bool = False
) -> ServerConfig:
    """How the server is set up: a file, and over it what the command line says; without a file a single user's own.

    Raises:
        AssayError: for a file that is not there or wrong.
        UsageError: for a single user's playground that others could reach.
    """
    config = (
        ServerConfig(single_user=True) if path is None and not public else load_config(path) if path else ServerConfig()
    )
    changes = {
        name: value for name, value in (("host", host), ("port", port), ("public", public or None)) if value is not None
    }
    config = ServerConfig.model_validate({**config.model_dump(), **changes})
    if config.single_user and not is_loopback(config.host):
        raise UsageError(
            "a playground without accounts makes everybody who reaches it its maintainer",
            found=f"host {config.host}",
            hint="write a server.yaml: docs/how-to/run-a-server.md",
        )
    return config


def checked(config: ServerConfig, settings: Settings) -> None:
    """Refuse settings that no server may have that strangers reach.

    Raises:
        UsageError: with every reason.
    """
    if config.public:
        refuse_unsafe(config, None if config.database_url else settings.home / "playground.sqlite")


def listening(config: ServerConfig, *, fixed: bool) -> socket.socket:
    """The socket that is listened on.

    Args:
        config: says where.
        fixed: exactly this port; else the next free one.

    Raises:
        MachineError: when the port is taken, or may not be listened on.
    """
    last: Exception | None = None
    tried = 1 if fixed or config.port == 0 else _TRIED
    for port in range(config.port, min(config.port + tried, 1 << 16)):
        family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
        # With the protocol named, or asyncio takes it for something else and lets small answers wait for 40 ms.
        found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((config.host.strip("[]"), port))
        except (OSError, ValueError, TypeError) as error:
            # Names that are none fail in other ways than addresses that are not this machine's.
            found.close()
            last = error
        else:
            return found
    raise MachineError(
        f"cannot listen on {config.host}:{config.port}: {getattr(last, 'strerror', None) or last}",
        hint="--port 0 takes any free one",
    )


def serve(
    settings: Settings,
    config: ServerConfig,
    sock: socket.socket,
    *,
    write_log: Callable[[str], None] | None,
    ready: Callable[[], None],
) -> None:
    """Serve until the process is told to end.

    Args:
        settings: where files are.
        config: how the server is set up.
        sock: bound already.
        write_log: takes a line for each request; None for no log.
        ready: called when pages can be asked for.

    Raises:
        AssayError: when the index or the accounts cannot be opened.
    """
    app = create_app(settings, config, write_log=write_log)
    # Before anything is listened to: what is wrong is told in the terminal, not on a page.
    app.state.playground.index.start()
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=True,
            proxy_headers=False,
            timeout_graceful_shutdown=_GRACE_S,
            timeout_keep_alive=_KEEP_ALIVE_S,
            lifespan="on",
        ),
        ready,
    )
    # Modules, models and templates stay for good: looking through them for garbage took a tenth of a second each time.
    gc.freeze()
    server.run(sockets=[sock])


class _Server(uvicorn.Server):
    """Says when it can be asked."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, and say so."""
        await super().startup(sockets=sockets)
        if self.started:
            self._ready()
