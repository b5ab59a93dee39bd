from __future__ import annotations

from pathlib import Path

import pytest

from assay.rules.model import Scenario
from assay.submission.building.choose import choose
from assay.submission.building.layout import Layout, lay_out
from assay.submission.building.run import taken_runs
from assay.submission.truncate.cut import recorded_hash, shortened

from .made import Home, full_home, make_home, wish


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return full_home(tmp_path / "home", [Scenario.OFFLINE])


def laid(home: Home, **changes: object) -> Layout:
    taken, _ = taken_runs(home.runs)
    asked = wish(**changes)
    return lay_out([(choose(taken, home.round, asked).entries, asked)], home.round, home.assets)


def test_a_long_accuracy_log_is_cut_as_the_tool_does_and_its_hash_kept(home: Home) -> None:
    layout = laid(home)
    place = "closed/Acme/results/box/resnet/Offline/accuracy"
    (run,) = (each for each in home.runs.records() if each.mode == "accuracy")
    log = home.runs.folder / run.id / "mlperf_log_accuracy.json"
    assert log.stat().st_size > 10240
    assert layout.pieces[f"{place}/mlperf_log_accuracy.json"].data == shortened(str(log))
    text = layout.pieces[f"{place}/accuracy.txt"].data
    assert text is not None and recorded_hash(text) == run.logs["mlperf_log_accuracy.json"]
    assert text.count(b"hash=") == 1


def test_the_log_of_test01_is_cut_too(home: Home) -> None:
    place = "closed/Acme/compliance/box/resnet/Offline/TEST01/accuracy"
    pieces = laid(home).pieces
    content, text = (pieces[f"{place}/{name}"].data for name in ("mlperf_log_accuracy.json", "accuracy.txt"))
    assert content is not None and len(content) < 10240
    assert text is not None and recorded_hash(text) is not None


def test_a_log_that_was_changed_after_the_run_is_not_taken(home: Home) -> None:
    record = home.runs.records()[0]
    folder = home.runs.folder / record.id
    (folder / "mlperf_log_detail.txt").write_text("better\n", encoding="utf-8")
    (folder / "mlperf_log_summary.txt").unlink()
    told = [each.what for each in laid(home).missing]
    assert f"mlperf_log_detail.txt of {record.id} is not what LoadGen wrote" in told
    assert f"mlperf_log_summary.txt of {record.id} is not there" in told


def test_links_in_a_compliance_folder_lead_nowhere(home: Home, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    folder = next(home.runs.folder.glob("*/compliance/TEST04"))
    (folder / "more.txt").symlink_to(tmp_path / "secret")
    assert not [path for path in laid(home).pieces if path.endswith("more.txt")]


def test_inferred_results_hold_copies_of_the_logs(tmp_path: Path) -> None:
    home = full_home(tmp_path / "home", [Scenario.SINGLE_STREAM])
    pieces = laid(home).pieces
    base = "closed/Acme/{}/box/resnet/Offline/"
    assert pieces[base.format("results") + "performance/run_1/mlperf_log_detail.txt"].source is not None
    assert base.format("measurements") + "box_onnxruntime_Offline.json" in pieces
    readme = pieces[base.format("measurements") + "README.md"].data
    assert readme is not None and b"inferred" in readme
    assert base.format("compliance") + "TEST05/performance/run_1/mlperf_log_detail.txt" in pieces


def test_the_settings_of_the_run_itself_go_before_the_rounds(home: Home) -> None:
    for record in home.runs.records():
        (home.runs.folder / record.id / "mlperf.conf").write_text("# its own\n")
        (home.runs.folder / record.id / "user.conf").unlink()
    layout = laid(home)
    conf = layout.pieces["closed/Acme/measurements/box/resnet/Offline/mlperf.conf"]
    assert conf.source is not None and conf.source.read_text() == "# its own\n"
    assert any("user.conf" in each.what for each in layout.missing)


def test_files_are_sorted_by_their_paths(tmp_path: Path) -> None:
    layout = laid(full_home(tmp_path / "other"))
    paths = [piece.path for piece in layout.sorted()]
    assert paths == sorted(paths) and len(paths) == len(set(paths))
    assert not laid(make_home(tmp_path / "empty")).missing


def test_the_manifest_of_a_program_of_others_goes_with_it(tmp_path: Path) -> None:
    of = {"implementation": "mine", "name": "Mine"}
    home = full_home(tmp_path / "home", [Scenario.OFFLINE], backend=of, backend_name="mine")
    for folder in home.runs.folder.iterdir():
        (folder / "implementation.yaml").write_text("name: mine\n")
    layout = laid(home)
    piece = layout.pieces["closed/Acme/code/resnet/mine/implementation.yaml"]
    assert piece.source is not None and piece.source.read_text() == "name: mine\n"
    assert "closed/Acme/measurements/box/resnet/Offline/box_mine_Offline.json" in layout.pieces
