from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.cli.check_view import csv_text
from assay.cm.registry import Registry
from assay.cm.repository import create_repository, local_repository
from assay.errors import InvalidInputError, NotFoundError, UsageError
from assay.loadgen.names import DETAIL
from assay.results.exchange import write_rows_file
from assay.results.importers.source import Source
from assay.results.importing import Given, Kind, import_source, kind_of, read_source
from assay.results.model import Origin
from assay.results.row import Row
from assay.results.store import open_store
from assay.submission.check import check

from ..submission.smalltree import build, change_log
from .importers.trees import REPOSITORY, cm_rows, make_tree
from .rows import fields_of, shown

pytestmark = pytest.mark.usefixtures("nothing_published")
OFFICIAL = Given(repository=REPOSITORY, commit="a" * 40, jobs=1)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("submission") / "tree"
    make_tree(root)
    return root


@pytest.fixture(scope="module")
def summary(tree: Path) -> str:
    """What ``assay check --csv`` writes of the tree."""
    return csv_text(check(tree, "v3.0", jobs=1))


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "home")


def cm_repository(path: Path, summary: str, *, split: bool = False) -> Path:
    """A repository as CM's importer leaves one, with a copy of everything in experiments for all rounds."""
    create_repository(path, "mlcommons@cm4mlperf-results")
    for name in ("all", "v3.0"):
        folder = (
            path / "experiment" / f"mlperf-inference--{name}--edge--closed--x--offline" / "2023-04-05.06-07-08.000009"
        )
        folder.mkdir(parents=True)
        (folder / "cm-result.json").write_text(json.dumps(cm_rows(summary, split=split)))
    return path


# ---- what a path is


def test_what_a_path_is(tree: Path, summary: str, tmp_path: Path, home: Settings) -> None:
    (tmp_path / "summary.csv").write_text(summary)
    assert kind_of(tree) is Kind.TREE
    assert kind_of(tmp_path / "summary.csv") is Kind.SUMMARY
    assert kind_of(cm_repository(tmp_path / "cm", summary)) is Kind.REPOSITORY
    assert kind_of(tree / "closed/Zeta/results/box/resnet50/Server/performance/run_1") is Kind.RUN
    with open_store(home) as store:
        write_rows_file(store, tmp_path / "rows.parquet")
    assert kind_of(tmp_path / "rows.parquet") is Kind.ROWS


