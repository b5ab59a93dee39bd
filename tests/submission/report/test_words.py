from __future__ import annotations

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from assay.rules.findings import finding_kind
from assay.rules.submission import Level
from assay.submission.report.words import by_code, facts, line_of, places, plain, result_path

from .made import RESULT, SYSTEM, finding, refused, report, result


def test_ordinary_text_is_left_as_it_is() -> None:
    for text in ("", "a/b.txt", "Übergröße µs 3°", "日本語", "tab\tand\nline", "😀"):
        assert plain(text) == text


def test_what_a_form_cannot_hold_or_what_reorders_text_is_replaced() -> None:
    assert plain("a\x00b\x1bc\udcffd\ufffee\u202ef\x85") == "a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf\x85"


@given(st.text(st.characters(), max_size=60))
def test_every_text_can_be_written_as_xml_and_utf8(text: str) -> None:
    element = ET.Element("a")
    element.text = plain(text)
    assert ET.fromstring(ET.tostring(element, encoding="utf-8")).text in (
        plain(text).replace("\r\n", "\n").replace("\r", "\n"),
        None,
    )


def test_groups_are_gravest_first_and_told_by_the_catalogue() -> None:
    groups = by_code(
        [
            finding("verify-inexact", official=Level.NOTE, strict=Level.NOTE),
            finding("seed-wrong", official=Level.NOTE),
            finding("seed-wrong"),
            finding("not-in-the-catalogue", official=Level.FLAG),
        ]
    )
    assert [group.code for group in groups] == ["seed-wrong", "not-in-the-catalogue", "verify-inexact"]
    assert (groups[0].official, groups[0].strict, len(groups[0].findings)) == (Level.REJECT, Level.REJECT, 2)
    assert groups[0].explain == finding_kind("seed-wrong").explain
    assert groups[1].explain == ""


def test_facts_in_words() -> None:
    assert facts(finding()) == ""
    assert facts(finding(field="seed", found="1", expected="2")) == "seed: found 1, expected 2"
    assert facts(finding(found="1", detail="in\x00 line")) == "found 1; in\ufffd line"
    assert facts(finding(field="seed")) == "seed"


def test_a_finding_in_one_line() -> None:
    line = line_of(finding(official=Level.NOTE, line=3, found="1"), "official")
    assert line == (
        f"note: seed-wrong: a seed is not the round's at {RESULT}/performance/run_1/mlperf_log_detail.txt:3 (found 1)"
    )


def test_places_are_results_and_refused_folders() -> None:
    found = {place.path: place for place in places(refused())}
    assert list(found) == sorted(found)
    assert len(found) == 4
    assert (found[RESULT].official, found[RESULT].strict) == (False, False)
    server = found[f"{SYSTEM}/resnet50/Server"]
    assert (server.official, server.strict) == (True, False)
    folder = found["closed/Acme/measurements/box/resnet50/Offline"]
    assert (folder.result, folder.official, folder.strict) == (None, False, True)
    assert "measurements-missing" in {each.code for each in folder.findings}


def test_a_refused_system_refuses_its_results_and_a_model_does_not() -> None:
    system = finding("system-field-empty", result=SYSTEM)
    both = report([system], official=(SYSTEM,), strict=(f"{SYSTEM}/resnet50",))
    place = next(each for each in places(both) if each.result)
    assert (place.official, place.strict) == (False, True)
    assert place.findings == (system,)


def test_a_refused_tree_refuses_all() -> None:
    root = finding("division-unknown", result="", path="elsewhere")
    both = report([root], [result()], official=("root",))
    assert all(not place.official and place.findings == (root,) for place in places(both))


def test_paths_of_results() -> None:
    assert result_path("root") == ""
    assert result_path("closed/Acme") == "closed/Acme"
    assert result_path("closed/Acme/measurements/box/m/Offline") == "closed/Acme/results/box/m/Offline"
    assert result_path("closed/measurements/results/box") == "closed/measurements/results/box"
