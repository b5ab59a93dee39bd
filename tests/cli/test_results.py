from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.cm.repository import create_repository

from ..submission.smalltree import SmallTree, build
from ..submission.trees import digest
from .conftest import Call, document

LOCATION = "closed/Acme/results/box/resnet50/Offline"


def rows(call: Call, *arguments: object) -> list[dict[str, object]]:
    found = document(call("results", "query", "--json", "--limit", "0", *arguments))["rows"]
    assert isinstance(found, list)
    return found


def test_without_a_verb_there_is_an_overview(call: Call, asked_home: Path) -> None:
    code, out, err = call("results")
    assert code == 0
    assert [line.split() for line in out.splitlines()[1:]] == [
        ["v2.1", "published", "1", "1", "0", "1", "1", "1"],
        ["v3.0", "published", "7", "6", "0", "3", "7", "1"],
        ["v3.0", "local", "1", "1", "0", "1", "1", "1"],
    ]
    assert "assay results --help" in err
    found = document(call("results", "--json"))
    assert found[0] == {
        "round": "v2.1", "official": True, "results": 1, "measured": 1, "power": 0, "organisations": 1, "systems": 1,
        "benchmarks": 1,
    }  # fmt: skip
    # Options before the verb hold for the verb.
    assert document(call("results", "--json", "-q", "query"))["rows"] == rows(call)


def test_what_is_no_verb(call: Call, results_home: Path) -> None:
    code, out, _ = call("results", "--help")
    assert code == 0 and "import" in out and "assay results best --round v3.0" in out
    assert not results_home.exists()
    code, _, err = call("results", "qurey")
    assert code == 2 and "Did you mean assay results query?" in err
    code, _, err = call("results", "3f9a77c1")
    assert code == 2 and "Did you mean assay results show 3f9a77c1?" in err


# ---- import


def test_a_tree_is_imported_once(call: Call, results_home: Path, published_tree: SmallTree) -> None:
    before = digest(published_tree.root)
    code, out, err = call("results", "import", published_tree.root, "-j", 1)
    assert code == 0
    assert out.splitlines() == [
        "submission tree inference_results_v3.0: v3.0: 6 results in 6 experiments of local",
        "official checker takes 6 (9 rows of summary.csv); the written rules 6",
        "6 files written, 0 as they were, 0 taken away",
    ]
    assert err.splitlines()[-1] == "ask: assay results query"
    assert digest(published_tree.root) == before
    files = digest(results_home / "repos" / "local" / "experiment")
    found = document(call("results", "import", published_tree.root, "-j", 1, "--json"))
    assert (found["rows"], found["changed"], found["removed"]) == (6, 0, 0)
    assert (found["kind"], found["official"], found["strict"]) == ("submission tree", 6, 6)
    assert digest(results_home / "repos" / "local" / "experiment") == files
    (closed,) = rows(call, 'scenario == "Offline" and division == "closed"', "-c", "location,watts,samples_per_joule")
    assert closed == {"location": LOCATION, "watts": 125, "samples_per_joule": pytest.approx(1234.5 / 125)}


def test_what_is_gone_from_a_tree_goes_with_the_next_import(
    call: Call, results_home: Path, published_tree: SmallTree
) -> None:
    call("results", "import", published_tree.root, "-j", 1)
    assert len(rows(call)) == 6
    shutil.rmtree(published_tree.root / "open")
    assert document(call("results", "import", published_tree.root, "-j", 1, "--json"))["removed"] == 3
    assert {each["division"] for each in rows(call)} == {"closed"}


def test_a_dry_run_writes_nothing(call: Call, results_home: Path, published_tree: SmallTree, tmp_path: Path) -> None:
    code, out, _ = call("results", "import", published_tree.root, "-j", 1, "--dry-run")
    assert (code, out) == (0, "submission tree: 6 results would be imported\n")
    assert not (results_home / "repos").exists()
    repository = create_repository(tmp_path / "theirs", "me@theirs")
    code, out, _ = call("results", "import", repository.path, "--dry-run")
    assert (code, out) == (0, "CM repository: would be registered\n")
    assert not (results_home / "repos.json").exists()


def test_a_tree_of_ones_own_is_local(call: Call, results_home: Path, tmp_path: Path) -> None:
    tree = build(tmp_path / "mine", "v3.0")
    _, _, err = call("results", "import", tree.root, "-j", 1)
    assert err.splitlines()[-1] == "ask: assay results query --local"
    _, out, err = call("results", "query")
    assert "3 results left out that would fit: --local" in err
    assert len(rows(call, "--local")) == 3
    _, out, _ = call("results", "show", LOCATION)
    assert "not an official MLPerf result" in out


