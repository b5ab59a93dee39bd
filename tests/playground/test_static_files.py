"""Files for browsers: addresses that change with the content, kept for good under those alone."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from assay.base.settings import Settings
from assay.errors import NotFoundError
from assay.playground.static_files import VEGA, StaticFiles


@pytest.fixture
def files(tmp_path: Path) -> StaticFiles:
    return StaticFiles(Settings(home=tmp_path))


def test_an_address_names_the_content(files: StaticFiles) -> None:
    assert re.fullmatch(r"/static/[0-9a-f]{12}/app\.css", files.address("app.css"))


def test_a_file_is_kept_for_good_under_its_own_address_alone(files: StaticFiles) -> None:
    digest = files.address("app.css").split("/")[2]
    own = files.answer("app.css", digest=digest, accepts="")
    assert own.headers["cache-control"] == "public, max-age=31536000, immutable"
    other = files.answer("app.css", digest="0" * 12, accepts="")
    assert other.headers["cache-control"] == "no-store"
    assert own.body == other.body


def test_a_file_is_compressed_for_who_takes_it(files: StaticFiles) -> None:
    plain = files.answer("app.css", digest="", accepts="")
    packed = files.answer("app.css", digest="", accepts="br, gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(bytes(packed.body)) == plain.body
    assert "content-encoding" not in plain.headers


@pytest.mark.parametrize("name", ["nothing.css", "../app.py", "..%2fapp.py", "", "app.css/", "/etc/passwd"])
def test_no_other_file_is_given(files: StaticFiles, name: str) -> None:
    with pytest.raises(NotFoundError):
        files.answer(name, digest="", accepts="")


def test_the_chart_library_comes_from_the_cache(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    version = StaticFiles(settings).address(VEGA).split("/")[2]
    kept = settings.cache_dir / "playground" / f"vega-{version}.js"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"a library")
    files = StaticFiles(settings)
    answer = files.answer(VEGA, digest=version, accepts="")
    assert (answer.body, answer.media_type) == (b"a library", "text/javascript; charset=utf-8")
    assert answer.headers["cache-control"].endswith("immutable")
    assert files.all_files()[files.address(VEGA)] == b"a library"


def test_files_are_served(client: TestClient) -> None:
    page = client.get("/").text
    address = re.search(r'href="(/static/[0-9a-f]+/app\.css)"', page)
    assert address
    answer = client.get(address[1])
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in answer.headers["cache-control"]
    assert client.get("/static/0/nothing.css").status_code == 404
    assert client.get("/static/0/..%2f..%2fapp.py").status_code == 404


def test_styles_and_scripts_ask_nothing_of_the_network(files: StaticFiles) -> None:
    for address, body in ((a, b) for a, b in files.all_files().items() if not a.endswith(VEGA)):
        text = body.decode()
        outer = [each for each in re.findall(r"https?://[^\s\"')]+", text) if "www.w3.org" not in each]
        assert not outer, (address, outer)
        assert "@import" not in text
