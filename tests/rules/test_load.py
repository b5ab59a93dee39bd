from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.base.units import parse_duration
from assay.errors import AssayError, InvalidInputError, NotFoundError
from assay.rules.document import round_document
from assay.rules.load import load_round, read_round, round_names, round_schema
from assay.rules.model import Category, Round, Scenario, TokenLatency

Write = Callable[..., Path]
Broken = Callable[[str, str], tuple[Path, int]]

REPOSITORY = Path(__file__).parents[2]
GOLDEN = REPOSITORY / "tests" / "golden" / "rounds"
SHARED_RULES = REPOSITORY.parent / "shared" / "mlperf" / "rules.yaml"
SOURCES = REPOSITORY / "src" / "assay" / "rules" / "rounds"


def patch(text: str = "", *, extends: str = "v9.0", name: str = "v9.1") -> str:
    return f"extends: {extends}\nname: {name}\nsource: later\n{text}"


# --- the rounds that come with assay ---


@pytest.mark.parametrize("name", round_names())
def test_a_resolved_round_is_its_golden_file(name: str) -> None:
    """After a deliberate change: assay rounds show ROUND --json > tests/golden/rounds/ROUND.json."""
    expected = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    assert round_document(load_round(name)) == expected


@pytest.mark.parametrize("name", round_names())
def test_a_round_is_named_as_its_file_and_names_its_sources(name: str) -> None:
    round_ = load_round(name)
    assert round_.name == name
    assert "mlcommons/inference" in round_.source
    assert "mlperf.conf" in round_.conf_source


@pytest.mark.parametrize("name", ["v3.1", "V3.1", "3.1", " 3.1 "])
def test_a_round_is_found_in_any_spelling_and_read_once(name: str) -> None:
    assert load_round(name) is load_round("v3.1")


