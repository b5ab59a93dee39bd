"""Where rows come from: the name, the public address and the commit of a tree, read from its ``.git`` without git."""

from __future__ import annotations

import configparser
import re
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote, urlsplit

from assay.base.files import open_regular
from assay.errors import UsageError
from assay.results.clean import encodable

_OFFICIAL = re.compile(r"inference_results_v\d+\.\d+")
_HOST = re.compile(r"[A-Za-z0-9.-]+")
_PATH = re.compile(r"(?:/[\w.~%+,=-]+)*")
_COMMIT = re.compile(r"[0-9a-f]{40,64}")
_MAX = 4 << 20


@dataclass(frozen=True, slots=True)
class Source:
    """A source of rows.

    Attributes:
        name: such as ``inference_results_v3.0``.
        repository: public address without ``.git``; None when there is none.
        commit: the commit that is checked out, None when not known.
        official: MLCommons published it.
        place: path, for a source that neither its address nor its name tells from others.
    """

    name: str
    repository: str | None = None
    commit: str | None = None
    official: bool = False
    place: str = ""

    def url(self, location: str) -> str | None:
        """Public address of a path in the source."""
        if self.repository is None:
            return None
        return f"{self.repository}/tree/{self.commit or 'HEAD'}/{quote(location, errors='replace')}"


def source_of(
    path: Path, *, repository: str | None = None, commit: str | None = None, official: bool | None = None
) -> Source:
    """The source that a folder or file is.

    Args:
        path: root of the tree.
        repository: its public address; read from the clone's ``origin`` when None.
        commit: its commit; read from the clone when None.
        official: MLCommons published it; told from the name of the repository when None.

    Raises:
        UsageError: for an address that is no web address, or a commit that is none.
    """
    found = Source(encodable(path.resolve().name), _origin(path), _head(path))
    if repository is not None:
        found = replace(found, repository=_web(repository) or _refuse("repository", repository, "an https:// address"))
    if commit is not None:
        plain = commit.strip().lower()
        found = replace(
            found,
            commit=plain if _COMMIT.fullmatch(plain) else _refuse("commit", commit, "40 or 64 hexadecimal digits"),
        )
    name = found.repository.rsplit("/", 1)[-1] if found.repository else found.name
    published = bool(_OFFICIAL.fullmatch(name)) if official is None else official
    return replace(found, name=name, official=published)


def _refuse(what: str, given: str, expected: str) -> str:
    raise UsageError(f"{given[:80]!r} is no {what}", expected=expected)


def _origin(path: Path) -> str | None:
    text = _read(path / ".git" / "config")
    if text is None:
        return None
    parser = configparser.ConfigParser(strict=False, interpolation=None, allow_no_value=True)
    try:
        parser.read_string(re.sub(r"^[ \t]+", "", text, flags=re.MULTILINE))
    except configparser.Error:
        return None
    return _web(parser.get('remote "origin"', "url", fallback="") or "")


def _web(address: str) -> str | None:
    """An address that a browser opens, without user name and password."""
    address = re.sub(r"^(?:ssh://)?git@([^:/@]+)[:/]", r"https://\1/", address.strip())
    try:
        parts = urlsplit(address)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return None
    host, path = parts.hostname or "", parts.path.rstrip("/").removesuffix(".git")
    # What looks like a user name in the path could be a password.
    if parts.scheme not in ("https", "http") or not _HOST.fullmatch(host) or not _PATH.fullmatch(path):
        return None
    return f"{parts.scheme}://{host}{port}{path}"


def _head(path: Path) -> str | None:
    git = path / ".git"
    head = (_read(git / "HEAD") or "").strip()
    if not head.startswith("ref: "):
        return head if _COMMIT.fullmatch(head) else None
    name = head.removeprefix("ref: ").strip()
    if not re.fullmatch(r"refs/[\w./@+-]+", name) or ".." in name:
        return None
    commit = (_read(git / name) or "").strip()
    if not commit:
        lines = (_read(git / "packed-refs") or "").splitlines()
        commit = next((line.split()[0] for line in lines if line.endswith(f" {name}")), "")
    return commit if _COMMIT.fullmatch(commit) else None


def _read(path: Path) -> str | None:
    try:
        with open_regular(path) as stream:
            return stream.read(_MAX).decode("utf-8", "replace")
    except (OSError, ValueError):
        return None
