from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from assay.rules.findings import finding_kind
from assay.rules.submission import Level
from assay.submission.check import check
from assay.submission.report import write
from assay.submission.report.sarif import document, level_of, relative_uri

from ..smalltree import build, change_log
from .made import RESULT, finding, refused, report

_URI = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=@/%]*")


def assert_sound(log: dict[str, Any]) -> None:
    """What SARIF 2.1.0 asks of the parts that we write (sections 3.14 to 3.49)."""
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "assay"
    rules = driver["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["shortDescription"]["text"].endswith(".")
        assert rule["fullDescription"]["text"]
        assert rule["help"]["text"]
        assert rule["help"]["markdown"]
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")
        assert set(rule["properties"]) == {"official", "strict", "tags"}
    base = run["originalUriBaseIds"]["TREE"]["uri"]
    assert base.startswith("file:///")
    assert base.endswith("/")
    fingerprints = set()
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"]
        (location,) = result["locations"]
        artifact = location["physicalLocation"]["artifactLocation"]
        assert artifact["uriBaseId"] == "TREE"
        assert artifact["uri"]
        assert not artifact["uri"].startswith("/")
        assert _URI.fullmatch(artifact["uri"])
        assert location["physicalLocation"].get("region", {"startLine": 1})["startLine"] >= 1
        for logical in location.get("logicalLocations", ()):
            assert logical["fullyQualifiedName"].endswith(logical["name"])
        (fingerprint,) = result["partialFingerprints"].values()
        fingerprints.add(fingerprint)
    assert len(fingerprints) == len(run["results"])


def test_a_real_tree(tmp_path: Path) -> None:
    tree = build(tmp_path / "tree", "v3.0")
    change_log(tree.run_log("Offline"), result_validity="INVALID", effective_qsl_rng_seed=1)
    made = check(tmp_path / "tree", "v3.0", jobs=1)
    target = tmp_path / "deep" / "report.sarif"
    write("sarif", made, target)
    log = json.loads(target.read_text(encoding="utf-8"))
    assert_sound(log)
    (run,) = log["runs"]
    assert len(run["results"]) == len(made.findings)
    seed = next(each for each in run["results"] if each["properties"].get("field") == "effective_qsl_rng_seed")
    place = seed["locations"][0]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == (
        "closed/Acme/results/box/resnet50/Offline/performance/run_1/mlperf_log_detail.txt"
    )
    assert place["logicalLocations"][0]["fullyQualifiedName"] == "closed/Acme/results/box/resnet50/Offline"
    assert (seed["properties"]["official"], seed["properties"]["strict"]) == ("note", "reject")
    assert seed["level"] == "warning"
    assert seed["properties"]["found"] == "1"
    assert run["properties"]["official"]["refused"] == list(made.official.refused)
    assert list(target.parent.iterdir()) == [target]


def test_levels_follow_the_official_verdict() -> None:
    assert level_of(Level.REJECT, Level.IGNORE) == "error"
    assert level_of(Level.FLAG, Level.REJECT) == "warning"
    assert level_of(Level.WARN, Level.NOTE) == "warning"
    assert level_of(Level.NOTE, Level.REJECT) == "warning"
    assert level_of(Level.NOTE, Level.NOTE) == "note"
    assert level_of(Level.IGNORE, Level.NOTE) == "note"


def test_rules_are_the_catalogue_s_and_only_those_used() -> None:
    log = document(refused())
    assert_sound(log)
    rules = {rule["id"]: rule for rule in log["runs"][0]["tool"]["driver"]["rules"]}
    assert set(rules) == {"seed-wrong", "accuracy-mode", "measurements-missing", "verify-inexact"}
    kind = finding_kind("seed-wrong")
    assert rules["seed-wrong"]["fullDescription"]["text"] == kind.explain
    assert rules["seed-wrong"]["help"]["markdown"].startswith(kind.explain)
    assert rules["seed-wrong"]["name"] == "SeedWrong"
    assert rules["accuracy-mode"]["properties"]["official"] == "ignore"
    assert rules["accuracy-mode"]["defaultConfiguration"]["level"] == "warning"


def test_a_line_becomes_a_region_and_none_does_not() -> None:
    results = document(refused())["runs"][0]["results"]
    regions = {each["ruleId"]: each["locations"][0]["physicalLocation"].get("region") for each in results}
    assert regions == {
        "seed-wrong": {"startLine": 12},
        "accuracy-mode": None,
        "measurements-missing": None,
        "verify-inexact": None,
    }


def test_the_order_of_the_disk_does_not_matter() -> None:
    made = refused()
    other = dataclasses.replace(made, findings=made.findings[::-1])
    assert json.dumps(document(made)) == json.dumps(document(other))


def fingerprints(*findings: Any) -> list[str]:
    results = document(report(list(findings)))["runs"][0]["results"]
    return [each["partialFingerprints"]["assayFinding/v1"] for each in results]


def test_fingerprints_outlive_lines_and_figures() -> None:
    old = fingerprints(finding(field="seed", line=3, found="1"))
    assert old == fingerprints(finding(field="seed", line=30, found="2", detail="other"))
    assert old != fingerprints(finding(field="other seed", line=3, found="1"))
    assert len(set(fingerprints(finding(line=1), finding(line=2)))) == 2
    assert old == [
        hashlib.sha256("\0".join(("seed-wrong", finding().path, "seed", RESULT, "0")).encode()).hexdigest()[:32]
    ]


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("", "./"),
        ("a/b.txt", "a/b.txt"),
        ("a:b/c d", "a%3Ab/c%20d"),
        ("100%/#?", "100%25/%23%3F"),
        ("é", "%C3%A9"),
        ("\udcff", "%FF"),
        ("..\\x\n", "..%5Cx%0A"),
    ],
)
def test_paths_as_references(path: str, uri: str) -> None:
    assert relative_uri(path) == uri


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    evil = "\udcff\x00\u202e<script>\n"
    made = report(
        [finding(path=f"closed/{evil}/x", result=f"closed/{evil}", found=evil, detail=evil, line=-1)], [], root=evil
    )
    target = tmp_path / "x.sarif"
    write("sarif", made, target)
    log = json.loads(target.read_bytes().decode("utf-8"))
    assert_sound(log)
    assert log["runs"][0]["results"][0]["properties"]["found"] == "\ufffd\ufffd\ufffd<script>\n"


def test_nothing_found() -> None:
    log = document(report([]))
    assert_sound(log)
    assert log["runs"][0]["results"] == []