def test_rows_go_into_a_repository_that_is_named(
    call: Call, results_home: Path, published_tree: SmallTree, tmp_path: Path
) -> None:
    assert call("repo", "init", tmp_path / "ours", "--alias", "ours")[0] == 0
    code, out, _ = call("results", "import", published_tree.root, "-j", 1, "--into", "ours")
    assert code == 0 and "in 6 experiments of ours" in out
    assert len(list((tmp_path / "ours").rglob("cm-result.json"))) == 6
    assert not (results_home / "repos" / "local").exists()
    assert len(rows(call)) == 6
    code, _, err = call("results", "import", published_tree.root, "--into", "our")
    assert code == 3 and "expected ours" in err


def test_a_repository_is_read_where_it_lies(call: Call, results_home: Path, published_tree: SmallTree) -> None:
    call("repo", "init", published_tree.root.parent / "ours", "--alias", "ours")
    call("results", "import", published_tree.root, "-j", 1, "--into", "ours")
    call("repo", "remove", "ours")
    assert rows(call) == []
    code, out, _ = call("results", "import", published_tree.root.parent / "ours")
    assert (code, out) == (0, "CM repository ours: registered, and read where it lies; v3.0: 6 results\n")
    assert len(rows(call)) == 6


def test_a_summary_and_a_run(call: Call, results_home: Path, published_tree: SmallTree, tmp_path: Path) -> None:
    summary = tmp_path / "summary.csv"
    assert call("check", published_tree.root, "-j", 1, "--csv", summary)[0] == 0
    code, out, _ = call("results", "import", summary, "--round", "v3.0", "--official")
    assert code == 0 and "summary.csv" in out
    assert len(rows(call)) == 6
    # From raw logs more is known of the same results, and they are shown once.
    call("results", "import", published_tree.root, "-j", 1)
    assert {each["source_kind"] for each in rows(call, "-c", "source_kind")} == {"submission"}
    assert len(rows(call)) == 6
    run = published_tree.run_log("Offline").parent
    code, _, err = call("results", "import", run)
    assert code != 0 and "--benchmark" in err
    code, out, _ = call("results", "import", run, "--benchmark", "resnet50", "--round", "v3.0")
    assert code == 0 and out.startswith("LoadGen run ")
    (found,) = rows(call, "--local", 'origin == "local"', "-c", "benchmark,scenario,value,division")
    assert found == {"benchmark": "resnet", "scenario": "Offline", "value": 1234.5, "division": "open"}


def wrong_seeds(path: Path) -> Path:
    tree = build(path / "inference_results_v9.9", "v3.0")
    for log in tree.root.rglob("mlperf_log_detail.txt"):
        log.write_text(log.read_text().replace(str(tree.round.seeds.qsl), "12345"))
    return tree.root


def plain_text(path: Path) -> Path:
    (path / "notes.txt").write_text("hello\n")
    return path / "notes.txt"


def no_csv(path: Path) -> Path:
    build(path / "tree", "v3.0")
    return path / "tree" / "closed" / "Acme" / "systems" / "box.json"


@pytest.mark.parametrize(
    ("make", "more", "code", "told"),
    [
        (lambda path: path / "none", (), 3, "none: nothing is there"),
        (lambda path: path, (), 4, "nothing that can be imported; expected a submission tree (closed/, open/)"),
        (plain_text, (), 4, "notes.txt: nothing that can be imported"),
        (no_csv, (), 4, "box.json: nothing that can be imported"),
        (wrong_seeds, (), 4, "no log shows the seeds of a round that is known here"),
        (wrong_seeds, ("--round", "v9.9"), 3, "unknown round 'v9.9'"),
        (lambda path: build(path / "tree", "v3.0").root, ("--commit", "main"), 2, "'main' is no commit; expected 40"),
        (
            lambda path: build(path / "tree", "v3.0").root,
            ("--repository", "ftp://x"),
            2,
            "expected an https:// address",
        ),
    ],
)
def test_what_cannot_be_imported(
    call: Call,
    results_home: Path,
    tmp_path: Path,
    make: Callable[[Path], Path],
    more: tuple[str, ...],
    code: int,
    told: str,
) -> None:
    (tmp_path / "there").mkdir()
    found, out, err = call("results", "import", make(tmp_path / "there"), *more)
    assert found == code
    assert told in err and out == ""
    assert not (results_home / "repos").exists()
    found, out, _ = call("results", "import", tmp_path / "none", "--json")
    assert found == 3 and json.loads(out)["what"] == "nothing is there"


