from __future__ import annotations

import errno
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import assay.base.files as files_module
from assay.base.settings import Settings
from assay.cm.artifact import EXPERIMENT
from assay.cm.names import Name, TagQuery, check_alias
from assay.cm.repository import Repository, local_repository
from assay.errors import MachineError
from assay.results import experiments
from assay.results.experiments import INPUT_FILE, RESULT_FILE, Written, alias_of, import_key, tags_of, write_rows
from assay.results.importers.source import Source
from assay.results.model import Origin
from assay.results.row import Row

from ..submission.trees import killed_at
from .rows import SOURCE, make_row, rows_by_uid, shown

pytestmark = pytest.mark.usefixtures("nothing_published")
OTHER = Source("inference_results_v2.1", "https://example.org/inference_results_v2.1", official=True)
ROWS = [
    make_row(0),
    make_row(1),
    make_row(0, scenario="Server", category=("datacenter",), task="language"),
    make_row(0, division="open", power=True, power_value=5.0, power_unit="Watts"),
]


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "home")


@pytest.fixture
def repository(home: Settings) -> Repository:
    return local_repository(home)


def state(repository: Repository) -> dict[str, tuple[int, bytes]]:
    """Time of change and content of every file but the lock."""
    return {
        path.relative_to(repository.path).as_posix(): (path.stat().st_mtime_ns, path.read_bytes())
        for path in repository.path.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    }


def kept(repository: Repository) -> list[Row]:
    """Rows that lie in the repository, whoever wrote them."""
    import msgspec

    found = []
    for path in sorted(repository.path.rglob(RESULT_FILE)):
        found += [msgspec.convert(each["assay_row"], Row) for each in json.loads(path.read_text())]
    return sorted(found, key=lambda row: row.uid)


# ---- names


def test_names_of_experiments_are_those_of_cm() -> None:
    assert alias_of(ROWS[0]) == "mlperf-inference--v3.0--edge--closed--image-classification--Offline".lower()
    assert alias_of(ROWS[3]) == "mlperf-inference--v3.0--edge--open-power--image-classification--offline"
    assert alias_of(make_row(origin=Origin.LOCAL)).startswith("local--mlperf-inference--v3.0--")
    assert alias_of(make_row(category=(), task=None)) == "mlperf-inference--v3.0--unknown--closed--resnet--offline"
    assert alias_of(make_row(category=("datacenter", "edge"))) == alias_of(make_row(category=("datacenter",)))


def test_tags_of_experiments() -> None:
    assert tags_of(ROWS[:2]) == (
        "mlperf", "inference", "mlperf-inference", "v3.0", "edge", "closed", "image-classification", "offline",
    )  # fmt: skip
    assert "power" in tags_of(ROWS[3:]) and "local" in tags_of([make_row(origin=Origin.LOCAL)])


_WORD = st.text(max_size=80)


@example("", "", ".", "", None, ())
@given(_WORD, _WORD, _WORD, _WORD, st.none() | _WORD, st.lists(_WORD, max_size=2).map(tuple))
def test_any_row_has_an_alias_and_tags_that_can_be_some(
    round_: str, benchmark: str, scenario: str, division: str, task: str | None, category: tuple[str, ...]
) -> None:
    row = make_row(
        round=round_, benchmark=benchmark, scenario=scenario, division=division, task=task, category=category,
        location="x",
    )  # fmt: skip
    assert check_alias(alias_of(row)) == alias_of(row) and len(alias_of(row).encode()) <= 200
    assert not any("," in tag or " " in tag for tag in tags_of([row]))


def test_what_names_an_import() -> None:
    assert import_key(SOURCE, "v3.0") == import_key(Source("other", SOURCE.repository, "b" * 40), "v3.0")
    keys = {import_key(SOURCE, "v3.0"), import_key(SOURCE, "v3.1"), import_key(OTHER, "v3.0"),
            import_key(Source("run_1", place="/a/run_1"), "v3.0"), import_key(Source("run_1", place="/b/run_1"), "v3.0"),
            import_key(Source("run_1"), "v3.0"), import_key(Source("\udcff"), "v3.0")}  # fmt: skip
    assert len(keys) == 7


# ---- writing


