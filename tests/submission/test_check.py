from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from assay.errors import InvalidInputError, NotFoundError
from assay.rules.load import load_round, read_round
from assay.submission.check import Selection, check
from assay.submission.model import Finding
from assay.submission.read import Options

from .cases import put, system
from .smalltree import SUBMITTER, build, change_log

INVENTED = """
format: 1
name: v9.9
extends: v3.1
source: an invented round
seeds: {qsl: 1, sample_index: 2, schedule: 3}
test05_seeds: {qsl: 4, sample_index: 5, schedule: 6}
benchmarks:
  resnet:
    quality: [{metric: acc, reference: 70, ratio: 0.9, target: 63, upper_limit: 80}]
    required: {edge: [SingleStream], datacenter: [Offline]}
    performance_sample_count: 10
    compliance: [TEST01]
submission:
  tool: none
  divisions: [closed, open]
  min_duration_ms: 1000
  severity: {duration-short: reject}
"""


def test_a_new_round_is_a_new_file_and_no_code(tmp_path: Path) -> None:
    path = tmp_path / "v9.9.yaml"
    path.write_text(INVENTED, encoding="utf-8")
    round_ = read_round(path)
    tree = build(tmp_path / "tree", round_)
    report = check(tree.root, round_, jobs=1)
    assert (report.official.ok, report.strict.ok, len(report.rows)) == (True, True, 1)
    text = tree.result("SingleStream") / "accuracy" / "accuracy.txt"
    text.write_text("accuracy=80.5%\nhash=00\n", encoding="utf-8")
    change_log(tree.run_log("SingleStream"), effective_min_duration_ms=999)
    report = check(tree.root, round_, jobs=1)
    assert {each.code for each in report.findings} == {"accuracy-above-limit", "duration-short", "scenario-missing"}
    assert not report.official.ok


def test_the_tree_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        check(tmp_path / "nothing", "v3.0")
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(InvalidInputError, match="no folder"):
        check(tmp_path / "file", "v3.0")