def test_what_a_path_is_not(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        kind_of(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").write_text("x")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "closed").write_text("a file where a folder should be")
    for path in (tmp_path, tmp_path / "empty", tmp_path / "text", tmp_path / "pipe"):
        with pytest.raises(InvalidInputError, match="nothing that can be imported") as caught:
            kind_of(path)
        assert "submission tree" in str(caught.value.expected)


# ---- a tree


def test_a_tree_becomes_rows_of_the_local_repository(tree: Path, home: Settings) -> None:
    done = import_source(tree, OFFICIAL, home)
    assert (done.kind, done.rounds, done.source) == (
        Kind.TREE, {"v3.0": 8}, Source("inference_results_v3.0", REPOSITORY, "a" * 40, official=True),
    )  # fmt: skip
    assert done.written is not None and (done.written.rows, done.written.changed, done.written.removed) == (8, 8, 0)
    assert done.report is not None and done.report.round == "v3.0"
    assert done.repository == local_repository(home)
    rows = shown(home)
    assert len(rows) == 8 and {row.origin for row in rows} == {Origin.OFFICIAL}


def test_a_tree_again_changes_nothing_and_is_answered_from_the_cache(tree: Path, home: Settings) -> None:
    first = import_source(tree, OFFICIAL, home)
    again = import_source(tree, OFFICIAL, home)
    assert again.written is not None and again.written.changed == 0
    assert first.report is not None and first.report.reused == 0
    assert again.report is not None and again.report.reused == again.report.systems == 3
    assert len(shown(home)) == 8


def test_a_result_that_is_gone_from_the_tree_goes(tree: Path, home: Settings, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tree, copy)
    import_source(copy, OFFICIAL, home)
    shutil.rmtree(copy / "open")
    import_source(copy, OFFICIAL, home)
    assert {row.division for row in shown(home)} == {"closed"} and len(shown(home)) == 5


def test_the_round_is_guessed_or_said(tree: Path, home: Settings, tmp_path: Path) -> None:
    source, round_, rows, report = read_source(tree, Given(round="v3.1", jobs=1), home)
    assert (round_, {row.round for row in rows}) == ("v3.1", {"v3.1"}) and report is not None
    assert not source.official and source.place == str(tree)
    other = build(tmp_path / "other", "v2.1", division="open")
    assert read_source(other.root, Given(jobs=1), home)[1] == "v2.1"
    for scenario in ("SingleStream", "MultiStream", "Offline"):
        change_log(other.run_log(scenario), effective_qsl_rng_seed=7)
    with pytest.raises(InvalidInputError, match="no log shows the seeds"):
        read_source(other.root, Given(jobs=1), home)
    with pytest.raises(NotFoundError, match="v9.9"):
        read_source(tree, Given(round="v9.9"), home)
    with pytest.raises(UsageError, match="repository"):
        read_source(tree, Given(repository="ftp://x"), home)


def test_two_trees_of_one_name_are_two_imports(tmp_path: Path, home: Settings) -> None:
    for name in ("a", "b"):
        made = build(tmp_path / name / "submission", "v3.0", division="open")
        made.submitter.rename(made.submitter.with_name(f"Org-{name}"))
        import_source(tmp_path / name / "submission", Given(jobs=1), home)
    assert {row.organisation for row in shown(home)} == {"Org-a", "Org-b"} and len(shown(home)) == 6


# ---- the other roads, and all of them together


def test_a_summary(summary: str, home: Settings, tmp_path: Path) -> None:
    (tmp_path / "summary.csv").write_text(summary)
    done = import_source(tmp_path / "summary.csv", OFFICIAL, home)
    assert (done.kind, done.rounds, done.report) == (Kind.SUMMARY, {"v3.0": 7}, None)
    assert {row.source_kind for row in shown(home)} == {"summary"}


def test_a_summary_beside_its_tree_takes_nothing_from_it(
    tree: Path, summary: str, home: Settings, tmp_path: Path
) -> None:
    (tmp_path / "summary.csv").write_text(summary)
    for order in ((tree, tmp_path / "summary.csv"), (tmp_path / "summary.csv", tree)):
        for path in order:
            import_source(path, OFFICIAL, home)
        assert {row.source_kind for row in shown(home)} == {"submission"} and len(shown(home)) == 8


@pytest.mark.parametrize("split", [False, True], ids=["v3.0", "v4.x"])
def test_a_repository_of_cm_is_read_where_it_lies(summary: str, home: Settings, tmp_path: Path, split: bool) -> None:
    path = cm_repository(tmp_path / "cm", summary, split=split)
    before = {each: each.stat().st_mtime_ns for each in path.rglob("*") if each.is_file()}
    done = import_source(path, Given(), home)
    assert done.kind is Kind.REPOSITORY and done.written is None
    assert done.repository.alias == "mlcommons@cm4mlperf-results"
    assert {each: each.stat().st_mtime_ns for each in path.rglob("*") if each.is_file()} == before
    # Once each, though every row lies there four times.
    assert len(shown(home)) == 7 and {row.source_kind for row in shown(home)} == {"cm"}
    import_source(path, Given(), home)
    assert len(shown(home)) == 7 and len(Registry(home).repositories()[0]) == 1


def test_all_roads_at_once_give_each_result_once(tree: Path, summary: str, home: Settings, tmp_path: Path) -> None:
    import_source(tree, OFFICIAL, home)
    alone = {row.uid: row for row in shown(home)}
    (tmp_path / "summary.csv").write_text(summary)
    import_source(tmp_path / "summary.csv", OFFICIAL, home)
    import_source(cm_repository(tmp_path / "cm", summary), Given(), home)
    together = {row.uid: row for row in shown(home)}
    assert set(together) == set(alone)
    for uid, row in together.items():
        # The raw logs' row, and the uid that CM knows it by.
        assert fields_of(row, "cm_uid") == fields_of(alone[uid], "cm_uid")
        assert (row.cm_uid is not None) == bool(row.official)
    with open_store(home) as store:
        assert (store.status().rows, store.status().results) == (8 + 7 + 7, 8)


def test_a_run(tree: Path, home: Settings, tmp_path: Path) -> None:
    folder = tree / "closed/Zeta/results/box/resnet50/Server/performance/run_1"
    system = tree / "closed/Zeta/systems/box.json"
    given = Given(round="v3.0", benchmark="resnet50", organisation="Me", system=system, division="closed")
    done = import_source(folder, given, home)
    assert (done.kind, done.rounds) == (Kind.RUN, {"v3.0": 1})
    (row,) = shown(home)
    assert (row.value, row.organisation, row.division, row.origin) == (987.25, "Me", "closed", Origin.LOCAL)
    with pytest.raises(UsageError, match="which benchmark"):
        import_source(folder, Given(), home)
    # Another run in a folder of the same name is another import.
    other = tmp_path / "run_1"
    shutil.copytree(folder, other)
    change_log(other / DETAIL, result_scheduled_samples_per_sec=5.0)
    import_source(other, given, home)
    assert sorted(row.value or 0 for row in shown(home)) == [5.0, 987.25]
    change_log(other / DETAIL, result_scheduled_samples_per_sec=6.0)
    import_source(other, given, home)
    assert sorted(row.value or 0 for row in shown(home)) == [6.0, 987.25]


def test_a_table_of_rows_from_another_home(tree: Path, home: Settings, tmp_path: Path) -> None:
    import_source(tree, OFFICIAL, home)
    with open_store(home) as store:
        write_rows_file(store, tmp_path / "rows.parquet")
    other = Settings(tmp_path / "other")
    done = import_source(tmp_path / "rows.parquet", Given(), other)
    assert (done.kind, done.rounds) == (Kind.ROWS, {"v3.0": 8})
    assert shown(other) == shown(home)
    again = import_source(tmp_path / "rows.parquet", Given(), other)
    assert again.written is not None and again.written.changed == 0


def test_rows_can_go_to_another_repository(tree: Path, home: Settings, tmp_path: Path) -> None:
    target = create_repository(tmp_path / "mine", "me@mine")
    done = import_source(tree, OFFICIAL, home, target=target)
    assert done.repository == target and shown(home) == []
    Registry(home).add(target.path)
    rows: list[Row] = shown(home)
    assert len(rows) == 8


def test_names_that_are_no_text_survive_the_whole_way(home: Settings, tmp_path: Path) -> None:
    made = build(tmp_path / os.fsdecode(b"tree\xff"), "v3.0", division="open")
    for kind in ("results", "measurements"):
        (made.submitter / kind / "box").rename(made.submitter / kind / os.fsdecode(b"b\xffx"))
    made.system_json.rename(made.system_json.with_name(os.fsdecode(b"b\xffx.json")))
    done = import_source(made.root, Given(jobs=1), home)
    assert done.source.name == "tree?" and {row.system for row in shown(home)} == {"b?x"}
    # What the checker writes of it is the same results by the other road.
    path = tmp_path / "summary.csv"
    path.write_bytes(csv_text(check(made.root, "v3.0", jobs=1)).encode("utf-8", "surrogateescape"))
    rows = read_source(path, Given(), home)[2]
    assert {row.uid for row in rows} <= {row.uid for row in shown(home)} and len(rows) == 3
