from __future__ import annotations

import json
from pathlib import Path

from assay.base.settings import Settings
from assay.results.record import results_in

from .conftest import Call

LOGS = Path(__file__).parents[1] / "loadgen" / "data"


def test_logs_become_a_run_that_other_commands_know(results_home: Path, call: Call) -> None:
    code, out, err = call("collect", LOGS / "offline", "--benchmark", "resnet50", "--implementation", "mine", "--json")
    (record,) = json.loads(out)
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
    accuracy, performance = json.loads(out)
    assert (accuracy["mode"], performance["mode"]) == ("accuracy", "performance")
    assert accuracy["group"] == performance["group"]
    assert len(results_in(Settings(home=results_home))) == 1


def test_mistakes_are_told(results_home: Path, call: Call) -> None:
    code, _, err = call("collect", results_home, "--benchmark", "resnet50")
    assert code == 3
    assert "no LoadGen logs" in err
    code, _, err = call("collect", LOGS / "offline", "--benchmark", "resnet50", "--label", "fast")
    assert code == 2
    assert "short-run" in err
