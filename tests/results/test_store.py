from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from assay.base.settings import Settings
from assay.cm.registry import Registry
from assay.cm.repository import create_repository, local_repository
from assay.errors import MachineError
from assay.results import store as store_module
from assay.results.exchange import write_rows_file
from assay.results.row import Row
from assay.results.store import Store, existing_store, open_store, update

from .rows import make_row, put, rows_by_uid, shown

pytestmark = pytest.mark.usefixtures("nothing_published")
ROWS = [make_row(number) for number in range(3)]


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "home")


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that are read, as they are."""
    names: list[str] = []
    real = store_module.read_rows

    def counted(path: str, importer: Any) -> list[Row]:
        names.append(Path(path).parent.parent.name.rpartition("-")[2])
        return real(path, importer)

    monkeypatch.setattr(store_module, "read_rows", counted)
    return names


def index(home: Settings) -> Path:
    return home.home / "index.duckdb"


def everything(home: Settings) -> list[tuple[Any, ...]]:
    """All that the index shows."""
    with open_store(home) as store:
        return store.run("SELECT * EXCLUDE (file_id) FROM results ORDER BY uid").fetchall()


# ---- made from the files, and only from them


def test_an_empty_home_has_an_empty_index(home: Settings) -> None:
    with open_store(home) as store:
        status = store.status()
    assert (status.rows, status.results, status.files, status.problems) == (0, 0, {}, ())
    assert status.path == index(home) and status.bytes == index(home).stat().st_size


def test_the_index_can_be_deleted(home: Settings) -> None:
    put(home, ROWS)
    assert shown(home) == rows_by_uid(ROWS)
    index(home).unlink()
    assert shown(home) == rows_by_uid(ROWS)


def test_nothing_is_written_when_nothing_changed(home: Settings, read: list[str]) -> None:
    put(home, ROWS)
    update(home)
    before = index(home).stat()
    assert shown(home) == rows_by_uid(ROWS)
    after = index(home).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns) and read == ["one"]


def test_only_changed_files_are_read_again(home: Settings, read: list[str]) -> None:
    paths = {name: put(home, [make_row(number)], name=name) for number, name in enumerate("abcd")}
    assert len(shown(home)) == 4 and read == ["a", "b", "c", "d"]
    read.clear()
    put(home, [make_row(1, value=7.0), make_row(8)], name="b")
    put(home, [make_row(9)], name="e")
    shutil.rmtree(paths["c"].parent.parent)
    expected = [make_row(0), make_row(1, value=7.0), make_row(8), make_row(3), make_row(9)]
    assert shown(home) == rows_by_uid(expected)
    assert read == ["b", "e"]
    with open_store(home) as store:
        assert store.status().files == {"local": 4} and store.status().rows == 5


def test_a_file_that_was_only_touched_gives_the_same(home: Settings, read: list[str]) -> None:
    path = put(home, ROWS)
    update(home)
    os.utime(path)
    assert shown(home) == rows_by_uid(ROWS) and read == ["one", "one"]


def test_a_rebuild_reads_everything(home: Settings, read: list[str]) -> None:
    put(home, ROWS)
    update(home)
    assert shown(home, rebuild=True) == rows_by_uid(ROWS) and read == ["one", "one"]


def test_repositories_come_and_go(home: Settings, tmp_path: Path) -> None:
    other = create_repository(tmp_path / "other", "me@other")
    path = other.path / "experiment" / "x" / "t" / "cm-result.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(msgspec.json.encode([{"assay_row": make_row(7)}]))
    put(home, ROWS)
    Registry(home).add(other.path)
    assert shown(home) == rows_by_uid([*ROWS, make_row(7)])
    with open_store(home) as store:
        assert store.status().files == {"local": 1, "me@other": 1}
    Registry(home).remove(other.path)
    assert shown(home) == rows_by_uid(ROWS)


# ---- damage


DAMAGE = {
    "empty": lambda raw: b"",
    "cut": lambda raw: raw[: len(raw) // 2],
    "noise": lambda raw: bytes(reversed(raw)),
    "text": lambda raw: b"not a database\n" * 1000,
    "head": lambda raw: b"\0" * 4096 + raw[4096:],
    "headers": lambda raw: raw[:8] + b"\xff" * 12288 + raw[12296:],
    "pages": lambda raw: raw[:12288] + bytes(each ^ 0x55 for each in raw[12288:]),
    "newer": lambda raw: raw[:12] + (9999).to_bytes(8, "little") + raw[20:],
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_index_is_made_anew(home: Settings, kind: str) -> None:
    put(home, ROWS)
    update(home)
    index(home).write_bytes(DAMAGE[kind](index(home).read_bytes()))
    assert shown(home) == rows_by_uid(ROWS)


def test_damage_that_shows_only_when_something_changes_is_repaired_too(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(home, ROWS)
    update(home)
    real, tries = store_module._bring_up, []

    def broken(new: Path, files: Any, known: dict[str, str] | None, progress: Any) -> None:
        tries.append(known is not None)
        if known is not None:
            raise duckdb.IOException("Corrupt database file: computed checksum does not match")
        real(new, files, known, progress)

    monkeypatch.setattr(store_module, "_bring_up", broken)
    put(home, [make_row(5)], name="two")
    assert shown(home) == rows_by_uid([*ROWS, make_row(5)]) and tries == [True, False]


@pytest.mark.parametrize("version", ["0" * 16, "", "of tomorrow"])
def test_an_index_of_another_version_is_made_anew(home: Settings, version: str, read: list[str]) -> None:
    put(home, ROWS)
    update(home)
    with duckdb.connect(str(index(home))) as connection:
        connection.execute("UPDATE form SET version = ?", [version])
        connection.execute("ALTER TABLE rows ADD COLUMN more INTEGER")
    assert shown(home) == rows_by_uid(ROWS) and read == ["one", "one"]


def test_another_database_in_its_place_is_replaced(home: Settings) -> None:
    put(home, ROWS)
    home.home.mkdir(exist_ok=True)
    with duckdb.connect(str(index(home))) as connection:
        connection.execute("CREATE TABLE mine (a INTEGER)")
    assert shown(home) == rows_by_uid(ROWS)


def test_what_a_killed_writer_left_is_cleared_away(home: Settings) -> None:
    put(home, ROWS)
    left = home.home / ".index-abc"
    left.mkdir()
    (left / "index.duckdb").write_bytes(b"x" * 1000)
    update(home)
    assert not left.exists() and not list(home.home.glob(".index-*"))


def test_an_index_that_nobody_can_make_is_none_yet(home: Settings) -> None:
    with existing_store(home) as store:
        assert store is None
    put(home, ROWS)
    update(home)
    put(home, [make_row(9)], name="two")
    with existing_store(home) as store:
        assert store is not None and store.status().rows == 3


# ---- bad input


def test_a_broken_file_is_told_and_the_rest_is_there(home: Settings, read: list[str]) -> None:
    put(home, ROWS)
    half = put(home, [make_row(4)], name="half")
    half.write_bytes(half.read_bytes()[:-20])
    huge = put(home, [], name="huge")
    with huge.open("wb") as stream:
        stream.truncate(1 << 30)
    pipe = put(home, [], name="pipe")
    pipe.unlink()
    os.mkfifo(pipe)
    assert shown(home) == rows_by_uid(ROWS)
    with open_store(home) as store:
        problems = dict(store.status().problems)
    assert set(problems) == {str(half), str(huge), str(pipe)}
    assert "not a list of rows" in problems[str(half)] and "too large" in problems[str(huge)]
    assert "cannot be read" in problems[str(pipe)]
    # It is not tried again until it changes.
    read.clear()
    update(home)
    assert read == []
    put(home, [make_row(4)], name="half")
    assert shown(home) == rows_by_uid([*ROWS, make_row(4)])
    with open_store(home) as store:
        assert set(dict(store.status().problems)) == {str(huge), str(pipe)}


def test_a_row_of_megabytes_is_told(home: Settings) -> None:
    put(home, ROWS)
    path = put(home, [make_row(5, notes="x" * (5 << 20))], name="long")
    assert shown(home) == rows_by_uid(ROWS)
    with open_store(home) as store:
        assert "too long" in dict(store.status().problems)[str(path)]


def test_hostile_rows_of_cm_are_kept_or_passed_over(home: Settings) -> None:
    place = "closed/\0'; DROP TABLE rows; --/\u202e漢"
    row = {"version": "v3.0", "MlperfModel": "resnet", "Scenario": "Offline", "Result": 1.0, "Location": place}
    wrong = {**row, "Location": "x", "Units": {"a": 1}, "host_memory_capacity": 1, "number_of_nodes": 10**40}
    path = put(home, [])
    path.write_text(json.dumps([row, wrong, {}, {"Location": 1}]))
    assert sorted(row.location for row in shown(home)) == sorted([place, "x"])


def test_folders_whose_names_are_no_text(home: Settings) -> None:
    for name in (b"a\xff", b"a\xfe"):
        put(home, [make_row(name[1])], name=os.fsdecode(name))
    put(home, [], name=os.fsdecode(b"b\xff")).write_text("[")
    assert shown(home) == rows_by_uid([make_row(255), make_row(254)])
    put(home, [make_row(3)], name=os.fsdecode(b"a\xff"))
    assert shown(home) == rows_by_uid([make_row(3), make_row(254)])
    with open_store(home) as store:
        assert len(store.status().problems) == 1


# ---- several rows of one result


def cm(number: int, **changes: Any) -> Row:
    return make_row(number, **{"source_kind": "cm", "cm_uid": f"{number:016x}", "value": 1.0, **changes})


def test_raw_logs_go_before_cm_and_keep_its_uid(home: Settings) -> None:
    put(home, [cm(0), cm(1), make_row(2, source_kind="summary")], name="a")
    put(home, [make_row(0, value=5.0), make_row(2, value=6.0, strict=True)], name="b")
    zero, one, two = sorted(shown(home), key=lambda row: row.location)
    assert (zero.value, zero.source_kind, zero.cm_uid) == (5.0, "submission", f"{0:016x}")
    assert (one.value, one.source_kind, one.cm_uid) == (1.0, "cm", f"{1:016x}")
    assert (two.value, two.source_kind, two.cm_uid) == (6.0, "submission", None)
    with open_store(home) as store:
        assert (store.status().rows, store.status().results) == (5, 3)


def test_what_was_hidden_comes_back_when_the_better_one_goes(home: Settings) -> None:
    put(home, [cm(0)], name="a")
    better = put(home, [make_row(0, value=5.0)], name="b")
    assert [row.value for row in shown(home)] == [5.0]
    shutil.rmtree(better.parent.parent)
    assert shown(home) == [cm(0)]


def test_cms_uid_goes_with_cms_row(home: Settings) -> None:
    theirs = put(home, [cm(0)], name="a")
    put(home, [make_row(0)], name="b")
    assert shown(home)[0].cm_uid == f"{0:016x}"
    shutil.rmtree(theirs.parent.parent)
    assert shown(home) == [make_row(0)]


def test_rows_twice_in_one_file_are_one(home: Settings) -> None:
    put(home, [make_row(0, value=1.0), make_row(0, value=2.0)])
    assert [row.value for row in shown(home)] == [1.0]


def test_of_equals_it_does_not_matter_which_changed_last(home: Settings) -> None:
    put(home, [make_row(0, value=1.0)], name="a")
    put(home, [make_row(0, value=2.0)], name="b")
    assert [row.value for row in shown(home)] == [1.0]
    put(home, [make_row(0, value=1.0), make_row(9)], name="a")
    assert [row.value for row in shown(home)] == [1.0, make_row(9).value]


def given_by_cm(number: int, value: float, uid: str) -> dict[str, Any]:
    """A row of CM's own of the result that ``make_row`` makes of this number."""
    row = make_row(number)
    return {
        "version": row.round, "MlperfModel": row.benchmark, "Scenario": row.scenario, "Location": row.location,
        "Result": value, "Units": "Samples/s", "uid": uid,
    }  # fmt: skip


