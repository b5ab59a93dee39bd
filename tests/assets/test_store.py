from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from assay.assets.catalogue import load_catalogue
from assay.assets.store import AssetStore, State, content_hash, quick_identity
from assay.base.settings import Settings
from assay.errors import InvalidInputError, MachineError, NotFoundError, UsageError
from assay.loadgen.record import Label

DATA = b"the weights" * 1000
SHA = hashlib.sha256(DATA).hexdigest()

MANIFEST = """format: 1
name: thing
kind: weights
task: image-classification
title: A thing
sources: [{{type: https, urls: ["{url}"], archive: {archive}}}]
sha256: {sha}
size: {size}
licence: none
"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder and the address it is served at."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "thing.bin").write_bytes(DATA)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def declare(home: Path, url: str, sha: str | None = SHA, size: int = len(DATA), *, archive: bool = False) -> None:
    (home / "manifests").mkdir(parents=True, exist_ok=True)
    text = MANIFEST.format(url=url, sha=sha or "null", size=size, archive=str(archive).lower())
    (home / "manifests" / "thing.yaml").write_text(text)


def open_store(home: Path, *, offline: bool = False) -> AssetStore:
    settings = Settings(home=home, offline=offline)
    return AssetStore(settings, load_catalogue(settings))


@pytest.fixture
def store(home: Path, site: tuple[Path, str]) -> AssetStore:
    declare(home, f"{site[1]}/thing.bin")
    return open_store(home)


def test_what_is_absent_is_fetched_once(store: AssetStore, home: Path, site: tuple[Path, str]) -> None:
    assert store.state("thing") is State.ABSENT
    assert store.plan(["thing"]).total_bytes == len(DATA)
    located = store.ensure("thing")
    assert (located.path.read_bytes(), located.sha256, located.size) == (DATA, SHA, len(DATA))
    assert located.path.parent == home / "assets" / "sha256" / SHA
    (site[0] / "thing.bin").unlink()
    assert store.ensure("thing") == located
    assert store.state("thing") is State.PRESENT
    assert store.plan(["thing"]).missing == ()
    assert not list((home / "assets" / "partial").iterdir())


def test_another_checksum_is_refused_and_nothing_kept(home: Path, site: tuple[Path, str]) -> None:
    declare(home, f"{site[1]}/thing.bin", sha="a0" * 32)
    with pytest.raises(InvalidInputError, match=f"expected {'a0' * 32}; found {SHA}"):
        open_store(home).ensure("thing")
    assert open_store(home).locate("thing") is None


def test_a_changed_file_is_noticed_and_fetched_again(store: AssetStore) -> None:
    path = store.ensure("thing").path
    path.write_bytes(b"corrupted" + DATA[9:])
    with pytest.raises(InvalidInputError, match="has changed on disk"):
        store.verify("thing")
    assert store.ensure("thing").path.read_bytes() == DATA
    assert store.verify("thing").sha256 == SHA


def test_a_touched_file_is_not_fetched_again(store: AssetStore, site: tuple[Path, str]) -> None:
    path = store.ensure("thing").path
    os.utime(path, (1, 1))
    (site[0] / "thing.bin").unlink()
    assert store.ensure("thing").path == path


@pytest.mark.parametrize("damage", ["{", "[]", "", '{"sha256": 3}'])
def test_a_damaged_entry_is_as_good_as_none(store: AssetStore, home: Path, damage: str) -> None:
    store.ensure("thing")
    (home / "assets" / "names" / "thing.json").write_text(damage)
    assert store.ensure("thing").path.read_bytes() == DATA


def test_offline_says_how_to_get_it_by_hand(home: Path, site: tuple[Path, str]) -> None:
    declare(home, f"{site[1]}/thing.bin")
    with pytest.raises(NotFoundError, match="offline") as caught:
        open_store(home, offline=True).ensure("thing")
    assert SHA in str(caught.value.hint)
    assert "assay assets add thing --path" in str(caught.value.hint)


def test_what_the_user_registers_is_used_where_it_lies(store: AssetStore, home: Path, tmp_path: Path) -> None:
    own = tmp_path / "mine.bin"
    own.write_bytes(DATA)
    store.register("thing", own)
    assert store.state("thing") is State.REGISTERED
    assert store.ensure("thing").path == own
    assert not (home / "assets" / "sha256").exists()
    assert store.remove("thing") == 0
    assert own.exists()
    assert store.state("thing") is State.ABSENT


def test_a_wrong_file_is_not_registered(store: AssetStore, tmp_path: Path) -> None:
    (tmp_path / "mine.bin").write_bytes(b"other")
    with pytest.raises(InvalidInputError, match="another checksum"):
        store.register("thing", tmp_path / "mine.bin")
    with pytest.raises(NotFoundError):
        store.register("thing", tmp_path / "none.bin")


def test_a_registered_path_that_is_gone_is_told_and_never_replaced(store: AssetStore, tmp_path: Path) -> None:
    own = tmp_path / "mine.bin"
    own.write_bytes(DATA)
    store.register("thing", own)
    own.unlink()
    with pytest.raises(NotFoundError, match="what you registered for thing is gone"):
        store.ensure("thing")


def test_what_only_the_user_can_get_says_so(store: AssetStore) -> None:
    assert store.state("imagenet2012") is State.YOURS
    with pytest.raises(NotFoundError, match="has to be registered by you") as caught:
        store.ensure("imagenet2012")
    assert caught.value.hint == "assay assets add imagenet2012 --path FOLDER"


def test_what_is_built_cannot_be_registered_or_fetched(store: AssetStore, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        store.ensure("mobilenet-v2")
    (tmp_path / "m.onnx").write_bytes(b"x")
    with pytest.raises(UsageError) as caught:
        store.register("mobilenet-v2", tmp_path / "m.onnx")
    assert "--model" in str(caught.value.hint)


def test_an_archive_becomes_a_folder(home: Path, site: tuple[Path, str]) -> None:
    import zipfile

    with zipfile.ZipFile(site[0] / "a.zip", "w") as archive:
        archive.writestr("d/x", "1")
        archive.writestr("d/y", "2")
    declare(home, f"{site[1]}/a.zip", sha=None)
    declare(home, f"{site[1]}/a.zip", sha=None, archive=True)
    located = open_store(home).ensure("thing")
    assert sorted(p.name for p in located.path.rglob("*") if p.is_file()) == ["x", "y"]
    assert located.sha256 == content_hash(located.path)


def test_a_published_md5_is_held(home: Path, site: tuple[Path, str]) -> None:
    declare(home, f"{site[1]}/thing.bin", sha=None)
    manifest = home / "manifests" / "thing.yaml"
    text = manifest.read_text()
    for md5, right in ((hashlib.md5(DATA).hexdigest(), True), ("0a" * 16, False)):
        manifest.write_text(text.replace("archive: false", f"md5: {md5}"))
        store = open_store(home)
        if right:
            assert store.ensure("thing").sha256 == SHA
            store.remove("thing")
        else:
            with pytest.raises(InvalidInputError, match=f"expected {md5}; found {hashlib.md5(DATA).hexdigest()}"):
                store.ensure("thing")
            assert store.locate("thing") is None


def squad(folder: Path, questions: int) -> Path:
    """A file of SQuAD's form."""
    entries = [
        {"id": str(n), "question": "who?", "answers": [{"text": "x", "answer_start": 0}]} for n in range(questions)
    ]
    document = {"version": "1.1", "data": [{"title": "t", "paragraphs": [{"context": "x", "qas": entries}]}]}
    path = folder / "dev-v1.1.json"
    path.write_text(json.dumps(document))
    return path


