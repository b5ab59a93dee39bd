"""What the commands about accounts share: which server is meant, how a password is given, how things are told."""

from __future__ import annotations

import contextlib
import secrets
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from assay.base.settings import load_settings
from assay.errors import UsageError

if TYPE_CHECKING:
    # SQLAlchemy takes 0.3 s to import, which help should not cost.
    from assay.playground.accounts.service import Accounts
    from assay.playground.security.config import ServerConfig

F = TypeVar("F", bound=Callable[..., Any])


def config_option(function: F) -> F:
    """Add ``--config``, the server that is meant, to a command."""
    return click.option(
        "--config",
        "config_path",
        type=click.Path(dir_okay=False, path_type=Path),
        help="The server's configuration. [default: accounts in playground.sqlite of the home]",
    )(function)


@contextlib.contextmanager
def opened(config_path: Path | None) -> Iterator[tuple[Accounts, ServerConfig]]:
    """The accounts of a server, and how it is set up."""
    from assay.playground.accounts.service import Accounts
    from assay.playground.security.config import ServerConfig, load_config

    config = load_config(config_path) if config_path is not None else ServerConfig()
    accounts = Accounts(config.database(load_settings()), config.accounts)
    try:
        yield accounts, config
    finally:
        accounts.close()


def chosen_password(from_stdin: bool, generate: bool) -> str:
    """A password: read, made, or asked for.

    Raises:
        UsageError: when there is nobody to ask.
    """
    if generate:
        return secrets.token_urlsafe(18)
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise UsageError("there is nobody to ask for a password", expected="--password-stdin or --generate")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))


def day(moment: datetime | None) -> str:
    """A day as ``2026-12-01``; empty for none."""
    return "" if moment is None else moment.strftime("%Y-%m-%d")