def test_rows_lie_in_experiments_as_cm_has_them(repository: Repository) -> None:
    assert write_rows(repository, ROWS, SOURCE, "v3.0") == Written(rows=4, experiments=3, changed=3, removed=0)
    artifact = repository.load(EXPERIMENT, Name(alias_of(ROWS[0])))
    assert artifact.tags == tags_of(ROWS[:2])
    (folder,) = [path for path in artifact.path.iterdir() if path.is_dir()]
    assert time.strptime(folder.name[:19], "%Y-%m-%d.%H-%M-%S") and len(folder.name) == 26
    said = json.loads((folder / INPUT_FILE).read_text())
    assert said["action"] == "import" and said["assay_import"]["repository"] == SOURCE.repository
    raw = (folder / RESULT_FILE).read_text()
    lines = json.loads(raw)
    assert raw == json.dumps(lines, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    assert [each["Location"] for each in lines] == [ROWS[0].location, ROWS[1].location]
    assert lines[0]["MlperfModel"] == "resnet" and lines[0]["Result"] == 100.0
    assert kept(repository) == rows_by_uid(ROWS)


def test_the_index_shows_what_was_written(home: Settings, repository: Repository) -> None:
    write_rows(repository, ROWS, SOURCE, "v3.0")
    assert shown(home) == rows_by_uid(ROWS)


def test_the_same_again_changes_not_a_byte_and_not_a_time(repository: Repository) -> None:
    write_rows(repository, ROWS, SOURCE, "v3.0")
    before = state(repository)
    assert write_rows(repository, ROWS[::-1], SOURCE, "v3.0") == Written(4, 3, changed=0, removed=0)
    assert state(repository) == before


def test_only_what_changed_is_written(repository: Repository) -> None:
    write_rows(repository, ROWS, SOURCE, "v3.0")
    before = state(repository)
    again = write_rows(repository, [*ROWS[:3], make_row(0, division="open", power=True, value=7.0)], SOURCE, "v3.0")
    assert (again.changed, again.removed) == (1, 0)
    after = state(repository)
    assert set(before) == set(after)
    assert [name for name in before if before[name] != after[name]] == [
        name for name in before if "open-power" in name and name.endswith(RESULT_FILE)
    ]


def test_a_smaller_import_takes_rows_away(repository: Repository) -> None:
    write_rows(repository, ROWS, SOURCE, "v3.0")
    assert write_rows(repository, ROWS[:1], SOURCE, "v3.0") == Written(1, 1, changed=1, removed=2)
    assert kept(repository) == ROWS[:1]
    assert [artifact.alias for artifact in repository.find(EXPERIMENT)] == [alias_of(ROWS[0])]
    assert write_rows(repository, [], SOURCE, "v3.0").removed == 1
    assert kept(repository) == [] and repository.find(EXPERIMENT) == []
    assert write_rows(repository, ROWS, SOURCE, "v3.0").changed == 3


def test_imports_side_by_side_leave_each_other_alone(repository: Repository) -> None:
    theirs = [make_row(9), make_row(8, division="open", power=True)]
    write_rows(repository, ROWS, SOURCE, "v3.0")
    write_rows(repository, theirs, OTHER, "v3.0")
    write_rows(repository, [make_row(7)], SOURCE, "v3.1")
    assert kept(repository) == rows_by_uid([*ROWS, *theirs, make_row(7)])
    write_rows(repository, [], SOURCE, "v3.0")
    assert kept(repository) == rows_by_uid([*theirs, make_row(7)])


def test_what_others_put_there_stays(repository: Repository) -> None:
    write_rows(repository, ROWS, SOURCE, "v3.0")
    artifact = repository.load(EXPERIMENT, Name(alias_of(ROWS[3])))
    mine = artifact.path / "2020-01-01.00-00-00.000000" / RESULT_FILE
    mine.parent.mkdir()
    mine.write_text('[{"Result": 1}]')
    (mine.parent / INPUT_FILE).write_text('{"assay_import": {"key": ["other"]}}')
    broken = artifact.path / "2020-01-02.00-00-00.000000" / INPUT_FILE
    broken.parent.mkdir()
    broken.write_text("{")
    write_rows(repository, ROWS[:3], SOURCE, "v3.0")
    assert mine.read_text() == '[{"Result": 1}]' and broken.exists()
    assert {path.name for path in artifact.path.iterdir() if path.is_dir()} == {mine.parent.name, broken.parent.name}


def test_two_imports_in_one_second_have_two_folders(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    class Frozen(experiments.datetime):  # type: ignore[name-defined,misc]
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return cls(2024, 1, 1, tzinfo=tz)

    monkeypatch.setattr(experiments, "datetime", Frozen)
    monkeypatch.setattr(experiments, "import_key", lambda source, round_: f"{int(source.name):016x}")
    write_rows(repository, [make_row(0)], Source("7"), "v3.0")
    write_rows(repository, [make_row(1)], Source("1000007"), "v3.0")
    assert kept(repository) == rows_by_uid([make_row(0), make_row(1)])


# ---- full disks, deaths, others


def test_a_full_disk_is_told_and_leaves_the_old_state(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    write_rows(repository, ROWS, SOURCE, "v3.0")
    before = state(repository)
    real = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if RESULT_FILE in path.name:
            real(path, data[:10])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return real(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(MachineError, match="no space left"):
        write_rows(repository, [make_row(0, value=1.0), *ROWS[1:]], SOURCE, "v3.0")
    monkeypatch.undo()
    assert state(repository) == before


@pytest.mark.parametrize("number", range(1, 9))
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_whoever_dies_can_do_it_again(tmp_path: Path, number: int, after: bool) -> None:
    repository = local_repository(Settings(tmp_path / "home"))
    first = [*ROWS, make_row(5, scenario="MultiStream"), make_row(6, scenario="SingleStream")]
    second = [make_row(0, value=1.0), make_row(2), *ROWS[2:3], make_row(3, task="new")]
    write_rows(repository, first, SOURCE, "v3.0")
    with killed_at(number, after=after):
        write_rows(repository, second, SOURCE, "v3.0")
    # What is there is whole, the old or the new.
    assert {row.uid for row in kept(repository)} <= {row.uid for row in (*first, *second)}
    write_rows(repository, second, SOURCE, "v3.0")
    assert kept(repository) == rows_by_uid(second)
    fresh = local_repository(Settings(tmp_path / "fresh"))
    write_rows(fresh, second, SOURCE, "v3.0")
    assert {artifact.alias for artifact in repository.find(EXPERIMENT)} == {
        artifact.alias for artifact in fresh.find(EXPERIMENT)
    }


def test_rows_are_gone_before_what_tells_whose_they_were(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Removing a folder takes files in any order; nobody's rows would stay for ever."""
    write_rows(repository, ROWS, SOURCE, "v3.0")

    def half(path: Path, ignore_errors: bool = False) -> None:
        (Path(path) / INPUT_FILE).unlink(missing_ok=True)
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", half)
    with pytest.raises(KeyboardInterrupt):
        write_rows(repository, ROWS[:1], SOURCE, "v3.0")
    monkeypatch.undo()
    write_rows(repository, ROWS[:1], SOURCE, "v3.0")
    assert kept(repository) == ROWS[:1]


IMPORTER = """
import sys
from pathlib import Path
from assay.base.settings import Settings
from assay.cm.repository import local_repository
from assay.results.experiments import write_rows
from assay.results.importers.source import Source
from assay.results.row import Row, uid_of

home, name = Path(sys.argv[1]), sys.argv[2]
def row(number):
    place = f"closed/{name}/results/box{number}/resnet/Offline"
    return Row(uid=uid_of("v3.0", place, "resnet", "Offline"), round="v3.0", benchmark="resnet", scenario="Offline",
               division="closed", location=place, category=("edge",), task=f"task{number % 7}", organisation=name)
for size in (20, 40):
    write_rows(local_repository(Settings(home)), [row(n) for n in range(size)], Source(name), "v3.0")
"""


def test_processes_at_once_lose_nothing(home: Settings) -> None:
    names = ["one", "two", "two"]
    running = [
        subprocess.Popen([sys.executable, "-c", IMPORTER, str(home.home), name], stderr=subprocess.PIPE, text=True)
        for name in names
    ]
    for process in running:
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
    repository = local_repository(home)
    rows = kept(repository)
    assert len(rows) == 80 and len({row.uid for row in rows}) == 80
    assert len(list(repository.path.rglob(RESULT_FILE))) == 14
    assert not list(repository.path.rglob("*.part"))


def test_a_process_that_is_killed_leaves_no_half(home: Settings) -> None:
    """Killed at any moment, the next import finds its way."""
    repository = local_repository(home)
    for wait in (0.35, 0.5):
        process = subprocess.Popen([sys.executable, "-c", IMPORTER, str(home.home), "one"], stderr=subprocess.DEVNULL)
        time.sleep(wait)
        process.kill()
        process.wait()
        kept(repository)
    subprocess.run([sys.executable, "-c", IMPORTER, str(home.home), "one"], check=True, timeout=120)
    assert len(kept(repository)) == 40
    assert len(list(repository.path.rglob(RESULT_FILE))) == 7


def test_a_repository_that_somebody_else_writes_to_is_waited_for(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    real = files_module.locked

    def counted(path: Path, *, timeout_s: float = -1) -> Any:
        asked.append(timeout_s)
        return real(path, timeout_s=timeout_s)

    monkeypatch.setattr("assay.cm.repository.locked", counted)
    write_rows(repository, ROWS, SOURCE, "v3.0")
    assert asked == [600]


READER = """
import json
import cmind

def ask(action, **more):
    answer = cmind.access({"action": action, "automation": "experiment,a0a2d123ef064bcb", "common": True, **more})
    assert answer["return"] == 0, answer
    return answer

found = ask("search", tags="mlperf-inference,v3.0,-open")["list"]
loaded = ask("load", artifact="local:" + found[0].meta["alias"])
print(json.dumps([sorted(a.meta["alias"] for a in found), loaded["path"], loaded["meta"]]))
"""


@pytest.mark.skipif(importlib.util.find_spec("cmind") is None, reason="cmind is not installed")
def test_cm_finds_what_was_written(home: Settings, repository: Repository) -> None:
    write_rows(repository, ROWS, SOURCE, "v3.0")
    (home.home / "repos.json").write_text("[]")
    environment = {**os.environ, "CM_REPOS": str(home.home)}
    done = subprocess.run(
        [sys.executable, "-c", READER], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    aliases, path, meta = json.loads(done.stdout.strip().splitlines()[-1])
    assert aliases == sorted({alias_of(ROWS[0]), alias_of(ROWS[2])})
    assert meta["tags"][:3] == ["mlperf", "inference", "mlperf-inference"]
    # As CM's own scripts do: every folder with a file of rows.
    (rows,) = [json.loads(file.read_text()) for file in Path(path).glob(f"*/{RESULT_FILE}")]
    assert rows[0]["uid"] and rows[0]["Result"] is not None
    assert repository.find(EXPERIMENT, tags=TagQuery.parse("mlperf-inference,-open"))