def test_a_part_of_a_dataset_is_registered_only_on_purpose(store: AssetStore, home: Path, tmp_path: Path) -> None:
    path = squad(tmp_path, 3)
    with pytest.raises(InvalidInputError, match="expected 10,570; found 3") as caught:
        store.register("squad-v1.1", tmp_path)
    assert "--partial" in str(caught.value.hint)
    located = store.register("squad-v1.1", tmp_path, partial=True)
    assert (located.path, located.samples, located.labels) == (path, 3, ("partial-dataset",))
    assert Label(located.labels[0]).meaning
    assert store.ensure("squad-v1.1") == open_store(home).locate("squad-v1.1") == located
    assert store.verify("squad-v1.1") == located
    squad(tmp_path, 2)
    with pytest.raises(InvalidInputError, match="has changed on disk"):
        store.verify("squad-v1.1")


def test_a_file_with_a_checksum_is_not_had_in_part(store: AssetStore, tmp_path: Path) -> None:
    (tmp_path / "mine.bin").write_bytes(DATA[:10])
    with pytest.raises(UsageError, match="cannot be used in part"):
        store.register("thing", tmp_path / "mine.bin", partial=True)


def test_a_changed_file_deep_in_a_registered_folder_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "x").write_bytes(b"1")
    before = quick_identity(tmp_path)
    (tmp_path / "a" / "b" / "x").write_bytes(b"22")
    assert quick_identity(tmp_path) != before


