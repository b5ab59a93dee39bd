"""Files behind an http(s) address: resumed, retried, bounded, checked by whoever asked."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from assay.base.files import machine_errors, require_space
from assay.base.progress import Progress, Step
from assay.base.units import format_size
from assay.errors import AssayError, NotFoundError

if TYPE_CHECKING:
    import httpx2

_TIMEOUT_S = 30.0
_TRIES = 4


class _TransientError(Exception):
    """Something that may go away when tried again."""


def download(
    urls: tuple[str, ...], target: Path, *, size: int, progress: Progress, label: str, limit: int | None = None
) -> str:
    """Download a file to ``target`` from the first address that gives it; returns that address.

    What an earlier, broken attempt left in ``target`` is continued where the server can do that, and started anew where
    not. Proxies and certificates are taken from the environment.

    Args:
        urls: addresses, in order of preference.
        target: a temporary file; the caller checks and moves it.
        size: bytes expected, 0 when not known; twice as many end the download.
        progress: told while it runs.
        label: what the progress bar says.
        limit: bytes that end the download when ``size`` is not known.

    Raises:
        NotFoundError: when no address gives the file, with each one's reason.
        MachineError: when the disk is full or cannot be written.
    """
    # httpx2 and tenacity take 0.2 s to import, which only a download should cost.
    import httpx2
    from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

    require_space(target.parent, size)
    reasons: list[str] = []
    step = progress.start(label, total=size or None, unit="B")
    try:
        with httpx2.Client(follow_redirects=True, timeout=_TIMEOUT_S, max_redirects=10) as client:
            for url in urls:
                try:
                    for attempt in Retrying(
                        retry=retry_if_exception_type(_TransientError),
                        stop=stop_after_attempt(_TRIES),
                        wait=wait_exponential(multiplier=0.2, max=8),
                        reraise=True,
                    ):
                        with attempt:
                            _fetch(client, url, target, size * 2 if size else limit or 1 << 40, step)
                except (_TransientError, NotFoundError) as error:
                    reasons.append(f"{url}: {error}")
                else:
                    return url
    finally:
        step.finish()
    raise NotFoundError(
        "no source gives the file",
        found="; ".join(reasons),
        hint="check the network and proxies (HTTPS_PROXY), or try again later",
    )


def _fetch(client: httpx2.Client, url: str, target: Path, limit: int, step: Step) -> None:
    import httpx2

    have = target.stat().st_size if target.exists() else 0
    headers = {"Range": f"bytes={have}-", "Accept-Encoding": "identity"} if have else {"Accept-Encoding": "identity"}
    try:
        with client.stream("GET", url, headers=headers) as response:
            if response.status_code == 416:
                target.unlink(missing_ok=True)
                raise _TransientError("the server refuses to continue")
            if response.status_code in (408, 425, 429) or response.status_code >= 500:
                raise _TransientError(f"status {response.status_code}")
            if response.status_code >= 400:
                raise NotFoundError(f"status {response.status_code}")
            _receive(response, target, have if response.status_code == 206 else 0, limit, step)
    except httpx2.TransportError as error:
        raise _TransientError(f"{type(error).__name__}: {error}") from error
    except httpx2.HTTPError as error:
        raise NotFoundError(f"{type(error).__name__}: {error}") from error


def _receive(response: httpx2.Response, target: Path, start: int, limit: int, step: Step) -> None:
    length = response.headers.get("Content-Length", "")
    total = start + int(length) if length.isdigit() else None
    step.update(done=start, total=total)
    done = start
    with machine_errors(target), target.open("r+b" if start else "wb") as stream:
        stream.seek(start)
        stream.truncate()
        for chunk in response.iter_raw():
            done += len(chunk)
            if done > limit:
                raise NotFoundError(f"the file is larger than {format_size(limit)}")
            stream.write(chunk)
            step.update(done=done)
    if total is not None and done < total:
        raise _TransientError(f"the connection ended after {format_size(done)} of {format_size(total)}")


def discard(target: Path) -> None:
    """Remove what a download left, if that can be done."""
    with contextlib.suppress(AssayError, OSError), machine_errors(target):
        target.unlink(missing_ok=True)
