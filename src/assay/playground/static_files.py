"""Style sheets, scripts and pictures: addresses that change with the content, so that browsers keep them for good.

The chart library is the bundle that vl-convert holds: made once, kept in the cache, never fetched from anywhere.
"""

from __future__ import annotations

import gzip
import hashlib
import threading
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from starlette.responses import Response

from assay.base.files import machine_errors, write_atomic
from assay.base.settings import Settings
from assay.errors import NotFoundError

_FOLDER = Path(__file__).parent / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
}
_COMPRESSED = (".css", ".js", ".svg")
VEGA = "vega.js"
_VEGA_LITE = "6.4"
_SNIPPET = "window.vega = vega; window.vegaLite = vegaLite; window.vegaEmbed = vegaEmbed;"


@dataclass(frozen=True, slots=True)
class File:
    """A file in memory, with its form for browsers that take compressed ones."""

    body: bytes
    compressed: bytes | None
    media_type: str
    digest: str


class StaticFiles:
    """The files of the playground.

    Args:
        settings: where the cache is.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._files = {
            path.name: _loaded(path.read_bytes(), path.suffix)
            for path in sorted(_FOLDER.iterdir())
            if path.suffix in _TYPES
        }
        made_of = f"{version('vl-convert-python')}-{_VEGA_LITE}-{_SNIPPET}"
        self._vega_version = hashlib.sha256(made_of.encode()).hexdigest()[:12]

    def address(self, name: str) -> str:
        """The address of a file; it changes when the file does."""
        if name == VEGA:
            return f"/static/{self._vega_version}/{VEGA}"
        return f"/static/{self._files[name].digest}/{name}"

    def answer(self, name: str, *, digest: str, accepts: str) -> Response:
        """A file as an answer; kept for good only under the address that its content has.

        Args:
            name: of the file.
            digest: of the address: that of another version's page, perhaps.
            accepts: the ``Accept-Encoding`` of the request.

        Raises:
            NotFoundError: for a file that is not one of ours.
        """
        file = self._vega() if name == VEGA else self._files.get(name)
        if file is None:
            raise NotFoundError(f"no file {name!r}")
        ours = digest == (self._vega_version if name == VEGA else file.digest)
        control = "public, max-age=31536000, immutable" if ours else "no-store"
        headers = {"Cache-Control": control, "Vary": "Accept-Encoding"}
        if file.compressed is not None and "gzip" in accepts:
            headers["Content-Encoding"] = "gzip"
            return Response(file.compressed, media_type=file.media_type, headers=headers)
        return Response(file.body, media_type=file.media_type, headers=headers)

    def all_files(self) -> dict[str, bytes]:
        """Every file by its address, for a site of files."""
        return {self.address(name): file.body for name, file in self._files.items()} | {
            self.address(VEGA): self._vega().body
        }

    def _vega(self) -> File:
        with self._lock:
            found = self._files.get(VEGA)
            if found is None:
                found = self._files[VEGA] = _loaded(self._vega_source(), ".js")
            return found

    def _vega_source(self) -> bytes:
        kept = self._settings.cache_dir / "playground" / f"vega-{self._vega_version}.js"
        with machine_errors(kept):
            if kept.is_file():
                return kept.read_bytes()
            import vl_convert

            source = vl_convert.javascript_bundle(_SNIPPET, vl_version=_VEGA_LITE).encode()
            kept.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(kept, source)
            return source


def _loaded(body: bytes, suffix: str) -> File:
    compressed = gzip.compress(body, 6, mtime=0) if suffix in _COMPRESSED and len(body) > 500 else None
    return File(body, compressed, _TYPES[suffix], hashlib.sha256(body).hexdigest()[:12])
