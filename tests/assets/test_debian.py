"""Debian packages by a stand-in apt, and from a pool on loopback where apt is not or does not know them."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from assay.assets import debian, https
from assay.assets.debian import download_deb
from assay.assets.manifest import PackageSource
from assay.assets.package import take_from_package
from assay.base.progress import SILENT
from assay.errors import NotFoundError

from .archives import make

SOURCE = PackageSource("data", "1:2-3", ("usr/a",), "debian", pool="pool/main/d/data/data_2-3_all.deb")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a mirror; there is no apt."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setattr(debian, "_MIRRORS", (f"{address}/gone/", f"{address}/debian/"))
    monkeypatch.setattr(https, "_TRIES", 1)
    for name in ("HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    yield folder
    server.shutdown()
    server.server_close()


def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = tmp_path / "apt-get"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda _: str(program))


def test_apt_downloads_that_version_and_installs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apt(tmp_path, monkeypatch, 'echo "$@" > called; echo x > "data_1%3a2-3_all.deb"')
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    assert download_deb(SOURCE, scratch, progress=SILENT).name == "data_1%3a2-3_all.deb"
    assert (scratch / "called").read_text() == "download data=1:2-3\n"


@pytest.mark.parametrize("with_apt", [False, True])
def test_the_pool_is_asked_where_apt_does_not_help(
    tmp_path: Path, mirror: Path, monkeypatch: pytest.MonkeyPatch, with_apt: bool
) -> None:
    if with_apt:
        apt(tmp_path, monkeypatch, "echo 'E: Version not found' >&2; exit 100")
    path = mirror / "debian" / SOURCE.pool
    path.parent.mkdir(parents=True)
    make("debian", path, {"usr/a": b"data"})
    folder = tmp_path / "out" / "content"
    folder.mkdir(parents=True)
    (taken,) = take_from_package(SOURCE, folder, size=4, progress=SILENT)
    assert (taken, taken.read_bytes()) == (folder / "a", b"data")
    assert list(folder.parent.iterdir()) == [folder]


def test_every_reason_is_told(tmp_path: Path, mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apt(tmp_path, monkeypatch, "echo 'E: Version not found' >&2; exit 100")
    with pytest.raises(NotFoundError) as caught:
        download_deb(SOURCE, tmp_path, progress=SILENT)
    assert "apt says E: Version not found" in str(caught.value)
    assert str(caught.value).count("status 404") == 2