def test_no_space_is_told_before_the_download(home: Path, site: tuple[Path, str]) -> None:
    declare(home, f"{site[1]}/thing.bin", size=10**17)
    with pytest.raises(MachineError, match="not enough disk space"):
        open_store(home).ensure("thing")


def test_removing_frees_what_was_fetched(store: AssetStore, home: Path) -> None:
    store.ensure("thing")
    assert store.remove("thing") == len(DATA)
    assert not list((home / "assets" / "sha256").iterdir())
    with pytest.raises(NotFoundError, match="not on this machine"):
        store.verify("thing")


def _ensure(home: Path) -> str:
    return str(open_store(home).ensure("thing").path)


def test_several_processes_at_once_share_one_copy(home: Path, site: tuple[Path, str]) -> None:
    declare(home, f"{site[1]}/thing.bin")
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        paths = pool.map(_ensure, [home] * 6)
    assert len(set(paths)) == 1
    assert Path(paths[0]).read_bytes() == DATA


def test_a_built_file_is_built_once_and_again_when_damaged(store: AssetStore) -> None:
    calls: list[int] = []

    def build(target: Path) -> None:
        calls.append(1)
        target.write_bytes(b"built")

    first = store.built("key", "model.onnx", build)
    assert store.built("key", "model.onnx", build) == first
    first.path.write_bytes(b"damage")
    assert store.built("key", "model.onnx", build).path.read_bytes() == b"built"
    assert len(calls) == 2


def test_a_failed_build_leaves_nothing(store: AssetStore, home: Path) -> None:
    def build(target: Path) -> None:
        target.write_bytes(b"half")
        raise InvalidInputError("no")

    with pytest.raises(InvalidInputError):
        store.built("key", "model.onnx", build)
    assert not list((home / "assets" / "built" / "key").iterdir())


def test_a_built_folder_is_kept_and_made_anew_when_it_changed(store: AssetStore, home: Path) -> None:
    calls: list[int] = []

    def build(target: Path) -> None:
        calls.append(1)
        target.mkdir()
        for name in ("encoder.onnx", "joint.onnx"):
            (target / name).write_bytes(name.encode())
        if len(calls) == 3:
            raise InvalidInputError("no")

    first = store.built("key", "model", build)
    assert (first.path.is_dir(), first.size) == (True, 22)
    assert store.built("key", "model", build) == first
    (first.path / "joint.onnx").unlink()
    assert store.built("key", "model", build) == first
    assert len(calls) == 2
    (first.path / "joint.onnx").write_bytes(b"damage")
    with pytest.raises(InvalidInputError):
        store.built("key", "model", build)
    assert [path.name for path in (home / "assets" / "built" / "key").glob(".*")] == []
