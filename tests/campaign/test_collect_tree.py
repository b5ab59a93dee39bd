"""Trees of logs: nested, partial, damaged, doubled, closed; what can be taken is taken, and the rest is told."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from assay.base.progress import SILENT
from assay.base.settings import Settings
from assay.campaign import collect_tree
from assay.campaign.collect import Collection
from assay.campaign.collect_tree import Adopted, collect_all, named_by
from assay.errors import InvalidInputError, MachineError, NotFoundError, UsageError
from assay.loadgen.runs import RunCatalogue
from assay.results.record import results_in
from assay.rules.load import load_round

LOGS = Path(__file__).parents[1] / "loadgen" / "data"


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings(home=home, offline=True)


def lay(tree: Path, where: str, logs: str) -> Path:
    return Path(shutil.copytree(LOGS / logs, tree / where))


def take(settings: Settings, *folders: Path, benchmark: str | None = None) -> Adopted:
    return collect_all(Collection(folders[0], benchmark or ""), benchmark, folders, settings, SILENT)


def test_a_tree_of_many_runs_in_the_official_layout(settings: Settings, tmp_path: Path) -> None:
    tree = tmp_path / "closed" / "ACME" / "results" / "box"
    lay(tree, "resnet50/Offline/performance/run_1", "offline")
    lay(tree, "resnet50/Offline/accuracy", "offline_accuracy")
    lay(tree, "resnet50/SingleStream/performance/run_1", "singlestream")
    lay(tree, "retinanet/MultiStream/performance/run_1", "multistream")
    found = take(settings, tmp_path)
    assert found.left_out == []
    named = {(each.benchmark, each.scenario, each.mode): each.group for each in found.records}
    assert set(named) == {
        ("resnet", "Offline", "performance"),
        ("resnet", "Offline", "accuracy"),
        ("resnet", "SingleStream", "performance"),
        ("retinanet", "MultiStream", "performance"),
    }
    assert named["resnet", "Offline", "performance"] == named["resnet", "Offline", "accuracy"]
    assert len(set(named.values())) == 3
    assert len(results_in(settings)) == 3


def test_runs_in_no_layout_are_found_however_deep(settings: Settings, tmp_path: Path) -> None:
    lay(tmp_path, "a/b/c/d/e/f", "offline")
    lay(tmp_path, "a/b/x", "server")
    found = take(settings, tmp_path, benchmark="resnet50")
    assert {each.scenario for each in found.records} == {"Offline", "Server"}
    assert found.records[0].group != found.records[1].group


def test_one_run_inside_the_folder_of_another(settings: Settings, tmp_path: Path) -> None:
    lay(tmp_path, "outer", "offline")
    lay(tmp_path, "outer/older", "singlestream")
    found = take(settings, tmp_path, benchmark="resnet50")
    assert [each.scenario for each in found.records] == ["Offline", "SingleStream"]


def test_partial_and_damaged_logs_do_not_keep_the_others_back(settings: Settings, tmp_path: Path) -> None:
    lay(tmp_path, "good", "offline")
    (lay(tmp_path, "no_summary", "singlestream") / "mlperf_log_summary.txt").unlink()
    (lay(tmp_path, "no_detail", "server") / "mlperf_log_detail.txt").unlink()
    (lay(tmp_path, "no_answers", "singlestream_accuracy") / "mlperf_log_accuracy.json").unlink()
    detail = lay(tmp_path, "cut", "multistream") / "mlperf_log_detail.txt"
    detail.write_bytes(detail.read_bytes()[:2000])
    (lay(tmp_path, "rubbish", "server_slow") / "mlperf_log_detail.txt").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "only").mkdir()
    (tmp_path / "only" / "mlperf_log_accuracy.json").write_text("[]")
    found = take(settings, tmp_path, benchmark="resnet50")
    assert [each.scenario for each in found.records] == ["Offline"]
    why = {each.folder.name: each for each in found.refused}
    assert set(why) == {"no_summary", "no_detail", "no_answers", "cut", "rubbish", "only"}
    assert "no mlperf_log_summary.txt" in str(why["no_summary"].error)
    assert "no mlperf_log_detail.txt" in str(why["no_detail"].error)
    assert "without its log of responses" in why["no_answers"].why
    assert "cut off" in why["cut"].why
    assert len(RunCatalogue(settings.runs_dir).records()) == 1


def test_doubles_are_taken_once(settings: Settings, tmp_path: Path) -> None:
    lay(tmp_path, "a", "offline")
    lay(tmp_path, "b", "offline")
    first = take(settings, tmp_path, benchmark="resnet50")
    assert len(first.records) == 1
    assert [(each.folder.name, each.known) for each in first.left_out] == [("b", first.records[0].id)]
    again = take(settings, tmp_path, benchmark="resnet50")
    assert again.records == []
    assert {each.known for each in again.left_out} == {first.records[0].id}
    assert again.refused == []


def test_what_is_no_run_of_its_own_is_left_out(settings: Settings, tmp_path: Path) -> None:
    lay(tmp_path, "resnet50/Offline/TEST01/performance/run_1", "offline")
    lay(tmp_path, "resnet50/Offline/performance/ranging", "singlestream")
    lay(tmp_path, "resnet50/Offline/performance/run_1", "offline_short")
    found = take(settings, tmp_path)
    assert len(found.records) == 1
    assert [each.why.partition(" ")[0] for each in found.left_out] == ["of", "the"]
    assert found.refused == []


def test_what_the_round_does_not_have_is_told(settings: Settings, tmp_path: Path) -> None:
    lay(tmp_path, "dlrm-v2-99/SingleStream", "singlestream")
    lay(tmp_path, "something/Offline", "offline")
    found = take(settings, tmp_path)
    assert found.records == []
    assert "has no SingleStream" in found.left_out[0].why
    assert "no folder of the path is named after a benchmark" in found.left_out[1].why


def test_links_lead_nowhere(settings: Settings, tmp_path: Path) -> None:
    outside = lay(tmp_path, "outside", "offline")
    tree = tmp_path / "tree"
    lay(tree, "own", "server")
    (tree / "link").symlink_to(outside, target_is_directory=True)
    (tree / "own2").mkdir()
    for name in ("mlperf_log_detail.txt", "mlperf_log_summary.txt"):
        (tree / "own2" / name).symlink_to(outside / name)
    found = take(settings, tree, benchmark="resnet50")
    assert [each.scenario for each in found.records] == ["Server"]
    assert [each.why for each in found.refused] == ["a link in place of a log"]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_a_closed_folder_is_told(settings: Settings, tmp_path: Path) -> None:
    lay(tmp_path, "open", "offline")
    closed = lay(tmp_path, "shut", "server")
    closed.chmod(0)
    try:
        found = take(settings, tmp_path, benchmark="resnet50")
    finally:
        closed.chmod(0o755)
    assert len(found.records) == 1
    assert isinstance(found.refused[0].error, MachineError)


def test_a_folder_that_was_named_is_taken_or_refused(settings: Settings, tmp_path: Path) -> None:
    one, two = lay(tmp_path, "one", "offline"), lay(tmp_path, "two", "offline_accuracy")
    found = take(settings, one, two, benchmark="resnet50")
    assert found.records[0].group == found.records[1].group
    with pytest.raises(UsageError, match="a run here already"):
        take(settings, one, benchmark="resnet50")
    with pytest.raises(NotFoundError, match="no such folder"):
        take(settings, tmp_path / "nowhere", benchmark="resnet50")
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFoundError, match="no LoadGen logs"):
        take(settings, tmp_path / "empty", benchmark="resnet50")


def test_a_tree_without_end_is_refused(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect_tree, "_MOST_FOLDERS", 5)
    for number in range(6):
        (tmp_path / "tree" / str(number)).mkdir(parents=True)
    with pytest.raises(InvalidInputError, match="the tree is too large"):
        take(settings, tmp_path / "tree", benchmark="resnet50")


def test_the_folder_nearest_to_the_logs_names_the_benchmark() -> None:
    round_ = load_round("v3.1")
    assert named_by(Path("/data/bert-99/ResNet50/Offline"), round_) == "resnet"
    with pytest.raises(UsageError, match="--benchmark"):
        named_by(Path("/data/Offline"), round_)
