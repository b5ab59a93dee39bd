from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from assay.rules.submission import Level
from assay.submission.check import check
from assay.submission.model import CheckReport
from assay.submission.report import write
from assay.submission.report.junit import case_of, document, suite_of

from ..smalltree import build, change_log
from .made import RESULT, SYSTEM, finding, refused, report, result


def cases(root: ET.Element) -> dict[str, ET.Element]:
    return {f"{case.get('classname')} {case.get('name')}": case for case in root.iter("testcase")}


def properties(element: ET.Element) -> dict[str | None, str | None]:
    return {each.get("name"): each.get("value") for each in element.findall("properties/property")}


def written(made: CheckReport, folder: Path) -> ET.Element:
    target = folder / "junit.xml"
    write("junit", made, target)
    assert [path.name for path in folder.iterdir() if path.name.endswith(".part")] == []
    return ET.parse(target).getroot()


def test_suites_cases_and_counts(tmp_path: Path) -> None:
    root = written(refused(), tmp_path)
    (suite,) = root.findall("testsuite")
    assert suite.get("name") == "closed/Acme/box"
    assert set(cases(root)) == {
        "closed/Acme/box resnet50/Offline",
        "closed/Acme/box resnet50/Server",
        "closed/Acme/box resnet50/SingleStream",
        "closed/Acme/box resnet50/Offline (measurements)",
    }
    for element in (root, suite):
        assert (element.get("tests"), element.get("failures"), element.get("errors")) == ("4", "2", "0")
    assert root.get("time") == "1.500"
    assert properties(suite) == {"round": "v3.0", "official-tool": "submission_checker.py v3.0"}


def test_a_failure_is_an_official_refusal() -> None:
    found = cases(document(refused()))
    failure = found["closed/Acme/box resnet50/Offline"].find("failure")
    assert failure is not None
    assert failure.get("type") == "official"
    assert failure.get("message") == "refused by the official tool: seed-wrong, measurements-missing"
    assert failure.text is not None
    assert (
        f"reject: seed-wrong: a seed is not the round's at {RESULT}/performance/run_1/mlperf_log_detail.txt:12"
        " (effective_qsl_rng_seed: found 1, expected 10003631887983097364)" in failure.text
    )
    assert "what to do: Use the seeds of the round. (assay explain seed-wrong)" in failure.text


def test_a_strict_refusal_passes_and_is_said() -> None:
    case = cases(document(refused()))["closed/Acme/box resnet50/Server"]
    assert case.find("failure") is None
    assert properties(case)["official"] == "accepted"
    assert properties(case)["strict"] == "refused"
    said = case.findtext("system-out") or ""
    assert said.startswith("Refused by the written rules (strict):\nreject: accuracy-mode: ")


def test_a_result_that_is_taken_says_its_figures_and_nothing_else() -> None:
    case = cases(document(refused()))["closed/Acme/box resnet50/SingleStream"]
    assert [child.tag for child in case] == ["properties"]
    assert properties(case) == {
        "path": f"{SYSTEM}/resnet50/SingleStream",
        "official": "accepted",
        "strict": "accepted",
        "benchmark": "resnet",
        "scenario": "SingleStream",
        "result": "1234.5 Samples/s",
        "accuracy": "76.01400000000001",
    }


def test_what_refuses_the_system_is_told_in_its_own_case_and_counted_in_the_others() -> None:
    own = [
        finding("system-field-empty", title="a field is empty", path="s.json", result=SYSTEM, field=name)
        for name in "ab"
    ]
    made = report(own, [result(official=False)], official=(SYSTEM, RESULT))
    found = cases(document(made))
    system = found["closed/Acme/box (system)"].findtext("failure") or ""
    assert system.count("s.json") == 2
    below = found["closed/Acme/box resnet50/Offline"].findtext("failure")
    assert below == f"reject: system-field-empty: a field is empty (2 times), which refuses all of {SYSTEM}"


