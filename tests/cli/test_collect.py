from __future__ import annotations

import json
import shutil
from pathlib import Path

from assay.base.settings import Settings
from assay.results.record import results_in

from .conftest import Call

LOGS = Path(__file__).parents[1] / "loadgen" / "data"


def test_logs_become_a_run_that_other_commands_know(results_home: Path, call: Call) -> None:
    code, out, err = call("collect", LOGS / "offline", "--benchmark", "resnet50", "--implementation", "mine", "--json")
    (record,) = json.loads(out)["runs"]
    assert code in (0, 1), err
    assert record["backend_name"] == "mine"
    assert record["labels"][-1] == "unseen-material" or "unseen-material" in record["labels"]
    code, out, _ = call("runs", "show", "last", "--json")
    assert json.loads(out)["id"] == record["id"]
    code, out, err = call("runs", "show", "last")
    assert "mine" in out, err


def test_an_accuracy_run_that_is_not_scored_says_so(results_home: Path, call: Call) -> None:
    _, _, err = call("collect", LOGS / "offline_accuracy", "--benchmark", "resnet50")
    assert "not scored: name the data with --dataset" in err


def test_logs_that_are_named_together_are_one_result(results_home: Path, call: Call) -> None:
    _, out, _ = call("collect", LOGS / "offline_accuracy", LOGS / "offline", "--benchmark", "resnet50", "--json")
    accuracy, performance = json.loads(out)["runs"]
    assert (accuracy["mode"], performance["mode"]) == ("accuracy", "performance")
    assert accuracy["group"] == performance["group"]
    assert len(results_in(Settings(home=results_home))) == 1


def test_a_tree_is_taken_as_far_as_it_goes(results_home: Path, call: Call, tmp_path: Path) -> None:
    place = tmp_path / "results" / "box" / "resnet50" / "Offline"
    shutil.copytree(LOGS / "offline", place / "performance" / "run_1")
    shutil.copytree(LOGS / "offline", place / "TEST05" / "performance" / "run_1")
    (shutil.copytree(LOGS / "singlestream", place.parent / "SingleStream") / "mlperf_log_summary.txt").unlink()
    code, out, _ = call("collect", tmp_path)
    assert code == 4
    assert "left out" in out
    assert "of compliance test TEST05" in out
    assert "refused" in out
    assert "no mlperf_log_summary.txt" in out
    code, out, _ = call("collect", tmp_path, "--json")
    again = json.loads(out)
    assert (code, again["runs"]) == (4, [])
    assert [each["run"] is not None for each in again["left_out"]] == [False, True, False]
    shutil.rmtree(place.parent / "SingleStream")
    code, _, _ = call("collect", tmp_path)
    assert code == 0


def test_mistakes_are_told(results_home: Path, call: Call) -> None:
    code, _, err = call("collect", results_home.parent, "--benchmark", "resnet50")
    assert code == 3
    assert "no LoadGen logs" in err
    code, _, err = call("collect", LOGS / "offline", "--benchmark", "resnet50", "--label", "fast")
    assert code == 2
    assert "short-run" in err
