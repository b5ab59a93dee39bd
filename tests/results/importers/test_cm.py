from __future__ import annotations

import json
import random
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assay.results.importers.cm import CmImporter, CmRow
from assay.results.importers.source import Source
from assay.results.model import Method, Origin
from assay.results.row import Row, uid_of

LOCATION = "closed/Acme/results/box/bert-99/Offline"
REPOSITORY = "https://github.com/mlcommons/inference_results_v3.0"
PLACE = ("v3.0", LOCATION, "bert-99", "Offline")
ROW: dict[str, Any] = {
    "uid": "0123456789abcdef",
    "version": "v3.0",
    "Organization": "CTuning",
    "Platform": "box",
    "SystemName": "The Box",
    "SystemType": "edge",
    "Division": "closed",
    "Availability": "available",
    "Model": "bert-99",
    "MlperfModel": "bert-99",
    "Scenario": "Offline",
    "Result": 100.5,
    "Units": "Samples/s",
    "Result_Units": "Samples/s",
    "Accuracy": 90.25,
    "Accuracy_div_100": 0.9025,
    "accelerator_model_name": "N/A",
    "accelerators_per_node": "",
    "host_processor_core_count": "4 (big); 4 (LITTLE)",
    "host_processor_model_name": "AMD EPYC 7713 64-Core Processor",
    "host_processors_per_node": 2,
    "number_of_nodes": 1,
    "operating_system": "Ubuntu",
    "framework": "ArmNN v22.11",
    "notes": "-",
    "has_power": False,
    "inferred": 0,
    "compliance": 1,
    "errors": 0,
    "Location": LOCATION,
    "git_url": REPOSITORY,
    "url": f"{REPOSITORY}/tree/main/{LOCATION}",
}


def rows(*given: dict[str, Any], **options: Any) -> list[Row]:
    """Rows of a file that holds these, through JSON as it is on the disk."""
    raw = json.dumps(list(given)).encode()
    return CmImporter(**options).rows(msgspec.json.decode(raw, type=list[CmRow]))


def one(**changes: Any) -> Row:
    """The row of a usual one with something else in it."""
    (row,) = rows({**ROW, **changes})
    return row


def test_a_whole_row() -> None:
    found = msgspec.json.decode(msgspec.json.encode(one()))
    assert found == {
        "uid": uid_of(*PLACE),
        "cm_uid": "0123456789abcdef",
        "round": "v3.0",
        "benchmark": "bert-99",
        "scenario": "Offline",
        "division": "closed",
        "location": LOCATION,
        "task": "language",
        "category": ["edge"],
        "availability": "available",
        "organisation": "cTuning",
        "organisation_given": "CTuning",
        "system": "box",
        "system_name": "The Box",
        "model": "bert-99",
        "value": 100.5,
        "unit": "Samples/s",
        "lower_is_better": False,
        "samples_per_second": 100.5,
        "accuracy": 90.25,
        "accuracy_metric": "F1",
        "accuracy_unit": "percent",
        "accuracy_target": pytest.approx(90.874 * 0.99),
        "accuracy_met": True,
        "accuracies": [
            {"metric": "F1", "value": 90.25, "unit": "percent", "target": pytest.approx(89.96526), "met": True}
        ],
        "power": False,
        "processor": "AMD EPYC 7713",
        "processor_given": "AMD EPYC 7713 64-Core Processor",
        "processors_per_node": 2,
        "cores": 8,
        "nodes": 1,
        "operating_system": "Ubuntu",
        "framework": "ArmNN",
        "framework_given": "ArmNN v22.11",
        "official": True,
        "compliance": True,
        "source": "inference_results_v3.0",
        "source_kind": "cm",
        "url": f"{REPOSITORY}/tree/HEAD/{LOCATION}",
    }


# ---- power, in both encodings

V2 = {"has_power": True, "Result_Power": 300.0, "Result_Power_Units": "Watts"}


def test_a_power_result_that_is_stored_twice_is_one() -> None:
    twice = {**ROW, **V2}
    (row,) = rows(twice, dict(twice))
    assert (row.power, row.power_value, row.power_unit, row.watts) == (True, 300.0, "Watts", 300.0)
    assert row.joules_per_sample == pytest.approx(300 / 100.5) and row.joules_per_query is None
    assert row.value == 100.5 and row.cm_uid == ROW["uid"]


def power_row(**changes: Any) -> dict[str, Any]:
    """The row of its own that v4.x keeps power in."""
    return {
        **ROW,
        "uid": "f" * 16,
        "Result": None,
        "Units": "Watts",
        "Result_Power": 300.0,
        "has_power": True,
        **changes,
    }