def test_a_flag_on_the_model_is_no_reason_against_its_results() -> None:
    model = finding("scenario-missing", official=Level.FLAG, strict=Level.FLAG, result=f"{SYSTEM}/resnet50")
    made = report([model], [result()], official=(f"{SYSTEM}/resnet50",), strict=(f"{SYSTEM}/resnet50",))
    found = cases(document(made))
    assert found["closed/Acme/box resnet50/Offline"].find("failure") is None
    assert found["closed/Acme/box resnet50/Offline"].find("system-out") is None
    assert "flag: scenario-missing" in (found["closed/Acme/box resnet50 (model)"].findtext("failure") or "")


def test_a_refusal_without_a_finding_says_so() -> None:
    case = cases(document(report([], [result(official=False)])))["closed/Acme/box resnet50/Offline"]
    failure = case.find("failure")
    assert failure is not None
    assert failure.get("message") == "refused by the official tool"
    assert "no finding of its own" in (failure.text or "")


def test_a_case_lists_a_bounded_number_of_findings() -> None:
    many = [finding(field=f"f{number}") for number in range(1000)]
    text = cases(document(report(many, [result(official=False)])))["closed/Acme/box resnet50/Offline"].findtext(
        "failure"
    )
    assert text is not None
    assert text.count("\n") == 201
    assert "and 800 more findings" in text


def test_characters_that_xml_cannot_hold(tmp_path: Path) -> None:
    evil = 'a\x00\x08\x1b\udcff\ufffe<&>"]]>'
    path = f"closed/{evil}/results/{evil}/resnet50/Offline"
    made = report(
        [finding(path=path, result=path, found=evil)], [result(path, official=False)], root=evil, official=(path,)
    )
    root = written(made, tmp_path)
    (suite,) = root.findall("testsuite")
    clean = 'a\ufffd\ufffd\ufffd\ufffd\ufffd<&>"]]>'
    assert suite.get("name") == f"closed/{clean}/{clean}"
    assert f"found {clean}" in (suite.findtext("testcase/failure") or "")


@pytest.mark.parametrize(
    ("path", "suite", "case"),
    [
        ("root", "tree", "(tree)"),
        ("closed", "closed", "(division)"),
        ("closed/Acme", "closed/Acme", "(submitter)"),
        ("closed/Acme/systems", "closed/Acme", "systems"),
        (SYSTEM, "closed/Acme/box", "(system)"),
        (f"{SYSTEM}/resnet50", "closed/Acme/box", "resnet50 (model)"),
        (RESULT, "closed/Acme/box", "resnet50/Offline"),
        ("closed/Acme/measurements/box/resnet50/Offline", "closed/Acme/box", "resnet50/Offline (measurements)"),
    ],
)
def test_names(path: str, suite: str, case: str) -> None:
    assert (suite_of(path), case_of(path)) == (suite, case)


def test_failures_go_with_the_exit_code(tmp_path: Path) -> None:
    tree = build(tmp_path / "tree", "v3.0")
    good = written(check(tmp_path / "tree", "v3.0", jobs=1), tmp_path)
    assert (good.get("tests"), good.get("failures")) == ("3", "0")
    change_log(tree.run_log("Offline"), effective_qsl_rng_seed=1)
    strict_only = check(tmp_path / "tree", "v3.0", jobs=1)
    assert strict_only.official.ok
    assert not strict_only.strict.ok
    root = written(strict_only, tmp_path)
    assert root.get("failures") == "0"
    assert "seed" in (cases(root)["closed/Acme/box resnet50/Offline"].findtext("system-out") or "")
    change_log(tree.run_log("Offline"), result_validity="INVALID")
    bad = check(tmp_path / "tree", "v3.0", jobs=1)
    assert not bad.official.ok
    root = written(bad, tmp_path)
    assert cases(root)["closed/Acme/box resnet50/Offline"].find("failure") is not None
    assert root.get("failures") == str(len({*bad.official.refused}))