def test_a_folder_without_divisions_is_no_tree(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    with pytest.raises(InvalidInputError, match="open/ or closed/") as told:
        check(tmp_path, "v2.0")
    assert told.value.found == "results"


def test_a_round_that_says_nothing_of_submissions_is_refused(tmp_path: Path) -> None:
    import dataclasses

    round_ = dataclasses.replace(load_round("v3.0"), submission=None)
    with pytest.raises(InvalidInputError, match="nothing of submissions"):
        check(tmp_path, round_)


def test_findings_come_as_soon_as_their_system_is_judged(tmp_path: Path) -> None:
    tree = build(tmp_path, "v3.0")
    change_log(tree.run_log("Offline"), effective_qsl_rng_seed=1)
    heard: list[Finding] = []
    report = check(tmp_path, "v3.0", listener=heard.append)
    assert tuple(heard) == report.findings
    # What is refused is missing among the required scenarios as well.
    assert [each.code for each in heard] == ["seed-wrong", "scenario-missing"]
    finding = heard[0]
    assert (finding.code, finding.line, finding.found) == ("seed-wrong", 11, "1")
    assert finding.place.endswith("mlperf_log_detail.txt:11")
    (result,) = [each for each in report.results if each.findings]
    assert (result.scenario, result.official, result.strict) == ("Offline", True, False)


def test_submitter_division_and_pattern_choose(tmp_path: Path) -> None:
    build(tmp_path, "v3.0")
    shutil.copytree(tmp_path / "closed" / SUBMITTER, tmp_path / "closed" / "Other")
    build(tmp_path, "v3.0", division="open")
    everything = check(tmp_path, "v3.0", jobs=1)
    assert {each.submitter for each in everything.results} == {SUBMITTER, "Other"}
    # The other's system names another submitter, so nothing of it is taken.
    assert everything.official.accepted == 6
    one = check(tmp_path, "v3.0", jobs=1, selection=Selection(submitters=(SUBMITTER,), divisions=("open",)))
    assert {each.path.split("/")[0] for each in one.results} == {"open"}
    some = check(tmp_path, "v3.0", jobs=1, selection=Selection(only=("closed/*/Offline",)))
    assert {each.scenario for each in some.results} == {"Offline"}
    assert some.official.accepted == 6


def test_a_code_may_be_passed_over_by_the_official_verdict(tmp_path: Path) -> None:
    tree = build(tmp_path, "v3.1")
    system(framework="")(tree)
    assert not check(tmp_path, "v3.1", jobs=1).official.ok
    report = check(tmp_path, "v3.1", jobs=1, options=Options(ignored=frozenset({"system-field-empty"})))
    assert (report.official.ok, report.strict.ok) == (True, False)


def test_compliance_may_be_left_out(tmp_path: Path) -> None:
    tree = build(tmp_path, "v3.0")
    shutil.rmtree(tree.submitter / "compliance")
    assert not check(tmp_path, "v3.0", jobs=1).official.ok
    report = check(tmp_path, "v3.0", jobs=1, options=Options(compliance=False))
    assert report.official.ok
    # As the official tool writes it: rows of closed carry 0.
    assert all(",0,0,v3.0," in row for row in report.rows)


def test_uncommitted_changes_are_forgiven_when_asked(tmp_path: Path) -> None:
    from .smalltree import log_line

    tree = build(tmp_path, "v3.0")
    with tree.run_log("Offline").open("a", encoding="utf-8") as file:
        file.write(log_line("error_uncommitted_loadgen_changes", "Loadgen built with uncommitted changes!", error=True))
    assert not check(tmp_path, "v3.0", jobs=1).official.ok
    assert check(tmp_path, "v3.0", jobs=1, options=Options(forgive_uncommitted=True)).official.ok


def test_an_open_submitter_maps_its_models(tmp_path: Path) -> None:
    tree = build(tmp_path, "v3.0", division="open", model="my-net")
    refused = check(tmp_path, "v3.0", jobs=1)
    assert {each.code for each in refused.findings} == {"model-category"}
    put(lambda t: t.submitter / "model_mapping.json", '{"my-net": "resnet", "other": 7}')(tree)
    report = check(tmp_path, "v3.0", jobs=1)
    assert report.official.ok
    assert {each.benchmark for each in report.results} == {"resnet"}


def test_lower_case_scenarios_are_taken(tmp_path: Path) -> None:
    tree = build(tmp_path, "v3.0")
    for folder in (tree.result, tree.measurements, tree.compliance):
        folder("Offline").rename(folder("offline"))
    report = check(tmp_path, "v3.0", jobs=1)
    assert report.official.ok
    assert any(row.split(",")[8] == "Offline" and "/offline," in row for row in report.rows)


def test_a_submitter_that_is_not_there_is_told_with_the_closest_names(tmp_path: Path) -> None:
    build(tmp_path, "v3.0")
    with pytest.raises(NotFoundError, match="unknown submitter 'acme'.*Acme"):
        check(tmp_path, "v3.0", selection=Selection(submitters=("acme",)), jobs=1)


def test_findings_of_results_that_are_not_shown_are_not_shown(tmp_path: Path) -> None:
    tree = build(tmp_path, "v3.0")
    change_log(tree.run_log("Offline"), effective_qsl_rng_seed=1)
    change_log(tree.run_log("SingleStream"), effective_schedule_rng_seed=1)
    (tmp_path / "elsewhere").mkdir()
    report = check(tmp_path, "v3.0", selection=Selection(only=("*/Offline",)), jobs=1)
    assert [(each.code, each.result) for each in report.findings if each.code != "scenario-missing"] == [
        ("division-unknown", ""),
        ("seed-wrong", "closed/Acme/results/box/resnet50/Offline"),
    ]
    assert len(report.strict.refused) > 2
