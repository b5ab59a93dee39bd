from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from assay.errors import InvalidInputError, NotFoundError
from assay.rules.load import round_names
from assay.rules.power import load_power, power_rounds, read_power

SHARED_RULES = Path(__file__).parents[3] / "shared" / "mlperf" / "rules.yaml"


@pytest.fixture(scope="module")
def shared() -> dict[str, object]:
    """What was collected of all rounds, apart from these files."""
    if not SHARED_RULES.is_file():
        pytest.skip(f"the collected rules are not there: {SHARED_RULES}")
    found: dict[str, object] = yaml.load(SHARED_RULES.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return found


def test_every_round_has_facts() -> None:
    assert power_rounds() == ["v2.0", "v2.1", "v3.0", "v3.1", "v4.0"]
    for name in round_names():
        assert load_power(name).name == name


def test_a_later_round_is_held_to_the_latest_facts() -> None:
    assert load_power("v4.1") == load_power("v4.0")
    assert load_power("v10.0") == load_power("v4.0")


@pytest.mark.parametrize("name", ["v1.1", "v3", "../power/v3.0", "", "v3.1\n"])
def test_an_unknown_round_is_told(name: str) -> None:
    with pytest.raises(NotFoundError) as told:
        load_power(name)
    assert told.value.hint == "assay rounds"


def test_facts_are_read_once() -> None:
    assert load_power("v3.0") is load_power("v3.0")


def test_what_changed_from_round_to_round() -> None:
    """compliance/check.py of power-dev f7b3b51 and e2baedb; power_checker.py of inference v3.0 to v4.0."""
    rounds = [load_power(name) for name in power_rounds()]
    assert [each.daemon.versions for each in rounds] == [("1.9.1", "1.9.2")] * 2 + [("1.10.0",)] * 3
    assert [each.timing.clock_difference_ms for each in rounds] == [200, 500, 1000, 500, 800]
    assert [each.timing.clock_difference_inclusive for each in rounds] == [False, True, True, True, True]
    assert [each.timing.duration_limit for each in rounds] == [0.05, 0.05, 0.15, 0.5, 0.5]
    assert [each.timing.duration_of for each in rounds] == ["larger", "larger", "larger", "ranging", "ranging"]
    assert [each.timing.duration_fails for each in rounds] == [True, True, True, False, False]
    assert [each.timing.average_drop_percent for each in rounds] == [None, None, None, 5, 5]
    assert [each.log.uncertainty_fails for each in rounds] == [False, False, False, True, True]
    assert [each.log.adds_time_zone for each in rounds] == [True, True, True, False, False]
    assert [each.log.official_margin_s for each in rounds] == [0, 0, 0, 500, 800]
    assert [each.log.passes_other_lines for each in rounds] == [False, False, False, False, True]
    assert [len(each.sources.accepted) for each in rounds] == [2, 3, 3, 3, 1]
    assert [len(each.log.errors_ranging) for each in rounds] == [1, 1, 1, 6, 6]
    assert ["YokogawaWT330" in each.daemon.analyzers for each in rounds] == [False, True, True, True, True]
    assert [len(each.daemon.analyzers) for each in rounds] == [7, 8, 8, 8, 11]
    assert {len(each.hashed) for each in rounds} == {9}
    assert {each.daemon.two_channels for each in rounds} == {(77,)}


@pytest.mark.parametrize("name", ["v2.0", "v2.1", "v3.0", "v3.1"])
def test_sources_are_those_that_were_collected(name: str, shared: dict[str, object]) -> None:
    collected = shared["power_sources_checksums"]
    assert isinstance(collected, dict)
    expected = collected[name] if name in collected else collected["v2.1"]
    found = load_power(name).sources.sets()
    assert all(each in expected for each in found)
    assert all(each in found for each in expected)
    assert {len(each) for each in found} == {15}


def test_limits_are_those_that_were_collected(shared: dict[str, object]) -> None:
    power = shared["power"]
    assert isinstance(power, dict)
    signs = {False: "<", True: "<="}
    for name in power_rounds():
        facts = load_power(name)
        assert list(facts.daemon.versions) == power["ptd_versions"][name]
        sign = signs[facts.timing.clock_difference_inclusive]
        assert f"{sign} {facts.timing.clock_difference_ms:g}" == power["client_server_clock_difference_ms"][name]
    collected = {key.partition(" ")[0]: number for key, number in power["analyzers"].items()}
    assert load_power("v3.1").daemon.analyzers.items() <= collected.items()


def write(folder: Path, text: str) -> Path:
    path = folder / "v9.9.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_says_only_what_changes(tmp_path: Path) -> None:
    facts = read_power(write(tmp_path, "extends: v3.0\nname: v9.9\ntool: ours\ntiming:\n  clock_difference_ms: 7\n"))
    assert (facts.name, facts.tool, facts.timing.clock_difference_ms) == ("v9.9", "ours", 7)
    assert facts.sources == load_power("v3.0").sources


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("extends: v1.0\nname: v9.9\n", r"v9.9.yaml:1.*extends"),
        ("extends: v3.1\nname: v9.9\ncolour: red\n", r"v9.9.yaml:3.*colour"),
        ("extends: v3.1\nname: v9.9\ntiming:\n  colour: red\n", r"v9.9.yaml:4.*timing.*colour"),
        ("extends: v3.1\nname: v9.9\ntiming:\n  duration_limit: 0\n", r"v9.9.yaml:4.*duration_limit"),
        ("extends: v3.1\nname: v9.9\ntiming:\n  duration_of: neither\n", r"v9.9.yaml:4.*duration_of"),
        ("extends: v3.1\nname: v9.9\nsources:\n  shared:\n    client.py: abc\n", r"v9.9.yaml:5.*client.py"),
        ("extends: v3.1\nname: nine\n", r"v9.9.yaml:2.*name"),
        ("name: v9.9\n", r"v9.9.yaml"),
        ("[", r"v9.9.yaml"),
    ],
)
def test_a_malformed_file_is_told_with_its_line(text: str, where: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=where) as told:
        read_power(write(tmp_path, text))
    assert told.value.exit_code == 4


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_power(tmp_path / "v9.9.yaml")
