"""Settings that no server may have that strangers can reach."""

from __future__ import annotations

import ipaddress
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from assay.errors import UsageError
from assay.playground.accounts.settings import SignUp
from assay.playground.security.config import MIN_SECRET, ServerConfig


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def refuse_unsafe(config: ServerConfig, database: Path | None = None) -> None:
    """Refuse to serve strangers with unsafe settings.

    Raises:
        UsageError: with every reason.
    """
    reasons = unsafe_settings(config, database)
    if reasons:
        raise UsageError(
            f"this server is not safe for strangers: {'; '.join(reasons)}", hint="docs/how-to/run-a-server.md"
        )


def unsafe_settings(config: ServerConfig, database: Path | None = None) -> list[str]:
    """Every reason not to let strangers reach a server, each a sentence that says what to do; empty when there is none.

    Args:
        config: of the server.
        database: the file of the accounts, where they are in SQLite and not named in the configuration.
    """
    return [*_addresses(config), *_secrets(config), *_bounds(config), *_files(config, database)]


def _addresses(config: ServerConfig) -> Iterator[str]:
    if config.single_user:
        yield "single_user makes everybody a maintainer: take it out"
    if config.base_url is None:
        yield "base_url is missing: say how browsers see the server"
    elif config.base_url.startswith("http:") and not config.trusted_proxies:
        yield "base_url is http: use https, with the proxy that ends it in trusted_proxies"
    if not config.allowed_hosts:
        yield "allowed_hosts is missing: name the hosts that it answers to"
    if any(
        urlsplit(f"//{host}").hostname in ("*.", "") or host.count(".") < 2
        for host in config.allowed_hosts
        if "*" in host
    ):
        yield "allowed_hosts holds a pattern for a whole top-level domain: name a domain"
    for proxy in config.trusted_proxies:
        if proxy != "unix" and ipaddress.ip_network(proxy, strict=False).prefixlen == 0:
            yield "trusted_proxies believes everybody: name the proxy"
    if config.base_url and config.base_url.startswith("https:") and not config.secure:
        yield "cookie_secure is off: take it out"


def _secrets(config: ServerConfig) -> Iterator[str]:
    if not config.secret:
        yield "secret is missing: set secret_file to a file with 32 random characters or more"
    elif len(config.secret) < MIN_SECRET or len(set(config.secret)) < 8:
        yield f"secret is too short or too simple: at least {MIN_SECRET} random characters are needed"
    if not config.metrics_token:
        yield "metrics_token is missing: without it nobody can be told from Prometheus"


def _bounds(config: ServerConfig) -> Iterator[str]:
    if config.debug:
        yield "debug shows tracebacks: take it out"
    if not config.limits.enabled:
        sign_up = ", and everybody may sign up" if config.sign_up is SignUp.OPEN else ""
        yield f"limits are off{sign_up}: take limits.enabled out"
    elif config.sign_up is SignUp.OPEN and config.limits.sign_in.per_minute > 60:
        yield "sign_up is open and limits.sign_in lets one address try more than once a second: lower it"


def _files(config: ServerConfig, database: Path | None) -> Iterator[str]:
    url = config.database_url or ""
    if url.startswith("sqlite:"):
        database = Path(url.partition("://")[2].removeprefix("/").partition("?")[0])
    elif url:
        return
    if database is None:
        return
    try:
        mode = database.stat().st_mode
    except OSError:
        return
    if mode & (stat.S_IROTH | stat.S_IWOTH):
        yield f"the database can be read by every user of the machine: chmod 600 {database}"
