"""Where a KServe v2 server is and which of its models is driven: the engine's own options, checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from assay.errors import UsageError, nearest

OPTIONS = {
    "address": "of the server: http://HOST:PORT (or https), grpc://HOST:PORT (or grpcs)",
    "model": "name of the model on the server",
    "version": "of the model; the server's choice when not given",
    "protocol": "http or grpc, where the address does not say it",
    "timeout": "seconds that one request may take; 60 when not given",
    "binary": "on or off: tensors as bytes or as JSON numbers (http); what the server has when not given",
    "host": "name that the server is asked under, for a gateway that has several (header Host)",
}
_SCHEMES = {"http": ("http", False), "https": ("http", True), "grpc": ("grpc", False), "grpcs": ("grpc", True)}
_PORTS = {("http", False): 8000, ("http", True): 443, ("grpc", False): 8001, ("grpc", True): 443}
_SWITCH = {"on": True, "1": True, "true": True, "off": False, "0": False, "false": False}
_NAME = re.compile(r"[^\s/\x00-\x1f]{1,256}")
_HOST = re.compile(r"[A-Za-z0-9_.:\[\]-]{1,256}")
_MOST_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Remote:
    """A model on a server.

    Attributes:
        protocol: ``http`` or ``grpc``.
        secure: whether the connection is encrypted.
        netloc: host and port.
        path: of the server below its host, without a slash at the end; empty for gRPC.
        model: its name.
        version: of the model; empty for the server's choice.
        timeout_s: longest time of one request.
        binary: whether tensors go as bytes over HTTP; None to ask the server.
        host: name that the server is asked under; empty for the address's own.
    """

    protocol: str
    secure: bool
    netloc: str
    path: str
    model: str
    version: str
    timeout_s: float
    binary: bool | None
    host: str

    @property
    def address(self) -> str:
        """The server for a person, such as ``grpc://127.0.0.1:8001``."""
        scheme = next(name for name, form in _SCHEMES.items() if form == (self.protocol, self.secure))
        return f"{scheme}://{self.netloc}{self.path}"

    @property
    def model_path(self) -> str:
        """Path of the model below the server's address, over HTTP."""
        version = f"/versions/{quote(self.version, safe='')}" if self.version else ""
        return f"/v2/models/{quote(self.model, safe='')}{version}"

    @property
    def shown(self) -> str:
        """The model for a person."""
        return f"{self.model} version {self.version}" if self.version else self.model


def read_remote(given: Mapping[str, str]) -> Remote:
    """Check the engine's own options.

    Raises:
        UsageError: for one that is missing, does not exist, or has no such value.
    """
    for key in given:
        if key not in OPTIONS:
            raise UsageError(
                f"kserve has no option {key!r}",
                expected=" or ".join(nearest(key, OPTIONS) or OPTIONS),
                hint="assay backends show kserve",
            )
    for key, example in (("address", "http://127.0.0.1:8000"), ("model", "resnet50")):
        if not given.get(key):
            raise UsageError(
                f"kserve has to be told the {key}",
                expected=f"--backend-option {key}={example}",
                hint="assay backends show kserve",
            )
    protocol, secure, netloc, path = _address(given["address"], given.get("protocol"))
    for key in ("model", "version"):
        if given.get(key) and not _NAME.fullmatch(given[key]):
            raise UsageError(f"this is no {key} of a model", found=repr(given[key][:60]))
    host = given.get("host", "")
    if host and not _HOST.fullmatch(host):
        raise UsageError("this is no host", found=repr(host[:60]))
    binary = given.get("binary")
    if binary is not None and (binary.lower() not in _SWITCH or protocol != "http"):
        raise UsageError("binary is on or off, and for http only", found=f"{binary} with {protocol}")
    return Remote(
        protocol=protocol,
        secure=secure,
        netloc=netloc,
        path=path,
        model=given["model"],
        version=given.get("version", ""),
        timeout_s=_seconds(given.get("timeout", "60")),
        binary=None if binary is None else _SWITCH[binary.lower()],
        host=host,
    )


def _address(text: str, wanted: str | None) -> tuple[str, bool, str, str]:
    """Protocol, encryption, host with port, and path of an address."""
    if wanted is not None and wanted not in ("http", "grpc"):
        raise UsageError("the protocol is http or grpc", found=repr(wanted[:60]))
    error = UsageError(
        "this is no address of a server",
        expected="http://HOST:PORT, https://HOST:PORT, grpc://HOST:PORT or grpcs://HOST:PORT",
        found=repr(text[:200]),
    )
    try:
        parts = urlsplit(text if "://" in text else f"{wanted or 'http'}://{text}")
        port, host = parts.port, parts.hostname
    except ValueError:
        raise error from None
    if parts.scheme not in _SCHEMES or not host or port == 0 or parts.username or parts.query or parts.fragment:
        raise error
    protocol, secure = _SCHEMES[parts.scheme]
    path = parts.path.rstrip("/").removesuffix("/v2")
    if wanted not in (None, protocol) or (protocol == "grpc" and path):
        raise error
    name = f"[{host}]" if ":" in host else host
    return protocol, secure, f"{name}:{port or _PORTS[protocol, secure]}", path


def _seconds(text: str) -> float:
    try:
        seconds = float(text.removesuffix("s"))
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= _MOST_SECONDS:
        raise UsageError("the timeout is a number of seconds above 0", found=repr(text[:60]))
    return seconds
