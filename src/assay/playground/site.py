"""The public pages as a site of files: what anybody may see, with links that lead from file to file.

The pages are asked of the application as a stranger asks them, so nothing is in the site that a stranger may not see.
What needs a server (searching, signing in, pushing) is left out; views of the explorer that are linked to are there as
they are. Specifications of charts stand in their pages, so that a site works from a disk, too.
"""

from __future__ import annotations

import hashlib
import html
import json
import posixpath
import re
import shutil
import tempfile
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from starlette.testclient import TestClient

from assay.base.files import machine_errors, write_atomic
from assay.base.progress import SILENT, Progress
from assay.base.settings import Settings
from assay.errors import RunFailedError, UsageError
from assay.playground.app import create_app
from assay.playground.security.config import ServerConfig
from assay.playground.security.requests import Gate

SEEDS = (
    "/", "/explorer", "/benchmarks", "/systems", "/organisations", "/rounds", "/challenges", "/contributors", "/reports", "/views",
    "/getting-started", "/docs", "/api", "/openapi.json",
)  # fmt: skip
KINDS = frozenset({
    "explorer", "benchmarks", "systems", "organisations", "rounds", "challenges", "contributors", "reports", "docs", "views",
    "getting-started", "api", "openapi.json", "home.json", "static", "results",
})  # fmt: skip
_NEVER = re.compile(
    r"/(?:submit|sign-|account|people|uploads|runs|compare|search|embed|healthz|metrics|.*/(?:new|join|leave|admit)(?:/|\?|$))"
)
_LINK = re.compile(r'\b(href|src|action|data-spec|data-view|content)="(/(?!/)[^"]*)"')
_FORM = re.compile(r'<form\b[^>]*\bclass="find".*?</form>', re.DOTALL)
_FIGURE = re.compile(r'(<figure class="chart[^"]*"[^>]*?) data-(?:spec|view)="([^"]*)"([^>]*>)')
_MARK = ".assay-site"
_MOST_PAGES = 200_000


@dataclass(frozen=True, slots=True)
class Built:
    """A site that was built.

    Attributes:
        folder: where it is.
        pages: pages in it.
        files: all files in it.
        bytes: of all files.
    """

    folder: Path
    pages: int
    files: int
    bytes: int


@dataclass(slots=True)
class _Site:
    """A site that is being built, in a folder of its own."""

    client: TestClient
    folder: Path
    every_result: bool
    kinds: frozenset[str]
    written: dict[str, str] = field(default_factory=dict)
    pages: int = 0

    def wanted(self, address: str, origin: str) -> bool:
        """Whether an address that a page links to is taken in."""
        path = urlsplit(address).path
        if _NEVER.match(path):
            return False
        kind = path.strip("/").split("/")[0]
        if kind not in self.kinds and path != "/":
            return False
        if kind == "results":
            return self.every_result or not urlsplit(origin).path.startswith(("/explorer", "/results", "/systems"))
        # Views within views would have no end: of the explorer only what other pages link to.
        return not (kind == "explorer" and urlsplit(origin).path.startswith("/explorer") and "?" in address)