@pytest.mark.parametrize("name", ["v3.2", "", "v", "../rounds/v3.1", "v3.1.yaml", "3.1\0"])
def test_an_unknown_round_gets_the_names_there_are(name: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        load_round(name)
    assert caught.value.exit_code == 3
    assert "v3.1" in str(caught.value.expected)
    assert caught.value.hint == "assay rounds"


def test_v31_image_classification() -> None:
    """mlperf.conf and submission_checker.py of mlcommons/inference v3.1 (ce189bda)."""
    round_ = load_round("v3.1")
    resnet = round_.benchmark("resnet50")
    assert resnet.quality[0].target == 76.46 * 0.99
    assert resnet.required == {
        Category.EDGE: (Scenario.SINGLE_STREAM, Scenario.MULTI_STREAM, Scenario.OFFLINE),
        Category.DATACENTER: (Scenario.SERVER, Scenario.OFFLINE),
    }
    assert resnet.conf_model == "resnet50"
    assert resnet.compliance == ("TEST01", "TEST04", "TEST05")
    counts = {scenario: limits.min_query_count for scenario, limits in resnet.limits.items()}
    assert counts == {
        Scenario.SINGLE_STREAM: 100, Scenario.MULTI_STREAM: 662, Scenario.SERVER: 100, Scenario.OFFLINE: 24576,
    }  # fmt: skip
    assert {limits.min_duration_ns for limits in resnet.limits.values()} == {600 * 10**9}
    assert {limits.performance_sample_count for limits in resnet.limits.values()} == {1024}
    assert resnet.limits[Scenario.SERVER].target_latency_ns == 15_000_000


def test_v40_new_benchmarks() -> None:
    """mlperf.conf and submission_checker.py of mlcommons/inference v4.0 (e39003a9)."""
    round_ = load_round("v4.0")
    llama, sdxl = round_.benchmark("llama2-70b-99"), round_.benchmark("sdxl")
    assert llama.token_latency == TokenLatency(first_token_ns=2_000_000_000, per_token_ns=200_000_000)
    assert {scenario: each.result_field for scenario, each in llama.figures.items()} == {
        Scenario.OFFLINE: "result_tokens_per_second",
        Scenario.SERVER: "result_completed_samples_per_sec",
    }
    assert (llama.quality[3].target, llama.quality[3].upper_limit) == (294.45 * 0.9, 294.45 * 1.1)
    assert llama.compliance == ("TEST06",)
    assert llama.categories() == (Category.DATACENTER,)
    assert sdxl.compliance == ()
    assert [(each.target, each.upper_limit) for each in sdxl.quality] == [
        (31.68631873, 31.81331801),
        (23.01085758, 23.95007626),
    ]
    assert len(sdxl.outputs["images"].required) == 10
    fewest = {each.name: each.limits[Scenario.OFFLINE].min_query_count for each in round_.benchmarks.values()}
    assert {name: count for name, count in fewest.items() if count != 24576} == {
        "rnnt": 2513, "bert-99": 10833, "bert-99.9": 10833, "3d-unet-99": 43, "3d-unet-99.9": 43,
        "gptj-99": 13368, "gptj-99.9": 13368, "stable-diffusion-xl": 5000,
    }  # fmt: skip
    assert round_.benchmark("bert-99").limits[Scenario.SINGLE_STREAM].min_query_count == 100


def test_every_target_is_the_double_the_checker_computes() -> None:
    for benchmark in load_round("v3.1").benchmarks.values():
        for target in benchmark.quality:
            assert target.target == target.reference * target.ratio, (benchmark.name, target.metric)


def test_placeholders_are_flagged_and_nothing_else() -> None:
    flagged = {each.name for each in load_round("v3.1").benchmarks.values() if each.placeholder}
    assert flagged == {"gpt3-99", "gpt3-99.9"}


# --- against the verification data: every number that both state ---


@pytest.fixture(scope="module")
def shared() -> dict[str, Any]:
    if not SHARED_RULES.is_file():
        pytest.skip(f"the verification data are not there: {SHARED_RULES}")
    loaded: dict[str, Any] = yaml.load(SHARED_RULES.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return loaded


@pytest.mark.shared
@pytest.mark.parametrize("name", round_names())
def test_benchmarks_agree_with_the_verification_data(shared: dict[str, Any], name: str) -> None:
    round_, models = load_round(name), shared["rounds"][name]["models"]
    assert set(round_.benchmarks) == set(models)
    for key, facts in models.items():
        benchmark = round_.benchmarks[key]
        for theirs, ours in (
            ("area", benchmark.area), ("reference_model", benchmark.model), ("dataset", benchmark.dataset),
            ("dataset_size", benchmark.dataset_size), ("sample", benchmark.sample),
            ("compliance_tests", list(benchmark.compliance)),
        ):  # fmt: skip
            assert facts[theirs] == ours, (key, theirs)
        assert (facts["conf_model_name"] or key) == benchmark.conf_model
        assert facts.get("placeholder", False) == benchmark.placeholder
        for limits in benchmark.limits.values():
            assert limits.performance_sample_count == facts["performance_sample_count"], key
        assert [(each.metric, each.target) for each in benchmark.quality] == [
            (a["metric"], a["target"]) for a in facts["accuracy"]
        ]
        for target, theirs in zip(benchmark.quality, facts["accuracy"], strict=True):
            # Of text to image there are two ranges, and no reference.
            if key != "stable-diffusion-xl":
                assert (target.reference, target.ratio) == (theirs["reference"], theirs["ratio"])
        limited = {each.metric: each.upper_limit for each in benchmark.quality if each.upper_limit is not None}
        assert limited == {a["metric"]: a["limit"] for a in facts["accuracy_upper_limits"]}
        for target, theirs in zip(benchmark.quality, facts["accuracy"], strict=True):
            # Theirs says more in words: "percent, 100*(1-WER) although named WER", "sum of characters of ...".
            assert target.unit in shared["accuracy_units"].get(theirs["metric"], target.unit)
        for category in Category:
            assert list(benchmark.required.get(category, ())) == (facts["required_scenarios"][category.value] or [])
            assert list(benchmark.optional.get(category, ())) == facts["optional_scenarios"][category.value]
        equal = [scenario for scenario in Scenario if benchmark.limits[scenario].equal_issue]
        assert equal == facts["equal_issue_scenarios"], key
        if facts["server_latency_ns"] is not None:
            assert benchmark.limits[Scenario.SERVER].target_latency_ns == facts["server_latency_ns"], key


@pytest.mark.shared
@pytest.mark.parametrize("name", round_names())
def test_scenarios_and_seeds_agree_with_the_verification_data(shared: dict[str, Any], name: str) -> None:
    round_, facts = load_round(name), shared["rounds"][name]
    for ours, theirs in ((round_.seeds, "seeds"), (round_.test05_seeds, "test05_seeds")):
        assert facts[theirs] == {
            "qsl_rng_seed": ours.qsl,
            "sample_index_rng_seed": ours.sample_index,
            "schedule_rng_seed": ours.schedule,
        }
    assert facts["inference_revision"].startswith(_revision(round_.source))
    for scenario, ours in round_.scenarios.items():
        theirs = shared["scenarios"][scenario.value]
        assert ours.result_field == theirs["result_field"] == facts["result_field"][scenario.value]
        assert (ours.unit, ours.divide_by) == (theirs["unit"], theirs["divide_by"])
        assert (ours.lower_is_better, ours.uses_early_stopping) == (
            theirs["lower_is_better"],
            theirs["uses_early_stopping"],
        )
        assert (round(ours.percentile * 100) if ours.percentile else None) == theirs["percentile"]
        if scenario is not Scenario.OFFLINE:
            assert ours.samples_per_query == theirs["samples_per_query"]


@pytest.mark.shared
@pytest.mark.parametrize("name", round_names())
def test_limits_are_those_of_mlperf_conf(shared: dict[str, Any], name: str) -> None:
    """Each key of mlperf.conf, applied as LoadGen applies it: the model's own first, then ``*``."""
    round_, conf = load_round(name), shared["rounds"][name]["mlperf_conf"]
    override = shared["rounds"][name]["mlperf_conf_performance_sample_count_override"]
    for benchmark in round_.benchmarks.values():
        if benchmark.placeholder:
            continue

        def value(scenario: Scenario, key: str, default: Any, model: str = benchmark.conf_model) -> Any:
            places = [f"{m}.{s}.{key}" for m in (model, "*") for s in (scenario.value, "*")]
            return next((conf[place] for place in places if place in conf), default)

        for scenario, limits in benchmark.limits.items():
            assert limits.min_duration_ns == value(scenario, "min_duration", None) * 1_000_000
            assert limits.min_query_count == value(scenario, "min_query_count", 100)
            assert limits.equal_issue == bool(value(scenario, "sample_concatenate_permutation", 0))
            assert limits.target_qps == value(scenario, "target_qps", None)
            if scenario is Scenario.SERVER and benchmark.token_latency is not None:
                # Tokens have bounds of their own, and the one of the query is left to the checker.
                assert value(scenario, "target_latency", None) == 0
                assert benchmark.token_latency.first_token_ns == value(scenario, "ttft_latency", None) * 1_000_000
                assert benchmark.token_latency.per_token_ns == value(scenario, "tpot_latency", None) * 1_000_000
            elif scenario is not Scenario.OFFLINE:
                assert limits.target_latency_ns == value(scenario, "target_latency", None) * 1_000_000
            if scenario is not Scenario.OFFLINE:
                assert limits.samples_per_query == value(scenario, "samples_per_query", 1)
            if name == "v2.1" and benchmark.conf_model == "3d-unet":
                # The set grew to 43 cases; the checker of this round still asks for 42.
                assert limits.performance_sample_count == 42
                continue
            # 0 and no entry both mean the whole set.
            assert limits.performance_sample_count == (override.get(benchmark.conf_model) or benchmark.dataset_size)


def _revision(source: str) -> str:
    return source.partition("(")[2].partition(")")[0]


# --- files of one's own ---


def test_a_packaged_round_can_be_read_as_a_file() -> None:
    assert read_round(SOURCES / "v3.1.yaml") == load_round("v3.1")


def test_a_round_that_extends_another_states_only_what_it_changes(write: Write) -> None:
    write()
    round_ = read_round(
        write(
            patch(
                "benchmarks:\n  cats-99:\n    server_latency: 20ms\n    optional: {edge: null}\n"
                "  dogs: null\n"
                "scenarios: {MultiStream: {min_query_count: 700}}\n"
            ),
            "v9.1",
        )
    )
    assert (round_.name, round_.source, round_.conf_source) == ("v9.1", "later", "invented")
    assert list(round_.benchmarks) == ["cats-99"]
    cats = round_.benchmark("cats")
    assert cats.limits[Scenario.SERVER].target_latency_ns == 20_000_000
    assert cats.limits[Scenario.MULTI_STREAM].min_query_count == 700
    assert cats.limits[Scenario.SINGLE_STREAM].min_query_count == 100
    assert cats.scenarios(Category.EDGE) == (Scenario.SINGLE_STREAM, Scenario.OFFLINE)


def test_extending_goes_over_several_files(write: Write) -> None:
    write()
    write(patch("seeds: {qsl: 11}\n"), "v9.1")
    round_ = read_round(write(patch("seeds: {schedule: 33}\n", extends="v9.1", name="v9.2"), "v9.2"))
    assert (round_.seeds.qsl, round_.seeds.sample_index, round_.seeds.schedule) == (11, 2, 33)


@pytest.mark.parametrize("extends", ["v3.1", "3.1", "V3.1"])
def test_a_users_file_extends_a_packaged_round(write: Write, extends: str) -> None:
    text = patch("benchmarks: {resnet: {server_latency: 7ms}}\n", extends=f"'{extends}'")
    round_ = read_round(write(text, "v9.1"))
    assert round_.benchmark("resnet").limits[Scenario.SERVER].target_latency_ns == 7_000_000
    assert len(round_.benchmarks) == len(load_round("v3.1").benchmarks)


def test_a_file_named_as_the_round_it_extends_means_the_packaged_one(write: Write) -> None:
    round_ = read_round(write(patch(extends="v3.1", name="v3.1"), "v3.1"))
    assert round_.source == "later"
    assert round_.seeds == load_round("v3.1").seeds


@pytest.mark.parametrize("chain", [["v9.1"], ["v9.1", "v9.2"], ["v9.1", "v9.2", "v9.3"]])
def test_a_cycle_is_told_with_its_way(write: Write, chain: list[str]) -> None:
    for name, base in zip(chain, [*chain[1:], chain[0]], strict=True):
        path = write(patch(extends=base, name=name), name)
    with pytest.raises(InvalidInputError, match="extends itself") as caught:
        read_round(path)
    assert caught.value.found == " -> ".join([chain[-1], *chain])
    assert str(caught.value.where).endswith(".yaml:1: extends")


@pytest.mark.parametrize("extends", ["v8.0", "../v9.0", "/etc/passwd", "''", "..", "a\\b"])
def test_a_base_that_is_not_there(write: Write, extends: str) -> None:
    path = write(patch(extends=extends), "v9.1")
    with pytest.raises(NotFoundError) as caught:
        read_round(path)
    assert caught.value.where == f"{path}:1: extends"
    assert "v3.1" in str(caught.value.expected)


def test_extends_does_not_leave_the_folder(tmp_path: Path, write: Write) -> None:
    write()
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "v9.1.yaml").write_text(patch(extends="../v9.0"))
    with pytest.raises(NotFoundError):
        read_round(inner / "v9.1.yaml")


@pytest.mark.parametrize("value", ["[v3.1]", "{a: b}", "31", "null"])
def test_extends_has_to_be_a_name(write: Write, value: str) -> None:
    with pytest.raises(InvalidInputError, match="not the name of a round") as caught:
        read_round(write(patch(extends=value), "v9.1"))
    assert str(caught.value.where).endswith("v9.1.yaml:1: extends")


@pytest.mark.parametrize("key", ["name", "source"])
def test_a_name_and_a_source_are_not_inherited(write: Write, key: str) -> None:
    write()
    text = "".join(line for line in patch().splitlines(keepends=True) if not line.startswith(key))
    with pytest.raises(InvalidInputError, match=f"{key} is missing"):
        read_round(write(text, "v9.1"))


def test_an_error_is_told_in_the_file_that_made_it(write: Write) -> None:
    base = write()
    over = write(patch("benchmarks:\n  cats-99:\n    dataset_size: none\n"), "v9.1")
    with pytest.raises(InvalidInputError) as caught:
        read_round(over)
    assert caught.value.where == f"{over}:6: benchmarks.cats-99.dataset_size"
    base.write_text(base.read_text().replace("dataset_size: 10\n", "dataset_size: ten\n"))
    over.write_text(patch())
    with pytest.raises(InvalidInputError) as caught:
        read_round(over)
    assert str(caught.value.where).startswith(f"{base}:")
    assert str(caught.value.where).endswith(": benchmarks.dogs.dataset_size")


def test_taking_away_what_is_not_there_is_refused(write: Write) -> None:
    write()
    with pytest.raises(InvalidInputError) as caught:
        read_round(write(patch("benchmarks: {birds: null}\n"), "v9.1"))
    assert str(caught.value.where).endswith("v9.1.yaml:4: benchmarks.birds")


def test_duplicate_keys_and_aliases_are_refused(broken: Broken) -> None:
    path, line = broken("    area: Vision\n", "    area: Vision\n    area: Speech\n")
    with pytest.raises(InvalidInputError, match="given twice") as caught:
        read_round(path)
    assert caught.value.where == f"{path}:{line + 1}: benchmarks.cats-99.area"
    path, line = broken("seeds: {qsl", "seeds: &a {qsl")
    with pytest.raises(InvalidInputError, match="aliases are not allowed") as caught:
        read_round(path)
    assert caught.value.where == f"{path}:{line}"


def test_a_bomb_is_refused_quickly(write: Write) -> None:
    levels = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)]
    for text in ("\n".join(levels), "a: " + "[" * 500_000, "#" * (2 << 20) + "\n#"):
        with pytest.raises(InvalidInputError):
            read_round(write(text))


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_round(tmp_path / "absent.yaml")
    with pytest.raises(InvalidInputError, match="not a file"):
        read_round(tmp_path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_damage_is_a_round_or_an_error_with_a_place(write: Write, data: st.DataObject) -> None:
    """Whatever is cut out of a round file or put into it, the reader answers in its own words."""
    text = write().read_text()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(start + 40, len(text))))
    middle = data.draw(st.one_of(st.text("abc:[]{}-&*!'\"\n 0.,#|>?%@\t", max_size=12), st.text(max_size=5)))
    path = write(text[:start] + middle.encode("utf-8", "replace").decode() + text[end:], "damaged")
    try:
        assert isinstance(read_round(path), Round)
    except AssayError as error:
        assert error.exit_code in (3, 4)
        assert str(path) in str(error.where)


# --- the schema ---


def test_the_schema_names_every_key_of_our_rounds() -> None:
    schema = round_schema()
    full = schema["else"]
    definitions = schema["$defs"]
    for source in SOURCES.glob("*.yaml"):
        document = yaml.load(source.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        if "extends" in document:
            assert set(document) <= set(schema["then"]["properties"])
            continue
        assert set(document) <= set(full["properties"])
        assert set(full["required"]) <= set(document)
        for benchmark in document["benchmarks"].values():
            assert set(benchmark) <= set(definitions["BenchmarkForm"]["properties"])
            assert set(definitions["BenchmarkForm"]["required"]) <= set(benchmark)
    assert json.loads(json.dumps(schema)) == schema


def test_the_schema_asks_for_durations_with_units() -> None:
    duration = round_schema()["$defs"]["ScenarioForm"]["properties"]["min_duration"]
    assert duration["type"] == "string"
    assert all(parse_duration(example) for example in duration["examples"])


def test_a_round_that_extends_needs_little() -> None:
    schema = round_schema()
    assert schema["if"] == {"required": ["extends"]}
    assert schema["then"]["required"] == ["extends", "name", "source"]
    assert "extends" not in schema["else"]["properties"]