@pytest.mark.parametrize("order", [1, -1], ids=["after", "before"])
def test_a_power_row_of_its_own_belongs_to_its_result(order: int) -> None:
    pair = [{**ROW, "has_power": True}, power_row()][::order]
    (row,) = rows(*pair)
    assert (row.value, row.power_value, row.power_unit, row.watts) == (100.5, 300.0, "Watts", 300.0)
    # The result's uid, not that of its power.
    assert row.cm_uid == ROW["uid"]


def test_both_encodings_give_the_same_row() -> None:
    (old,) = rows({**ROW, **V2}, {**ROW, **V2})
    (new,) = rows({**ROW, "has_power": True}, power_row())
    assert old == new


@pytest.mark.parametrize("figure", [{"Result_Power": None, "Result": 300.0}, {"Result_Power": "300.0"}])
def test_the_figure_of_a_power_row_stands_here_or_there(figure: dict[str, Any]) -> None:
    (row,) = rows(ROW, power_row(**figure))
    assert row.power_value == 300.0 and row.value == 100.5


def stream(scenario: str, **changes: Any) -> dict[str, Any]:
    location = f"closed/Acme/results/box/bert-99/{scenario}"
    return {**ROW, "Scenario": scenario, "Units": "Latency (ms)", "Result": 4.0, "Location": location, **changes}


def test_energy_of_streams() -> None:
    (single,) = rows(
        stream("SingleStream"), stream("SingleStream", Result=None, Units="millijoules", Result_Power=60.0)
    )
    assert (single.power_unit, single.joules_per_query, single.joules_per_sample) == ("millijoules", 0.06, 0.06)
    assert (single.watts, single.samples_per_second, single.latency) == (None, 250.0, 4e6)
    multi = stream("MultiStream", Result=16.0, has_power=True, Result_Power=400.0, Result_Power_Units="millijoules")
    (row,) = rows(multi, multi)
    assert row.joules_per_query == pytest.approx(0.4) and row.joules_per_sample == pytest.approx(0.05)
    assert (row.samples_per_second, row.lower_is_better) == (500.0, True)


@pytest.mark.parametrize(("scenario", "unit"), [("Offline", "Watts"), ("SingleStream", "millijoules")])
def test_a_power_figure_without_unit_is_in_the_scenarios(scenario: str, unit: str) -> None:
    given_ = ROW if scenario == "Offline" else stream(scenario)
    (row,) = rows({**given_, "Result_Power": 5.0, "Result_Power_Units": "N/A"})
    assert row.power_unit == unit


@pytest.mark.parametrize("figure", [None, "", "None", "N/A", 0, -1.0, {"a": 1}, [], True])
def test_power_that_is_none(figure: object) -> None:
    row = one(Result_Power=figure, Result_Power_Units="Watts")
    assert (row.power, row.power_value, row.power_unit, row.watts) == (False, None, None, None)


def test_power_alone_is_no_result() -> None:
    assert rows(power_row()) == []
    other = power_row(Location="closed/Acme/results/other/bert-99/Offline")
    (row,) = rows(ROW, other)
    assert row.power_value is None


def test_rows_of_a_file_are_told_once_and_in_their_order() -> None:
    given_ = [{**ROW, **V2, "Location": f"closed/Acme/results/box{n}/bert-99/Offline"} for n in range(5)]
    shuffled = [*given_, *given_]
    random.Random(1).shuffle(shuffled)
    found = rows(*given_, *shuffled)
    assert [row.location for row in found] == [each["Location"] for each in given_]


# ---- what is missing, and what is something else


@pytest.mark.parametrize("nothing", [None, "", "None", "N/A", "n/a", "-", {}, [], {"a": "b"}, "\0"])
def test_words_for_nothing_are_null(nothing: object) -> None:
    kept = {"version", "MlperfModel", "Scenario", "Location", "Result", "Units"}
    (row,) = rows({name: value if name in kept else nothing for name, value in ROW.items()})
    told = {name: value for name, value in msgspec.to_builtins(row).items() if value not in ([], "", None)}
    assert set(told) == {
        "uid", "round", "benchmark", "scenario", "location", "origin", "task", "value", "unit", "lower_is_better",
        "samples_per_second", "power", "official", "source_kind",
    }  # fmt: skip
    assert row.origin is Origin.LOCAL and row.source is None and row.url is None