def build_site(
    settings: Settings,
    folder: Path,
    *,
    every_result: bool = False,
    seeds: Sequence[str] = SEEDS,
    kinds: frozenset[str] = KINDS,
    progress: Progress = SILENT,
) -> Built:
    """Write the site; one that was built here before is replaced whole when the new one is complete.

    Args:
        settings: where files are.
        folder: to write to: new, empty, or an earlier site.
        every_result: a page for every result, and not only for those that other pages name.
        seeds: addresses that are begun at.
        kinds: first segments of the addresses that are taken in.
        progress: told page by page.

    Raises:
        UsageError: for a folder that holds something else.
        RunFailedError: when a page cannot be made.
        MachineError: when nothing can be written.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / _MARK).is_file():
        raise UsageError(
            f"{folder} holds something else", expected="a new folder, or a site of assay", hint="choose another folder"
        )
    config = ServerConfig(allowed_hosts=("localhost",))
    app = create_app(settings, config, Gate(config, None, None, b"-" * 32))
    with machine_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryDirectory(prefix=".site-", dir=folder.parent) as scratch,
            TestClient(app, base_url="http://localhost") as client,
        ):
            site = _Site(client, Path(scratch) / "site", every_result, kinds)
            _write_all(site, seeds, progress)
            write_atomic(
                site.folder / _MARK, json.dumps({"made": datetime.now(UTC).isoformat(timespec="seconds")}) + "\n"
            )
            old = Path(scratch) / "old"
            if folder.exists():
                folder.rename(old)
            site.folder.rename(folder)
    files = [path for path in folder.rglob("*") if path.is_file()]
    return Built(folder, site.pages, len(files), sum(path.stat().st_size for path in files))


def _write_all(site: _Site, seeds: Sequence[str], progress: Progress) -> None:
    waiting = deque(dict.fromkeys(seeds))
    seen = set(waiting)
    texts: dict[str, str] = {}
    step = progress.start("pages", unit="pages")
    try:
        while waiting:
            address = waiting.popleft()
            if len(seen) > _MOST_PAGES:
                raise RunFailedError(f"more than {_MOST_PAGES:,} pages", hint="without --every-result there are fewer")
            text = _taken(site, address)
            step.advance()
            if text is None:
                continue
            texts[address] = text
            for link in _links(text):
                if link not in seen and site.wanted(link, address):
                    seen.add(link)
                    waiting.append(link)
    finally:
        step.finish()
    for address, text in texts.items():
        _write(site, address, _relinked(site, address, text))


def _taken(site: _Site, address: str) -> str | None:
    """A page as text; anything else is written as it is, and gives None."""
    answer = site.client.get(address, headers={"accept": "text/html, */*"}, follow_redirects=True)
    if answer.status_code == 404:
        return None
    if answer.status_code != 200:
        raise RunFailedError(f"the page {address} cannot be made", found=f"status {answer.status_code}")
    name = _file_of(address, answer.headers["content-type"])
    site.written[address] = name
    if answer.headers["content-type"].startswith("text/html"):
        site.pages += 1
        return answer.text
    path = site.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, answer.content)
    return None


def _links(text: str) -> Iterable[str]:
    for _, raw in _LINK.findall(text):
        yield html.unescape(raw).partition("#")[0]


def _file_of(address: str, kind: str) -> str:
    """The file of an address: a folder with an index for pages; an address with a query has a name of its own."""
    parts = urlsplit(address)
    path = "/".join(_plain(part) for part in parts.path.split("/") if part)
    page = kind.startswith("text/html")
    if parts.query:
        mark = hashlib.sha256(parts.query.encode()).hexdigest()[:12]
        stem, dot, suffix = path.rpartition(".")
        path = f"{path}/view-{mark}" if page else f"{stem}-{mark}.{suffix}" if dot else f"{path}-{mark}"
    return posixpath.join(path, "index.html") if page else path


def _plain(part: str) -> str:
    """A segment as the name of a file, which no system takes for anything else."""
    text = unquote(part)
    plain = re.sub(r"[^A-Za-z0-9._+@-]", "_", text).lstrip(".") or "_"
    return (
        plain if plain == text and len(plain) < 100 else f"{plain[:80]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    )


def _relinked(site: _Site, address: str, text: str) -> str:
    """A page whose links lead to files; those that lead nowhere here are no links any more."""
    here = posixpath.dirname(site.written[address])

    def figure(match: re.Match[str]) -> str:
        spec = site.client.get(html.unescape(match[2]), headers={"accept": "application/json"})
        if spec.status_code != 200:
            return match[0]
        # Within a script of data only "<" could end it.
        inline = spec.text.replace("<", "\\u003c")
        return f'{match[1]} data-inline="yes"{match[3]}<script type="application/json" class="inline">{inline}</script>'

    def link(match: re.Match[str]) -> str:
        name, raw = match[1], html.unescape(match[2])
        target, hash_mark, anchor = raw.partition("#")
        file = site.written.get(target)
        if file is None:
            return f'data-left-out="{name}"'
        relative = posixpath.relpath(file, here or ".")
        return f'{name}="{html.escape(relative + hash_mark + anchor)}"'

    text = _FIGURE.sub(figure, _FORM.sub("", text))
    return _LINK.sub(link, text)


def _write(site: _Site, address: str, text: str) -> None:
    path = site.folder / site.written[address]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, text)


def remove_site(folder: Path) -> None:
    """Delete a site, and nothing that is none.

    Raises:
        UsageError: for a folder that is no site.
    """
    if not (folder / _MARK).is_file():
        raise UsageError(f"{folder} is no site of assay")
    with machine_errors(folder):
        shutil.rmtree(folder)