class Changes(RuleBasedStateMachine):
    """Files come, change and go, and so does the shipped table; following that gives what is made anew."""

    folder: Path
    tables: dict[str, Path]
    count = 0

    def __init__(self) -> None:
        super().__init__()
        Changes.count += 1
        self.home = Settings(Changes.folder / str(Changes.count))
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(store_module, "PUBLISHED", Changes.folder / f"{Changes.count}.parquet")

    def teardown(self) -> None:
        self.patch.undo()

    @rule(
        name=st.sampled_from("abc"),
        numbers=st.lists(st.integers(0, 3), max_size=3),
        kind=st.sampled_from(["submission", "cm", "summary"]),
        value=st.integers(0, 99),
    )
    def write(self, name: str, numbers: list[int], kind: str, value: int) -> None:
        path = put(self.home, [make_row(each, source_kind=kind, value=value) for each in numbers], name=name)
        if kind == "cm":
            path.write_text(json.dumps([given_by_cm(each, value, f"{name}{value}") for each in numbers]))

    @rule(name=st.sampled_from("abc"))
    def remove(self, name: str) -> None:
        shutil.rmtree(
            local_repository(self.home).root / "experiment" / f"mlperf-inference--all-{name}", ignore_errors=True
        )

    @rule(name=st.sampled_from("abc"))
    def spoil(self, name: str) -> None:
        put(self.home, [], name=name).write_text("[")

    @rule(table=st.sampled_from(["none", "few", "many"]))
    def publish(self, table: str) -> None:
        store_module.PUBLISHED.unlink(missing_ok=True)
        if table != "none":
            shutil.copyfile(Changes.tables[table], store_module.PUBLISHED)

    @invariant()
    def same_as_new(self) -> None:
        followed = everything(self.home)
        update(self.home, rebuild=True)
        assert followed == everything(self.home)


