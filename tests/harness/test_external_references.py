"""The shipped manifests give the commands of the references' own documentation, with the run's files in place.

Sources: README.md, run_local.sh, run_common.sh, run.sh and Makefile of each, mlcommons/inference v3.1 (DLRM: v3.0), and the
options that main.py or run.py parses there.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.harness.external.catalogue import load_implementations
from assay.harness.external.command import Chosen
from assay.rules.model import Mode, Scenario

VALUES = {
    "model": "MODEL", "dataset": "DATA", "user_conf": "USER", "mlperf_conf": "RULES", "sample_limit": "13368",
}  # fmt: skip
VISION = (
    "python3 python/main.py --profile {profile} --mlperf_conf RULES --user_conf USER --model MODEL --dataset-path {data} "
    "--output OUT --scenario {scenario}"
)
COMMANDS = {
    "resnet50": (
        Scenario.OFFLINE,
        VISION.format(profile="resnet50-onnxruntime", data="DATA", scenario="Offline")
        + " --dataset imagenet --outputs ArgMax:0 --accuracy",
    ),
    "retinanet": (
        Scenario.SERVER,
        VISION.format(
            profile="retinanet-onnxruntime",
            data="DATA/validation/data --dataset-list DATA/annotations/openimages-mlperf.json",
            scenario="Server",
        )
        + " --dataset openimages-800-retinanet-onnx --outputs boxes,labels,scores --accuracy",
    ),
    "bert": (
        Scenario.MULTI_STREAM,
        "python3 run.py --backend=onnxruntime --scenario=MultiStream --mlperf_conf=RULES --user_conf=USER --accuracy",
    ),
    "rnnt": (
        Scenario.SERVER,
        "python run.py --backend pytorch --dataset_dir DATA --manifest DATA/dev-clean-wav.json --pytorch_config_toml "
        "pytorch/configs/rnnt.toml --pytorch_checkpoint pytorch/work_dir/rnnt.pt --mlperf_conf RULES --user_conf USER "
        "--scenario Server --log_dir OUT --accuracy",
    ),
    "3d-unet": (
        Scenario.SINGLE_STREAM,
        "python3 run.py --backend=onnxruntime --scenario=SingleStream --model=MODEL --preprocessed_data_dir=DATA "
        "--mlperf_conf=RULES --user_conf=USER --accuracy",
    ),
    "dlrm-v2": (
        Scenario.OFFLINE,
        "python python/main.py --profile dlrm-multihot-pytorch --mlperf_conf RULES --user_conf USER --model dlrm --model-path "
        "model --dataset multihot-criteo --dataset-path DATA --output OUT --scenario Offline --max-ind-range=40000000 "
        "--samples-to-aggregate-quantile-file=./tools/dist_quantile.txt --max-batchsize=2048 "
        "--samples-per-query-offline=204800 --accuracy",
    ),
    "dlrm": (
        Scenario.SERVER,
        "python python/main.py --profile dlrm-terabyte-pytorch --mlperf_conf RULES --user_conf USER --model dlrm --model-path "
        "model/dlrm_terabyte.pytorch --dataset terabyte --dataset-path DATA --output OUT --scenario Server "
        "--max-ind-range=40000000 --samples-to-aggregate-quantile-file=./tools/dist_quantile.txt --max-batchsize=2048 "
        "--accuracy",
    ),
    "gptj": (
        Scenario.OFFLINE,
        "python main.py --scenario=Offline --model-path=./model/ --dataset-path=DATA --dtype=float32 --mlperf_conf=RULES "
        "--user_conf=USER --max_examples=13368 --accuracy",
    ),
}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_reference_is_started_as_its_documentation_says(home: Path, name: str) -> None:
    of = load_implementations(Settings(home=home))[f"mlcommons-reference-{name}"]
    words = {key: each.default or "" for key, each in of.parameters.items()}
    scenario, expected = COMMANDS[name]
    chosen = Chosen(of, Path("/checkout"), words)
    found = chosen.invocation(scenario, Mode.ACCURACY, VALUES, frozenset(), Path("OUT"))
    assert " ".join(found.command) == expected
    plain = chosen.invocation(scenario, Mode.PERFORMANCE, VALUES, frozenset(), Path("OUT"))
    assert " ".join(plain.command) == expected.removesuffix(" --accuracy")


def test_every_reference_is_looked_at(home: Path) -> None:
    known = {name for name in load_implementations(Settings(home=home)) if name.startswith("mlcommons-reference-")}
    assert known == {f"mlcommons-reference-{name}" for name in COMMANDS}


def test_what_was_chosen_stands_where_the_documentation_has_it(home: Path) -> None:
    of = load_implementations(Settings(home=home))["mlcommons-reference-gptj"]
    words = {key: each.default or "" for key, each in of.parameters.items()} | {"gpu": "--gpu"}
    found = Chosen(of, Path("/checkout"), words).invocation(
        Scenario.OFFLINE, Mode.PERFORMANCE, VALUES, frozenset(), Path("OUT")
    )
    assert found.command[-1] == "--gpu"
