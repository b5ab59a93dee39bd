from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assay.errors import InvalidInputError, NotFoundError, UsageError
from assay.system.description import State, describe
from assay.system.probe import probe
from assay.system.store import SystemStore, read_description


@pytest.fixture
def store(tmp_path: Path) -> SystemStore:
    return SystemStore(tmp_path / "systems")


@pytest.fixture
def saved(store: SystemStore, xeon: Any) -> Path:
    return store.save(describe(probe(xeon.reader), name="lab", given={"cooling": "air"}, extra={"room": "12"}))


def test_the_file_is_the_official_one(saved: Path, store: SystemStore) -> None:
    content = json.loads(saved.read_text())
    assert saved == store.folder / "lab.json"
    assert (content["cooling"], content["host_processors_per_node"], content["room"]) == ("air", "2", "12")
    assert list(content) == sorted(content)
    assert store.names() == ["lab"]


def test_origins_come_back(saved: Path, store: SystemStore) -> None:
    loaded = store.load("lab")
    states = {entry.field.name: entry.state for entry in loaded.entries}
    sources = {entry.field.name: entry.source for entry in loaded.entries}
    assert states["cooling"] is State.ASKED
    assert (states["host_memory_capacity"], sources["host_memory_capacity"]) == (
        State.PROBED,
        "/proc/meminfo: MemTotal",
    )
    assert states["submitter"] is State.MISSING
    assert loaded.extra == {"room": "12"}
    assert loaded.to_official_json() == json.loads(saved.read_text())


def test_a_value_changed_in_the_file_is_the_users_and_outlives_the_next_probe(
    saved: Path, store: SystemStore, xeon: Any
) -> None:
    content = json.loads(saved.read_text())
    saved.write_text(json.dumps({**content, "host_memory_capacity": "1 TB", "number_of_nodes": 2}))
    loaded = store.load("lab")
    assert loaded.given() == {"host_memory_capacity": "1 TB", "number_of_nodes": 2, "cooling": "air"}
    again = describe(probe(xeon.reader), name="lab", given=loaded.given(), extra=loaded.extra)
    store.save(again)
    assert json.loads(saved.read_text())["host_memory_capacity"] == "1 TB"
    assert json.loads(saved.read_text())["room"] == "12"


@pytest.mark.parametrize("origins", ["", "[]", '{"format": 9, "fields": {}}', '{"format": 1, "fields": 3}'])
def test_lost_origins_cost_provenance_only(saved: Path, store: SystemStore, origins: str) -> None:
    (store.folder / ".origins" / "lab.json").write_text(origins)
    entries = {entry.field.name: entry for entry in store.load("lab").entries}
    assert (entries["cooling"].value, entries["cooling"].source) == ("air", "written into lab.json")
    assert entries["submitter"].state is State.EMPTY_ALLOWED


def test_origins_with_an_unknown_state_are_not_believed(saved: Path, store: SystemStore) -> None:
    path = store.folder / ".origins" / "lab.json"
    path.write_text(path.read_text().replace('"asked"', '"dreamt"'))
    entries = {entry.field.name: entry for entry in store.load("lab").entries}
    assert entries["cooling"].state is State.ASKED


def test_a_wrong_type_in_the_file_is_kept_for_validation_to_find(saved: Path, store: SystemStore) -> None:
    content = json.loads(saved.read_text())
    saved.write_text(json.dumps({**content, "cooling": ["air"]}))
    assert store.load("lab").to_official_json()["cooling"] == ["air"]


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "a b", "x" * 200, "a\n"])
def test_names_cannot_leave_the_folder(store: SystemStore, name: str) -> None:
    with pytest.raises(UsageError):
        store.path(name)


def test_an_unknown_name_has_close_ones(saved: Path, store: SystemStore) -> None:
    with pytest.raises(NotFoundError, match="lab") as caught:
        store.load("lob")
    assert caught.value.hint == "assay system init --name lob"


def test_text_that_is_no_json_is_kept_for_the_next_edit(saved: Path, store: SystemStore) -> None:
    before = saved.read_text()
    with pytest.raises(InvalidInputError, match="kept") as caught:
        store.save_text("lab", '{"cooling": "wat')
    assert caught.value.hint == "assay system edit lab"
    assert store.draft_path("lab").read_text() == '{"cooling": "wat'
    assert saved.read_text() == before
    store.save_text("lab", '{"cooling": "water"}')
    assert not store.draft_path("lab").exists()
    assert json.loads(saved.read_text()) == {"cooling": "water"}


@pytest.mark.parametrize("text", ["[]", "3", "null"])
def test_a_description_is_an_object(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(InvalidInputError, match="object"):
        read_description(path)


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(b" " * ((1 << 20) + 1))
    with pytest.raises(InvalidInputError, match="too large"):
        read_description(path)


def test_an_empty_store_has_no_names(store: SystemStore) -> None:
    assert store.names() == []