def published(home: Settings, path: Path, rows: list[Row]) -> Path:
    """A table as the one that comes with assay."""
    put(home, rows)
    with open_store(home) as store:
        write_rows_file(store, path)
    return path


def test_following_changes_gives_what_a_rebuild_gives(tmp_path: Path) -> None:
    Changes.folder = tmp_path
    Changes.tables = {
        name: published(
            Settings(tmp_path / name), tmp_path / f"{name}.parquet", [make_row(n, value=n) for n in numbers]
        )
        for name, numbers in (("few", [0]), ("many", [0, 1, 2, 9]))
    }
    run_state_machine_as_test(
        Changes, settings=hypothesis_settings(max_examples=4, stateful_step_count=5, deadline=None)
    )


# ---- the table that comes with assay


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table of three results."""
    path = published(Settings(tmp_path / "publisher"), tmp_path / "results.parquet", ROWS)
    monkeypatch.setattr(store_module, "PUBLISHED", path)
    return path


def test_what_comes_with_assay_is_there_without_any_file(home: Settings, shipped: Path) -> None:
    assert shown(home) == rows_by_uid(ROWS)
    with open_store(home) as store:
        assert store.status().files == {"": 1}


def test_cms_rows_of_shipped_results_only_tell_their_uid(home: Settings, shipped: Path) -> None:
    put(home, []).write_text(json.dumps([given_by_cm(number, 1.0, f"{number:016x}") for number in (0, 1, 7)] * 2))
    rows = {row.location: row for row in shown(home)}
    assert len(rows) == 4
    assert [rows[ROWS[n].location].cm_uid for n in range(3)] == [f"{0:016x}", f"{1:016x}", None]
    assert [rows[ROWS[n].location].value for n in range(3)] == [100.0, 101.0, 102.0]
    assert rows[make_row(7).location].source_kind == "cm"
    with open_store(home) as store:
        assert (store.status().rows, store.status().results) == (3 + 3, 4)
        assert store.results_in("local") == {"v3.0": 3}


def test_another_shipped_table_shows_what_it_does_not_know(home: Settings, shipped: Path, tmp_path: Path) -> None:
    put(home, []).write_text(json.dumps([given_by_cm(number, 1.0, "c") for number in (0, 1)]))
    assert len(shown(home)) == 3
    shipped.unlink()
    assert [(row.value, row.source_kind) for row in shown(home)] == [(1.0, "cm")] * 2
    published(Settings(tmp_path / "another"), shipped, [make_row(1, value=5.0)])
    assert sorted((row.value, row.source_kind) for row in shown(home)) == [(1.0, "cm"), (5.0, "submission")]


def test_raw_logs_of_ones_own_go_before_the_shipped_table(home: Settings, shipped: Path) -> None:
    put(home, [make_row(0, value=7.0), make_row(1, value=8.0, source_kind="summary")])
    assert sorted(row.value or 0 for row in shown(home)) == [7.0, 101.0, 102.0]


def test_a_shipped_table_that_is_damaged_is_told(home: Settings, shipped: Path) -> None:
    shipped.write_bytes(b"PAR1" + b"\0" * 100)
    with pytest.raises(MachineError, match="cannot be written"):
        update(home)
    assert not list(home.home.glob(".index-*"))


# ---- readers, writers, disks


def test_readers_go_on_while_a_writer_updates(home: Settings) -> None:
    put(home, ROWS)
    with open_store(home) as old:
        put(home, [make_row(7)], name="two")
        with open_store(home) as new:
            assert new.status().rows == 4 and old.status().rows == 3
            update(home, rebuild=True)
            assert old.run("SELECT count(*) FROM results").fetchone() == (3,)
        with open_store(home) as newest:
            assert newest.status().rows == 4
    with pytest.raises(duckdb.Error):
        old.status()


def test_a_reader_changes_nothing(home: Settings) -> None:
    put(home, ROWS)
    with open_store(home) as store:
        for statement in ("DELETE FROM rows", "DROP VIEW results", "CREATE TABLE x (a INTEGER)"):
            with pytest.raises(duckdb.Error):
                store.run(statement)


UPDATER = """
import sys
from pathlib import Path
from assay.base.settings import Settings
from assay.results import store
store.PUBLISHED = Path("no such table")
store.update(Settings(Path(sys.argv[1])), rebuild=sys.argv[2] == "rebuild")
with store.open_store(Settings(Path(sys.argv[1]))) as opened:
    print(opened.status().rows)