@pytest.mark.parametrize(
    ("name", "value", "field", "told"),
    [
        ("Result", "100.5", "value", 100.5),
        ("Result", {"a": 1}, "value", None),
        ("Result", True, "value", None),
        ("Accuracy", "90.25", "accuracy", 90.25),
        ("Accuracy", "None", "accuracy_metric", None),
        ("accelerators_per_node", "(8,4)", "accelerators_per_node", None),
        ("accelerators_per_node", 8.0, "accelerators_per_node", 8),
        ("host_processor_core_count", 64, "cores", 64),
        ("Organization", 7, "organisation", "7"),
        ("Division", {"closed": 1}, "division", ""),
        ("Units", {"a": 1}, "unit", "Samples/s"),
        ("Units", ["Watts"], "unit", "Samples/s"),
        ("SystemType", "edge,datacenter", "category", ("datacenter", "edge")),
        ("inferred", 1, "method", Method.INFERRED),
        ("inferred", True, "method", Method.INFERRED),
        ("inferred", "1", "method", Method.INFERRED),
        ("inferred", {"a": 1}, "method", Method.MEASURED),
        ("compliance", 0, "compliance", False),
        ("compliance", "yes", "compliance", None),
        ("compliance", [], "compliance", None),
        ("uid", None, "cm_uid", None),
        ("uid", 7, "cm_uid", "7"),
        ("git_url", "http://example.org/x", "source", None),
        ("git_url", "https://example.org/a b", "source", None),
        ("git_url", "javascript:alert(1)", "url", None),
        ("git_url", "https://example.org/x/", "source", "x"),
        ("git_url", {"a": 1}, "source", None),
    ],
)  # fmt: skip
def test_wrong_types(name: str, value: object, field: str, told: object) -> None:
    assert getattr(one(**{name: value}), field) == told


def test_compliance_of_the_open_division_is_not_looked_at() -> None:
    location = LOCATION.replace("closed", "open")
    assert one(Division="open", Location=location).compliance is None


@pytest.mark.parametrize("part", ["version", "Location", "MlperfModel", "Scenario"])
@pytest.mark.parametrize("value", [None, "", 3, {}, ["v3.0"]])
def test_a_row_without_identity_is_passed_over(part: str, value: object) -> None:
    assert rows({**ROW, part: value}) == []
    without = {name: each for name, each in ROW.items() if name != part}
    assert rows(without, {"Benchmark": "ad", "median_throughput": 3.0}) == []


@pytest.mark.parametrize(
    ("benchmark", "task"),
    [("llama2-70b-99", "language-model"), ("rgat", "graph"), ("3d-unet-99", "medical-imaging"), ("quake", None)],
)
def test_a_round_that_is_not_known(benchmark: str, task: str | None) -> None:
    row = one(version="v9.9", MlperfModel=benchmark, Accuracy=45.0)
    assert (row.round, row.task, row.value) == ("v9.9", task, 100.5)
    assert (row.accuracy, row.accuracy_metric, row.accuracy_target, row.accuracy_met) == (45.0, "accuracy", None, None)
    assert row.uid == uid_of("v9.9", LOCATION, benchmark, "Offline")


def test_a_benchmark_that_the_round_does_not_have() -> None:
    assert one(MlperfModel="bert-77").accuracy_metric == "accuracy"
    assert one(MlperfModel="bert-77").task == "language"


def test_an_accuracy_below_its_target_is_not_met() -> None:
    assert one(Accuracy=89.9).accuracy_met is False


def test_a_source_that_is_given_stands_for_all_rows() -> None:
    source = Source("mine", "https://example.org/mine", "a" * 40)
    (row,) = rows(ROW, kind="summary", source=source)
    assert (row.source, row.source_kind, row.commit, row.origin) == ("mine", "summary", "a" * 40, Origin.LOCAL)
    assert row.url == f"https://example.org/mine/tree/{'a' * 40}/{LOCATION}"


def test_systems_are_told_apart() -> None:
    other = {**ROW, "Location": LOCATION.replace("box", "crate"), "number_of_nodes": 2}
    unhashable = {**ROW, "Location": LOCATION.replace("box", "case"), "number_of_nodes": [2]}
    assert [row.nodes for row in rows(ROW, other, unhashable)] == [1, 2, None]


def test_results_that_are_known_better_are_passed_over_but_for_their_uid() -> None:
    other = {**ROW, "Location": LOCATION.replace("box", "crate")}
    importer = CmImporter(known={uid_of(*PLACE)})
    given_ = msgspec.convert([ROW, ROW, power_row(), other], list[CmRow])
    assert [row.location for row in importer.rows(given_)] == [other["Location"]]
    uid = uid_of(*PLACE)
    # The uid of the result: that of its power is another one.
    assert importer.passed_over == [(uid, "v3.0", ROW["uid"])] * 2


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text() | st.just("Watts"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=3,
)
_FIELDS = sorted(set(CmRow.__struct_fields__) - {"assay", "assay_row"})


@given(st.lists(st.dictionaries(st.sampled_from(_FIELDS), _JSON), max_size=4))
@example([{"Result": 1.0, "Units": {}}])
def test_any_row_of_any_types_makes_rows_that_can_be_kept(changes: list[dict[str, Any]]) -> None:
    encoded = msgspec.json.encode([{**ROW, **each} for each in changes])
    for row in CmImporter().rows(msgspec.json.decode(encoded, type=list[CmRow])):
        assert msgspec.json.decode(msgspec.json.encode(row), type=Row) == row