def test_two_importers_at_once(results_home: Path, published_tree: SmallTree, tmp_path: Path) -> None:
    other = build(tmp_path / "other" / "inference_results_v2.1", "v2.1").root
    environment = {**os.environ, "ASSAY_HOME": str(results_home)}
    command = [sys.executable, "-m", "assay", "results", "import", "-j", "1"]
    started = [
        subprocess.Popen(
            [*command, str(tree)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for tree in (published_tree.root, other, published_tree.root)
    ]
    told = [process.communicate(timeout=120) for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], told
    files = sorted((results_home / "repos" / "local" / "experiment").glob("*/*/cm-result.json"))
    assert len(files) == 9
    assert sum(len(json.loads(each.read_bytes())) for each in files) == 9


# ---- show and compare


@pytest.mark.parametrize(
    "name",
    [
        "feedfacefeedface",
        "FEEDFACE",
        "closed/Acme/results/box3/resnet/Offline",
        "closed/Acme/results/box3/resnet/Offline/",
        "./inference_results_v3.0/closed/Acme/results/box3/resnet/Offline",
    ],
)
def test_a_result_by_each_of_its_names(call: Call, asked_home: Path, name: str) -> None:
    found = document(call("results", "show", name, "--json"))
    assert (found["system"], found["organisation"], found["watts"]) == ("box3", "Krai", 30)
    for part in (found["uid"], found["uid"][:10]):
        assert document(call("results", "show", part, "--json"))["uid"] == found["uid"]


def test_what_is_shown_of_a_tree(call: Call, results_home: Path, published_tree: SmallTree) -> None:
    call("results", "import", published_tree.root, "-j", 1, "--commit", "a" * 40, "--repository", "https://x.org/r.git")
    code, out, err = call("results", "show", LOCATION, "-q")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[:2] == ["resnet Offline, closed edge, round v3.0", "1,234 Samples/s, higher is better"]
    words = [" ".join(line.split()) for line in lines]
    for part in (
        "samples_per_second 1,234 samples/s",
        "watts 125 W",
        "system box",
        "official yes",
        "strict yes",
        f"commit {'a' * 40}",
        f"url https://x.org/r/tree/{'a' * 40}/{LOCATION}",
        "qsl_seed 10003631887983097364",
        "Other scenarios",
    ):
        assert part in words, part
    assert [line for line in words if line.endswith(" performance/run_1/mlperf_log_detail.txt")]
    assert [line.split()[0] for line in lines[-2:]] == ["MultiStream", "SingleStream"]
    assert "latency_p99" not in out
    assert "latency_p99" in call("results", "show", LOCATION, "--all")[1]
    found = document(call("results", "show", f"https://x.org/r/tree/{'a' * 40}/{LOCATION}", "--json"))
    assert found["qsl_seed"] == 10003631887983097364
    assert [each["scenario"] for each in found["siblings"]] == ["MultiStream", "SingleStream"]


@pytest.mark.parametrize(
    ("name", "code", "told"),
    [
        ("abc", 2, "'abc' is too short; expected at least 4 characters of a uid, or a location"),
        ("nothing", 3, "no result 'nothing'"),
        ("closed/Acme/results/box3/resnet/Oflline", 3, "no result"),
        ("closed/Acme/results/box33/resnet/Offline", 3, "expected closed/Acme/results/box3/resnet/Offline"),
    ],
)
def test_a_name_that_fits_nothing(call: Call, asked_home: Path, name: str, code: int, told: str) -> None:
    found, out, err = call("results", "show", name)
    assert (found, out) == (code, "")
    assert told in err


def test_compare(call: Call, asked_home: Path) -> None:
    names = [f"closed/Acme/results/box{number}/resnet/Offline" for number in (0, 1, 7)]
    code, out, err = call("results", "compare", *names)
    assert code == 0
    lines = {line.split()[0]: line.split() for line in out.splitlines()}
    assert lines["samples_per_second"][1:] == ["[samples/s]", "1,000", "500", "(x0.5)", "107", "(x0.107)"]
    assert "benchmark" not in lines
    assert "caution: some are official and some are not" in err and "caution: labels: short-run" in err
    assert "benchmark" in call("results", "compare", *names, "--all")[1]
    found = document(call("results", "compare", *names, "--json"))
    (watts,) = [each for each in found["fields"] if each["name"] == "watts"]
    assert (watts["values"], watts["ratios"], watts["differs"]) == ([400, 250, 5], [1, 0.625, 0.0125], True)
    for some, told in (
        (names[:1], "one result has nothing to be compared with"),
        (names * 3, "9 results are too many"),
    ):
        code, out, err = call("results", "compare", *some)
        assert (code, out) == (2, "") and f"{told}; expected two to six" in err
    assert call("results", "compare")[0] == 2
