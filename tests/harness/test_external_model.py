from __future__ import annotations

from pathlib import Path

from assay.harness.external.forms import read_implementation
from assay.rules.load import load_round

from .test_external_forms import write


def test_an_implementation_knows_its_benchmarks_by_any_of_their_names(tmp_path: Path) -> None:
    round_ = load_round("v3.1")
    every, one = read_implementation(write(tmp_path)), read_implementation(write(tmp_path, benchmarks=["bert-99"]))
    assert every.runs(round_.benchmark("bert-99.9"))
    assert not every.runs(round_.benchmark("resnet50"))
    assert one.runs(round_.benchmark("bert-99"))
    assert not one.runs(round_.benchmark("bert-99.9"))


def test_what_a_run_has_to_know_is_what_the_command_takes(tmp_path: Path) -> None:
    of = read_implementation(write(tmp_path, modes={"accuracy": ["--data={dataset}"]}))
    assert of.takes("model")
    assert of.takes("dataset")
    assert not of.takes("threads")


def test_a_setting_reaches_it_by_a_file_an_option_or_a_placeholder(tmp_path: Path) -> None:
    of = read_implementation(write(tmp_path, options={"threads": ["-t{threads}"]}))
    assert of.hears("threads")
    assert not of.hears("target_qps")
    of = read_implementation(write(tmp_path, command=["run", "{user_conf}"]))
    assert all(of.hears(name) for name in ("target_qps", "target_latency", "duration", "samples"))
    assert not of.hears("sample_limit")
    of = read_implementation(write(tmp_path, command=["run", "--ms={target_latency_ms}", "--s={duration_s}"]))
    assert of.hears("target_latency")
    assert of.hears("duration")
    assert not of.hears("samples")
