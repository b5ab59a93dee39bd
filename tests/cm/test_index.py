from __future__ import annotations

import os
from array import array
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.cm import index as index_module
from assay.cm.index import MAGIC, Column, Index, dumps, index_path, load, loads, select, shown, stamp, unchanged

UID = "0123456789abcdef"


def made(root: str = "/r") -> Index:
    index = Index(root)
    index.about = [b"me@mine", UID.encode()]
    index.watched = [b".", b"e/one/_cm.json", "e/ü".encode()]
    index.stamps = array("q", range(6))
    index.spots, index.kind_of, index.based = array("I", [1, 2]), array("I", [0, 1]), array("I", [1])
    index.kinds = [b"experiment\x1fa0a2d123ef064bcb", b"Cfg\x1f"]
    for alias, uid, tags in (("one", UID, "\x1fa\x1fb\x1f"), ("ü", "", "")):
        index.aliases.append(alias)
        index.uids.append(uid)
        index.tags.append(tags)
    return index


def columns(index: Index) -> list[object]:
    values = [getattr(index, name) for name in Index.__slots__]
    return [[each[row] for row in range(len(each))] if isinstance(each, Column) else each for each in values]


def test_what_was_written_is_read() -> None:
    empty = Index("/r")
    empty.watched, empty.stamps, empty.about = [b"."], array("q", [1, 2]), [b"a", b""]
    for index in (made(), empty):
        read = loads(dumps(index), "/r")
        assert read is not None and columns(read) == columns(index)


def test_of_another_repository_or_version_nothing_is_read(tmp_path: Path) -> None:
    assert loads(dumps(made()), "/other") is None
    assert loads(dumps(made()).replace(MAGIC, b"assay cm index 0\n"), "/r") is None
    assert load(str(tmp_path / "none"), "/r") is None


@given(st.data())
def test_a_damaged_index_is_no_index_and_no_error(data: st.DataObject) -> None:
    raw = dumps(made())
    cut = data.draw(st.integers(0, len(raw)))
    loads(raw[:cut] + data.draw(st.binary(max_size=4)), "/r")
    assert cut == len(raw) or loads(raw[:cut], "/r") is None


@given(st.binary(max_size=200))
def test_any_bytes_are_no_error(raw: bytes) -> None:
    assert loads(raw, "/r") is None
    loads(MAGIC + b"/r\n" + raw, "/r")


@pytest.mark.parametrize(
    ("kind", "name", "wanted", "unwanted", "rows"),
    [
        ("experiment", "", [], [], [0]),
        ("EXPERIMENT", "", ["a"], ["c"], [0]),
        ("experiment", "", ["a"], ["b"], []),
        ("a0a2d123ef064bcb", "", [], [], [0]),
        ("cfg", "Ü", [], [], [1]),
        ("", UID.upper(), [], [], [0]),
        ("", "", [], ["a"], [1]),
        ("script", "", [], [], []),
    ],
)
def test_rows_are_selected(kind: str, name: str, wanted: list[str], unwanted: list[str], rows: list[int]) -> None:
    assert select(made(), kind, name, wanted, unwanted) == rows


def test_every_repository_has_a_file_of_its_own() -> None:
    assert index_path("/h", "/a/one") != index_path("/h", "/b/one")
    assert index_path("/h", "/a/o/../n:e").startswith("/h/cache/cm/n-e-")


# Test runners have threads, which the command line has not.
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
@pytest.mark.parametrize("processes", [False, True])
def test_one_touch_among_many_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: bool) -> None:
    monkeypatch.setattr(index_module, "_WORTH_A_PROCESS", 4)
    index = Index(str(tmp_path))
    names = [f"f{number}" for number in range(9)]
    index.watched = [name.encode() for name in names]
    for name in names:
        (tmp_path / name).write_text("x")
        index.stamps.extend(stamp((tmp_path / name).stat()))
    assert unchanged(index, may_fork=processes)
    for name in (names[0], names[-1]):
        old = (tmp_path / name).stat()
        (tmp_path / name).write_text("y")
        # The modification time can be set back, the change time cannot.
        os.utime(tmp_path / name, ns=(old.st_atime_ns, old.st_mtime_ns))
        assert not unchanged(index, may_fork=processes)
        place = names.index(name)
        index.stamps[2 * place : 2 * place + 2] = array("q", stamp((tmp_path / name).stat()))
        assert unchanged(index, may_fork=processes)
    (tmp_path / "f8").unlink()
    assert not unchanged(index, may_fork=processes)
    index.root = "/nowhere"
    assert not unchanged(index, may_fork=processes)


@given(
    st.lists(st.text(alphabet="ab\x1fü", max_size=6), max_size=12), st.text(alphabet="ab\x1fü", min_size=1, max_size=3)
)
def test_a_column_is_searched_as_its_texts_are(texts: list[str], part: str) -> None:
    column = Column(bytearray(), 0, array("I"))
    for text in texts:
        column.append(text)
    shifted = Column(b"ab\x1f" + bytes(column.raw) + b"ab", 3, column.ends)
    for each in (column, shifted):
        assert [each[row] for row in range(len(each))] == texts
        assert each.holding(part.encode()) == [row for row, text in enumerate(texts) if part in text]
        assert [each.holds(row, part.encode()) for row in range(len(texts))] == [part in text for text in texts]


def test_what_strangers_write_does_not_steer_the_terminal() -> None:
    assert shown("plain ü") == "plain ü"
    assert shown("a\x1b[1m\n\u202e\udcff") == "a?[1m???"
