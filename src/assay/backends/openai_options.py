"""Where an OpenAI-compatible server is and how it is asked: the engine's own options, checked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from assay.base.files import open_regular
from assay.errors import InvalidInputError, NotFoundError, UsageError, nearest

OPTIONS = {
    "address": "of the server: http://HOST:PORT (or https), with or without /v1",
    "model": "its name on the server; the only one there when not given",
    "key-file": "file that holds the key; neither printed nor kept in records",
    "endpoint": "completions (the prompt as it is) or chat (the prompt as a message); completions when not given",
    "prompt": "text or tokens: how completions get the prompt; text when not given",
    "stream": "on or off: whether tokens are sent as they come, which gives the time to the first; on when not given",
    "decoding": "strict or server: refuse beams and shortest answers, or leave them to the server and field.KEY",
    "timeout": "seconds that a server may be silent; 120 when not given",
    "longest": "seconds that one answer may take in all; 600 when not given",
    "retries": "tries more while nothing of an answer has come; 2 when not given",
    "insecure": "on: send the key without https, too",
    "field.KEY": "a further field of every request, its value as JSON",
}
_LOCAL = ("localhost", "127.0.0.1", "::1")
_MODEL = re.compile(r"[^\x00-\x1f\x7f]{1,256}")
_KEY = re.compile(r"[\x21-\x7e]{1,4096}")
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_OURS = ("model", "prompt", "messages", "max_tokens", "stream", "stream_options")
_MOST_KEY = 8192
_MOST_VALUE = 4096
_MOST_SECONDS = 86_400.0
_MOST_RETRIES = 20


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server and how it is asked.

    Attributes:
        base: address that ends in ``/v1``.
        model: name; empty for the only one.
        key: sent as a bearer token; empty for none.
        chat: ask for chat completions.
        as_tokens: send prompts as token ids.
        stream: have tokens sent as they come.
        strict: refuse a decoding that the API has no words for.
        silent_s: longest silence.
        longest_s: longest answer.
        retries: further tries before the first byte.
        fields: further fields of every request.
    """

    base: str
    model: str
    key: str = field(repr=False)
    chat: bool
    as_tokens: bool
    stream: bool
    strict: bool
    silent_s: float
    longest_s: float
    retries: int
    fields: Mapping[str, Any]

    @property
    def path(self) -> str:
        """Address of the requests."""
        return f"{self.base}/chat/completions" if self.chat else f"{self.base}/completions"


def read_endpoint(given: Mapping[str, str]) -> Endpoint:
    """Check the engine's own options, and read the key.

    Raises:
        UsageError: for an option that is missing, does not exist, or has no such value.
        NotFoundError: when the file of the key is not there.
        InvalidInputError: when it holds no key.
    """
    for name in given:
        if name not in OPTIONS and not name.startswith("field."):
            raise UsageError(
                f"openai has no option {name!r}",
                expected=" or ".join(nearest(name, OPTIONS) or OPTIONS),
                hint="assay backends show openai",
            )
    base, secure = _base(given.get("address", ""))
    key = _key(given["key-file"]) if given.get("key-file") else ""
    if key and not secure and not _one_of(given, "insecure", ("off", "on")):
        raise UsageError(
            "the key would go over the network unprotected",
            expected="an https address",
            found=base,
            hint="--backend-option insecure=on sends it all the same",
        )
    model = given.get("model", "")
    if model and not _MODEL.fullmatch(model):
        raise UsageError("this is no name of a model", found=repr(model[:60]))
    chat = bool(_one_of(given, "endpoint", ("completions", "chat")))
    as_tokens = bool(_one_of(given, "prompt", ("text", "tokens")))
    if chat and as_tokens:
        raise UsageError("a chat takes its prompt as text", hint="leave out prompt=tokens, or endpoint=chat")
    return Endpoint(
        base=base,
        model=model,
        key=key,
        chat=chat,
        as_tokens=as_tokens,
        stream=not _one_of(given, "stream", ("on", "off")),
        strict=not _one_of(given, "decoding", ("strict", "server")),
        silent_s=_seconds(given, "timeout", 120.0),
        longest_s=_seconds(given, "longest", 600.0),
        retries=_retries(given.get("retries", "2")),
        fields={
            name.removeprefix("field."): _value(name, text) for name, text in given.items() if "field." in name[:6]
        },
    )


def _one_of(given: Mapping[str, str], name: str, values: tuple[str, str]) -> int:
    """0 for the first value, which is the usual one, 1 for the other."""
    text = given.get(name, values[0]).lower()
    if text not in values:
        raise UsageError(f"{name} is {' or '.join(values)}", found=repr(text[:60]))
    return values.index(text)


def _base(text: str) -> tuple[str, bool]:
    """The address up to ``/v1``, and whether what is sent there can be read by nobody else."""
    error = UsageError(
        "this is no address of a server" if text else "openai has to be told the address of the server",
        expected="--backend-option address=http://127.0.0.1:8000",
        # An address with a password in it is not shown.
        found=repr(text[:200]) if text and "@" not in text else None,
        hint="assay backends show openai",
    )
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port, host = parts.port, parts.hostname
    except ValueError:
        raise error from None
    if parts.scheme not in ("http", "https") or not host or port == 0 or parts.query or parts.fragment:
        raise error
    if parts.username is not None or parts.password is not None:
        raise error
    path = parts.path.rstrip("/").removesuffix("/v1")
    return f"{parts.scheme}://{parts.netloc}{path}/v1", parts.scheme == "https" or host in _LOCAL


def _key(name: str) -> str:
    path = Path(name).expanduser()
    try:
        with open_regular(path) as stream:
            text = stream.read(_MOST_KEY).decode("ascii", "replace").strip()
    except FileNotFoundError as error:
        raise NotFoundError("the file of the key is not there", where=path) from error
    except OSError as error:
        raise InvalidInputError(f"the file of the key cannot be read: {error.strerror}", where=path) from error
    if not _KEY.fullmatch(text):
        raise InvalidInputError("the file holds no key", where=path, expected="one line of printable letters")
    return text


def _seconds(given: Mapping[str, str], name: str, usual: float) -> float:
    text = given.get(name)
    if text is None:
        return usual
    try:
        seconds = float(text.removesuffix("s"))
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= _MOST_SECONDS:
        raise UsageError(f"{name} is a number of seconds above 0", found=repr(text[:60]))
    return seconds


def _retries(text: str) -> int:
    if not text.isdecimal() or len(text) > 4 or int(text) > _MOST_RETRIES:
        raise UsageError("retries is a number", expected=f"0 to {_MOST_RETRIES}", found=repr(text[:60]))
    return int(text)


def _value(name: str, text: str) -> Any:
    key = name.removeprefix("field.")
    if not _FIELD.fullmatch(key) or key in _OURS:
        raise UsageError(f"{key[:60]!r} cannot be a further field", expected=f"another name than {', '.join(_OURS)}")
    if len(text) > _MOST_VALUE:
        raise UsageError(f"the value of {name} is too long", expected=f"at most {_MOST_VALUE} letters")
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise UsageError(
            f"the value of {name} is no JSON", found=repr(text[:60]), hint='text is written "so"'
        ) from error
