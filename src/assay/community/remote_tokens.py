"""Tokens of servers: given for one command, or kept in ``<home>/tokens.yaml``, which nobody else can read."""

from __future__ import annotations

import os
import re
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

import yaml

from assay.base.files import machine_errors
from assay.base.settings import Settings
from assay.base.yamlfile import read_yaml
from assay.errors import InvalidInputError, NotFoundError

_FILE = "tokens.yaml"
_TOKEN = re.compile(r"[!-~]{1,512}")


def check_token(text: str, where: str | Path | None = None) -> str:
    """A token without the blanks around it.

    Raises:
        InvalidInputError: when it is none; what it is instead is not told.
    """
    token = text.strip()
    if _TOKEN.fullmatch(token) is None:
        raise InvalidInputError("not a token", where=where, expected="one line: assay_..._...")
    return token


def token_in(path: Path) -> str:
    """The token in a file of its own.

    Raises:
        NotFoundError: when it is not there.
        InvalidInputError: when there is none in it.
    """
    try:
        with path.open("rb") as stream:
            raw = stream.read(4097)
    except FileNotFoundError as error:
        raise NotFoundError("the file with the token is not there", where=path) from error
    except OSError as error:
        raise InvalidInputError("the file with the token cannot be read", where=path) from error
    return check_token(raw.decode("utf-8", "replace"), path)


def kept_token(settings: Settings, base: str) -> str | None:
    """The token that is kept for a server; None for none.

    Raises:
        InvalidInputError: when others can read the file, or it is wrong.
    """
    path = settings.home / _FILE
    if not path.exists():
        return None
    _check_private(path)
    token = _all(path).get(base)
    return None if token is None else check_token(token, path)


def keep_token(settings: Settings, base: str, token: str) -> Path:
    """Keep the token of a server, in place of an older one; the file it is in.

    Raises:
        InvalidInputError: when others can read the file, or it is wrong.
        MachineError: when it cannot be written.
    """
    path = settings.home / _FILE
    known: dict[str, str] = {}
    if path.exists():
        _check_private(path)
        known = dict(_all(path))
    known[base] = check_token(token)
    with machine_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # Made readable for its owner alone from the start.
        handle, name = tempfile.mkstemp(prefix=f".{_FILE}.", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                yaml.safe_dump(known, stream, sort_keys=True)
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
    return path


def _all(path: Path) -> Mapping[str, str]:
    return {str(key): value for key, value in read_yaml(path).value.items() if isinstance(value, str)}


def _check_private(path: Path) -> None:
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise InvalidInputError(
            "others can read the file with the tokens",
            where=path,
            expected="mode 0600",
            found=f"{stat.S_IMODE(path.stat().st_mode):04o}",
            hint=f"chmod 600 {path}, and make new tokens if others use this machine",
        )
