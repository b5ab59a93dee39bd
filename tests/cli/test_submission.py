from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.loadgen.record import Label
from assay.rules.model import Scenario

from ..submission.building.made import DESCRIPTION, full_home

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def system(home: Path, tmp_path: Path) -> Path:
    full_home(home)
    path = tmp_path / "box.json"
    path.write_text(json.dumps(DESCRIPTION), encoding="utf-8")
    return path


def arguments(system: Path, tree: Path, *more: object) -> list[object]:
    named = ["--submitter", "Acme", "--division", "closed", "--category", "edge", "--system", system, "--out", tree]
    return ["submission", "build", *named, *more]


def test_from_runs_to_a_tree_that_the_check_takes(call: Call, system: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    code, out, err = call(*arguments(system, tree, "--pack", tmp_path / "tree.tar.gz"))
    assert code == 0, out + err
    assert "resnet" in out and str(tree) in out and "SHA-256" in err
    code, out, err = call("check", tree, "--round", "v3.1", "--strict", "--jobs", "1")
    assert code == 0, out + err


def test_json_tells_everything(call: Call, system: Path, tmp_path: Path) -> None:
    code, out, _ = call(*arguments(system, tmp_path / "tree", "--json"))
    document = json.loads(out)
    assert code == 0 and document["built"] and document["missing"] == []
    assert {each["scenario"] for each in document["results"]} == {"SingleStream", "MultiStream", "Offline"}
    assert document["results"][0]["compliance"] == ["TEST01", "TEST04", "TEST05"]
    assert (tmp_path / "tree" / next(iter(document["files"]))).is_file()


def test_what_is_missing_is_listed_with_what_gives_it(call: Call, system: Path, tmp_path: Path) -> None:
    system.write_text(json.dumps({**DESCRIPTION, "cooling": "", "status": ""}), encoding="utf-8")
    tree = tmp_path / "tree"
    code, out, _ = call(*arguments(system, tree))
    assert code == 4 and "2 things are missing" in out and "cooling=..." in out and "status=available" in out
    code, out, _ = call(*arguments(system, tree, "--json"))
    assert code == 4 and [each["where"] for each in json.loads(out)["missing"]] == ["system box"] * 2
    assert not tree.exists()


def test_a_trial_and_a_rehearsal(call: Call, home: Path, system: Path, tmp_path: Path) -> None:
    code, _, err = call(*arguments(system, tmp_path / "tree", "--dry-run"))
    assert code == 0 and "files would be written" in err and not (tmp_path / "tree").exists()
    short = full_home(home / "inner", [Scenario.OFFLINE], labels=(Label.SHORT_RUN,))
    for folder in short.runs.folder.iterdir():
        folder.rename(home / "runs" / f"short-{folder.name}")
    code, _, err = call(*arguments(system, tmp_path / "tree", "--rehearsal"))
    assert code == 0 and "not to be submitted" in err


def test_a_kept_description_is_found_by_its_name(call: Call, home: Path, system: Path, tmp_path: Path) -> None:
    (home / "systems").mkdir(parents=True)
    (home / "systems" / "lab.json").write_bytes(system.read_bytes())
    code, out, err = call(*arguments(Path("lab"), tmp_path / "tree"))
    assert code == 0, out + err
    assert (tmp_path / "tree/closed/Acme/systems/lab.json").is_file()
    code, _, err = call(*arguments(Path("nowhere"), tmp_path / "other"))
    assert code == 3 and "unknown system" in err


@pytest.mark.slow
def test_real_runs_become_a_rehearsal(call: Call, stand_in_home: Path, tmp_path: Path) -> None:
    """Through the real LoadGen: what the strict check has against the tree is what the labels say."""
    for options in (("--duration", "1s"), ("--mode", "accuracy")):
        code, out, err = call("run", "mobilenet-v2", "--scenario", "SingleStream", "-q", *options)
        assert code in (0, 1), out + err
    path = tmp_path / "box.json"
    path.write_text(json.dumps(DESCRIPTION), encoding="utf-8")
    assert call(*arguments(path, tmp_path / "refused"))[0] == 4
    code, out, err = call(*arguments(path, tmp_path / "tree", "--rehearsal", "--json"))
    assert code == 0, out + err
    found = json.loads(out)
    inferred = {each["scenario"]: each["inferred_from"] for each in found["results"]}
    assert inferred == {"SingleStream": None, "MultiStream": "SingleStream", "Offline": "SingleStream"}
    of_labels = {"accuracy-samples", "sample-count-low", "duration-short", "result-invalid"}
    # A second is too short for LoadGen's estimate, from which the figure of MultiStream follows.
    of_what_is_not_there = {"compliance-missing", "scenario-missing", "inferred-no-estimate", "result-zero"}
    assert set(found["findings"]) <= of_labels | of_what_is_not_there
