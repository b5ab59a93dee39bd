from __future__ import annotations

import pytest

from assay.errors import NotFoundError, UsageError
from assay.loadgen.audit import asked_tests, audit_of, family, settings_left
from assay.rules.load import load_round


@pytest.mark.parametrize(
    ("round_name", "benchmark", "target"),
    [("v2.0", "ssd-small", 1024), ("v2.0", "ssd-large", 256), ("v3.1", "resnet", 4096), ("v3.1", "retinanet", 256),
     ("v3.0", "3d-unet-99.9", 64), ("v3.1", "bert-99", 4096)],
)  # fmt: skip
def test_test01_keeps_as_many_answers_as_the_rounds_file_says(round_name: str, benchmark: str, target: int) -> None:
    round_ = load_round(round_name)
    audit = audit_of("TEST01", round_.benchmark(benchmark), round_)
    assert audit.text().splitlines()[1:] == [
        "*.*.mode = 2",
        "*.*.accuracy_log_rng_seed = 720381539243781796",
        f"*.*.accuracy_log_sampling_target = {target}",
    ]
    assert audit.effective()["effective_accuracy_log_sampling_target"] == target
    assert not audit.attributes


def test_test04_repeats_one_sample_and_its_first_part_none() -> None:
    round_ = load_round("v2.0")
    resnet = round_.benchmark("resnet")
    first, second = (audit_of(test, resnet, round_).effective() for test in ("TEST04-A", "TEST04-B"))
    assert (first["effective_performance_issue_unique"], first["effective_performance_issue_same"]) == (1, 0)
    assert (second["effective_performance_issue_unique"], second["effective_performance_issue_same"]) == (0, 1)
    assert second["effective_performance_issue_same_index"] == 3
    assert audit_of("TEST04", resnet, round_).keys == audit_of("TEST04-B", resnet, round_).keys


@pytest.mark.parametrize("name", ["v2.0", "v2.1", "v3.0", "v3.1"])
def test_the_seeds_of_test05_are_in_the_file_and_pinned(name: str) -> None:
    round_ = load_round(name)
    audit = audit_of("TEST05", round_.benchmark("resnet"), round_)
    seeds = round_.test05_seeds
    wanted = {
        "qsl_rng_seed": seeds.qsl,
        "sample_index_rng_seed": seeds.sample_index,
        "schedule_rng_seed": seeds.schedule,
    }
    assert audit.attributes == wanted
    assert all(f"*.*.{key} = {value}\n" in audit.text() for key, value in wanted.items())


def test_the_rounds_tests_in_its_order_and_a_part_brings_the_other() -> None:
    old, new = load_round("v2.0"), load_round("v3.1")
    assert asked_tests((), new.benchmark("resnet"), new) == ("TEST01", "TEST04", "TEST05")
    assert asked_tests((), new.benchmark("bert-99"), new) == ("TEST01", "TEST05")
    assert asked_tests(("test05", "TEST01"), new.benchmark("resnet"), new) == ("TEST01", "TEST05")
    assert asked_tests(("TEST04-B",), old.benchmark("resnet"), old) == ("TEST04-A", "TEST04-B")
    assert asked_tests(("TEST04",), old.benchmark("resnet"), old) == ("TEST04-A", "TEST04-B")
    assert family("TEST04-A") == "TEST04"


def test_what_a_round_does_not_ask_is_refused() -> None:
    new = load_round("v3.1")
    with pytest.raises(UsageError, match="does not ask TEST04 of bert-99"):
        asked_tests(("TEST04",), new.benchmark("bert-99"), new)
    with pytest.raises(UsageError, match="asks no compliance test of gptj-99"):
        asked_tests((), new.benchmark("gptj-99"), new)
    with pytest.raises(NotFoundError, match="TEST07 cannot be run"):
        audit_of("TEST07", new.benchmark("resnet"), new)


def test_test06_keeps_the_tokens_of_a_hundred_samples() -> None:
    newest = load_round("v4.0")
    llama = newest.benchmark("llama2-70b-99")
    assert asked_tests((), llama, newest) == ("TEST06",)
    audit = audit_of("TEST06", llama, newest)
    # As compliance/nvidia/TEST06/audit.config of v4.0.
    assert audit.text().splitlines()[1:] == [
        "*.*.mode = 2",
        "*.*.accuracy_log_rng_seed = 720381539243781796",
        "*.*.accuracy_log_sampling_target = 100",
        "*.*.min_query_count = 100",
        "*.*.min_duration = 0",
        "*.*.sample_concatenate_permutation = 0",
    ]
    assert "effective_min_query_count" not in audit.effective()


EVERY = ["TEST01", "TEST04", "TEST05"]
VARYING = ["TEST01", "TEST05"]
OLD = ["TEST01", "TEST04-A", "TEST04-B", "TEST05"]


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("v2.0", {"resnet": OLD, "ssd-small": OLD, "ssd-large": OLD}),
        ("v2.1", {"resnet": EVERY}),
        ("v3.0", {"resnet": EVERY}),
        ("v3.1", {"resnet": EVERY, "gptj-99": [], "gptj-99.9": [], "gpt3-99": [], "gpt3-99.9": []}),
        ("v4.0", {"resnet": EVERY, "gptj-99": [], "gptj-99.9": [], "stable-diffusion-xl": [],
                  "llama2-70b-99": ["TEST06"], "llama2-70b-99.9": ["TEST06"]}),
    ],
)  # fmt: skip
def test_what_each_round_asks_of_each_benchmark(name: str, asked: dict[str, list[str]]) -> None:
    # check_compliance_dir of each round's submission_checker.py: TEST04 only where all samples are of one size.
    round_ = load_round(name)
    found = {each.name: list(each.compliance) for each in round_.benchmarks.values()}
    assert found == {**dict.fromkeys(found, VARYING), **asked}
    for benchmark in round_.benchmarks.values():
        for test in benchmark.compliance:
            assert audit_of(test, benchmark, round_).text()


@pytest.mark.parametrize("off", [None, False, 0, 0.0, "0"])
def test_a_plain_log_has_no_settings_of_a_test(off: object) -> None:
    assert list(settings_left(lambda key: off)) == []


def test_settings_of_a_test_are_found_in_a_plain_log() -> None:
    values = {
        "effective_performance_issue_same": True,
        "effective_performance_issue_same_index": 3,
        "effective_accuracy_log_sampling_target": 4096,
        "effective_accuracy_log_rng_seed": 1,
    }
    assert dict(settings_left(values.get)) == {"performance_issue_same": True, "accuracy_log_sampling_target": 4096}
