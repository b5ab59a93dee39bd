"""How a server is set up: one YAML file, whose errors name file, line and key."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from assay.base.settings import Settings
from assay.base.units import parse_size
from assay.base.yamlfile import Located, read_yaml, validate
from assay.errors import InvalidInputError, NotFoundError, UsageError
from assay.playground.accounts.settings import AccountSettings, SignUp

LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")
MIN_SECRET = 32
_HOST = re.compile(r"(?:\*\.)?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]")


def _size(value: object) -> object:
    """A size in bytes, of a text such as ``2GiB``."""
    if not isinstance(value, str):
        return value
    try:
        return parse_size(value)
    except UsageError as error:
        raise ValueError(str(error)) from error


Size = Annotated[int, BeforeValidator(_size), Field(gt=0)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Limit(_Form):
    """A rate: so many a minute, and so many at once."""

    per_minute: float = Field(gt=0, le=1_000_000)
    burst: int = Field(gt=0, le=1_000_000)


class Limits(_Form):
    """Rates by kind of request, for each address and again for each account."""

    enabled: bool = True
    page: Limit = Limit(per_minute=300, burst=120)
    api: Limit = Limit(per_minute=300, burst=120)
    search: Limit = Limit(per_minute=240, burst=60)
    sign_in: Limit = Limit(per_minute=10, burst=10)
    upload: Limit = Limit(per_minute=10, burst=10)
    body: Size = 1 << 20


class UploadLimits(_Form):
    """What an upload may hold at most, as it comes and unpacked."""

    max_bytes: Size = 2 << 30
    max_files: int = Field(default=200_000, gt=0)
    max_ratio: float = Field(default=200, ge=1)
    max_depth: int = Field(default=16, gt=0, le=64)
    max_unpacked: Size = 16 << 30


class OidcSettings(_Form):
    """An OpenID Connect provider."""

    issuer: str
    client_id: str = Field(min_length=1)
    client_secret: str | None = Field(default=None, repr=False)
    client_secret_file: Path | None = None
    title: str = "single sign-on"

    @field_validator("issuer")
    @classmethod
    def _https(cls, issuer: str) -> str:
        parts = urlsplit(issuer)
        local = parts.hostname in ("localhost", "127.0.0.1", "::1")
        if parts.query or parts.fragment or parts.username or not parts.hostname:
            raise ValueError("not an issuer: a plain https address is needed")
        if parts.scheme != "https" and not (parts.scheme == "http" and local):
            raise ValueError("an issuer has to be https, except on localhost")
        return issuer


class ServerConfig(_Form):
    """How a server is set up.

    Attributes:
        host: address that is listened on.
        port: port that is listened on.
        public: strangers can reach it; unsafe settings are refused.
        single_user: no accounts: whoever reaches it is the maintainer.
        base_url: how browsers see it, such as ``https://results.example.org``.
        allowed_hosts: names it answers to; empty: that of ``base_url``, and those of this machine when it has none.
        trusted_proxies: addresses or networks whose ``X-Forwarded-*`` is believed; ``unix`` for a socket.
        database_url: where accounts are kept; empty: ``playground.sqlite`` in the home.
        secret: signs cookies of visitors without an account, at least 32 characters.
        secret_file: a file with it instead.
        sign_up: who may make an account.
        oidc: an OpenID Connect provider to sign in with.
        limits: rates.
        upload: bounds of uploads.
        session_hours: how long somebody stays signed in.
        cookie_secure: cookies only over https; ``auto``: when ``base_url`` is https.
        metrics_token: whoever asks for ``/metrics`` has to send it as a bearer token.
        metrics_token_file: a file with it instead.
        log_format: ``json`` or ``text``.
        debug: tracebacks in answers; never on a server.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    public: bool = False
    single_user: bool = False
    base_url: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    database_url: str | None = Field(default=None, repr=False)
    database_url_file: Path | None = None
    secret: str | None = Field(default=None, repr=False)
    secret_file: Path | None = None
    sign_up: SignUp = SignUp.INVITATION
    oidc: OidcSettings | None = None
    limits: Limits = Limits()
    upload: UploadLimits = UploadLimits()
    session_hours: float = Field(default=24 * 14, gt=0, le=24 * 366)
    cookie_secure: bool | Literal["auto"] = "auto"
    metrics_token: str | None = Field(default=None, repr=False, min_length=16)
    metrics_token_file: Path | None = None
    log_format: Literal["json", "text"] = "json"
    debug: bool = False

    @field_validator("base_url")
    @classmethod
    def _plain_url(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("not an address such as https://results.example.org")
        if parts.path not in ("", "/") or parts.username:
            raise ValueError("an address without a path is needed")
        return url.rstrip("/")

    @field_validator("allowed_hosts")
    @classmethod
    def _host_names(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        lower = tuple(host.lower() for host in hosts)
        for host in lower:
            if _HOST.fullmatch(host) is None:
                raise ValueError(f"{host!r} is not a host name, or *.name, without a port")
        return lower

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in proxies:
            if proxy != "unix":
                ipaddress.ip_network(proxy, strict=False)
        return proxies

    @model_validator(mode="after")
    def _not_twice(self) -> ServerConfig:
        for name in ("secret", "metrics_token", "database_url"):
            if getattr(self, name) is not None and getattr(self, f"{name}_file") is not None:
                raise ValueError(f"{name} and {name}_file are both given")
        if self.oidc and self.oidc.client_secret is not None and self.oidc.client_secret_file is not None:
            raise ValueError("oidc.client_secret and oidc.client_secret_file are both given")
        if self.oidc and self.base_url is None:
            raise ValueError("oidc needs base_url, where browsers come back to")
        return self

    @property
    def secure(self) -> bool:
        """Whether browsers come over https, so that cookies need it and HSTS is sent."""
        if self.cookie_secure != "auto":
            return self.cookie_secure
        return bool(self.base_url and self.base_url.startswith("https:"))

    @property
    def hosts(self) -> tuple[str, ...]:
        """Host names that are answered to, without ports."""
        own = urlsplit(self.base_url).netloc.rpartition("@")[2] if self.base_url else ""
        name = re.sub(r":\d+$", "", own).lower()
        if self.allowed_hosts:
            return tuple(dict.fromkeys((*self.allowed_hosts, *((name,) if name else ()))))
        return (name,) if name else LOCAL_NAMES

    @property
    def accounts(self) -> AccountSettings:
        """What accounts need to know."""
        return AccountSettings(sign_up=self.sign_up, session_hours=self.session_hours)

    def database(self, settings: Settings) -> str:
        """The URL of the database."""
        return self.database_url or f"sqlite:///{settings.home / 'playground.sqlite'}"


def load_config(path: Path) -> ServerConfig:
    """Read a server's configuration; secrets that stand in files of their own are read in.

    Raises:
        NotFoundError: when a file is not there.
        InvalidInputError: for anything wrong, with file, line and key.
    """
    document = read_yaml(path)
    config = _validated(document)
    base = path.absolute().parent
    texts: dict[str, object] = {}
    for name in ("secret", "metrics_token", "database_url"):
        file: Path | None = getattr(config, f"{name}_file")
        if file is not None:
            texts[name] = _text_of(base / file, document.where((f"{name}_file",)))
            texts[f"{name}_file"] = None
    if config.oidc is not None and config.oidc.client_secret_file is not None:
        secret = _text_of(base / config.oidc.client_secret_file, document.where(("oidc", "client_secret_file")))
        oidc = config.oidc.model_copy(update={"client_secret": secret, "client_secret_file": None})
        texts["oidc"] = oidc
    return config.model_copy(update=texts)


def _validated(document: Located) -> ServerConfig:
    """The configuration in a document; what was found instead is not told where it may be a secret."""
    try:
        return validate(ServerConfig, document)
    except InvalidInputError as error:
        place = error.where or ""
        key = place.rpartition(": ")[2] if ": " in place else ""
        plain = key and not any(word in key for word in ("secret", "token", "database"))
        raise InvalidInputError(
            error.what, where=error.where, expected=error.expected, found=error.found if plain else None
        ) from None


def _text_of(path: Path, where: str) -> str:
    """The first line of a file with a secret."""
    try:
        with path.open("rb") as stream:
            text = stream.read(4097).decode("utf-8").strip()
    except FileNotFoundError as error:
        raise NotFoundError("the file with the secret is not there", where=where, found=str(path)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError("the file with the secret cannot be read", where=where, found=str(path)) from error
    if not text or len(text) > 4096 or "\n" in text:
        raise InvalidInputError("the file with the secret has to hold one line", where=where, found=str(path))
    return text