"""


def test_processes_that_update_at_once(home: Settings) -> None:
    for number in range(30):
        put(home, [make_row(number)], name=f"n{number}")
    running = [
        subprocess.Popen([sys.executable, "-c", UPDATER, str(home.home), how], stdout=subprocess.PIPE, text=True)
        for how in ("update", "rebuild", "update")
    ]
    for process in running:
        said, _ = process.communicate(timeout=120)
        assert (process.returncode, said.strip()) == (0, "30")
    assert not list(home.home.glob(".index-*"))


def test_threads_that_read_while_others_write(home: Settings) -> None:
    put(home, ROWS)
    counts: list[int] = []

    def reader() -> None:
        for _ in range(4):
            with open_store(home) as store:
                counts.append(store.status().rows)

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(reader) for _ in range(2)]
        for number in range(4):
            put(home, [make_row(10 + number)], name=f"n{number}")
            update(home)
        for each in readers:
            each.result(timeout=60)
    assert set(counts) <= set(range(3, 8)) and len(counts) == 8
    assert len(shown(home)) == 7


@pytest.mark.parametrize("where", ["copy", "rows", "database"])
def test_a_full_disk_is_told_and_leaves_the_old_index(
    home: Settings, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(home, ROWS)
    update(home)
    before = index(home).read_bytes()
    put(home, [make_row(5)], name="two")
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def fail(*_: Any, **__: Any) -> None:
        raise full if where != "database" else duckdb.IOException("could not write: No space left on device")

    if where == "copy":
        monkeypatch.setattr(shutil, "copyfile", fail)
    elif where == "rows":
        monkeypatch.setattr(store_module, "_lines", fail)
    else:
        monkeypatch.setattr(store_module._Writer, "_load", fail)
    with pytest.raises(MachineError, match="(?i)no space left"):
        update(home)
    monkeypatch.undo()
    assert index(home).read_bytes() == before and not list(home.home.glob(".index-*"))
    assert shown(home) == rows_by_uid([*ROWS, make_row(5)])


def test_a_store_answers_with_parameters(home: Settings) -> None:
    put(home, ROWS)
    with open_store(home) as store:
        assert isinstance(store, Store)
        (found,) = store.run("SELECT uid FROM results WHERE system = ?", ["box1"]).fetchall()
        assert found == (ROWS[1].uid,)
        assert store.run("SELECT uid FROM results WHERE system = ?", ["' OR true --"]).fetchall() == []


def test_a_path_with_a_quote(tmp_path: Path) -> None:
    home = Settings(tmp_path / 'it\'s ;-- "mine"')
    put(home, ROWS)
    assert shown(home) == rows_by_uid(ROWS)
