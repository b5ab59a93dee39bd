"""Commands of the documents of the v3.1 challenge, translated; what comes out has to be commands that exist."""

from __future__ import annotations

import shlex

import click
import pytest

from assay.campaign.cm_command import translate
from assay.cli.main import assay
from assay.errors import InvalidInputError, NotFoundError

DOCUMENTED = (
    (
        "cm run script --tags=run-mlperf,inference,_find-performance,_all-scenarios --model=resnet50 "
        "--implementation=reference --device=cpu --backend=onnxruntime --category=edge --division=open --quiet",
        [
            f"assay run resnet50 --scenario {scenario} --mode performance --backend onnxruntime --category edge "
            "--division open"
            for scenario in ("SingleStream", "MultiStream", "Offline")
        ],
    ),
    (
        "cm run script --tags=generate-run-cmds,inference,_submission,_all-scenarios --model=bert-99 --device=cpu "
        "--implementation=reference --backend=pytorch --execution-mode=valid --category=datacenter --division=open "
        "--offline_target_qps=20 --server_target_qps=15 --quiet",
        [
            "assay run bert-99 --scenario Server --mode both --backend torch --category datacenter --division open "
            "--target-qps 15",
            "assay run bert-99 --scenario Offline --mode both --backend torch --category datacenter --division open "
            "--target-qps 20",
        ],
    ),
    (
        "cm run script --tags=run,mlperf,inference,run-mlperf,_submission --model=bert-99 --precision=int8 "
        "--backend=deepsparse --device=cpu --scenario=Offline --mode=performance --execution_mode=valid "
        "--adr.mlperf-inference-implementation.max_batchsize=384 --offline_target_qps=20 --results_dir=$HOME/results_dir",
        ["assay run bert-99 --scenario Offline --mode both --precision int8 --batch-size 384 --target-qps 20"],
    ),
    (
        'cm run script "app mlperf inference generic _python _bert-99 _onnxruntime _cpu" --scenario=Offline '
        "--mode=accuracy --test_query_count=10 --rerun",
        ["assay run bert-99 --scenario Offline --mode accuracy --backend onnxruntime --samples 10"],
    ),
    (
        'cmr "run-mlperf inference _find-performance" --model=gpt-j-99 --scenario=SingleStream --device=cuda '
        "--backend=pytorch --precision=bfloat16 --singlestream_target_latency=900",
        [
            "assay run gptj-99 --scenario SingleStream --mode performance --backend torch --precision bf16 "
            "--target-latency 900ms"
        ],
    ),
    (
        'cmr "generate inference submission" --clean --preprocess_submission=yes --run-checker --submitter=CTuning '
        "--tar=yes --env.CM_TAR_OUTFILE=submission.tar.gz --division=open --category=edge --hw_name=box --quiet",
        [
            "assay system init --name box",
            "assay submission build --out submission --submitter CTuning --division open --category edge --system box "
            "--pack submission.tar.gz",
        ],
    ),
    ("cm run script --tags=get,imagenet,dataset,_2012,_full --input=DIR", ["assay assets add imagenet2012 --path DIR"]),
    ('cm run script "get dataset squad original"', ["assay assets fetch squad-v1.1"]),
    ('cm run script "get ml-model language-processing bert-large _onnx"', ["assay assets fetch bert-large"]),
    ("cm run script --tags=run,mlperf,inference,submission,checker --submission_dir=tree", ["assay check tree"]),
    ("cm run script --tags=run,mlperf,inference,truncation --submission_dir=tree", ["assay truncate tree"]),
    ("cm pull repo mlcommons@ck", []),
    ("cm pull repo mlcommons@cm4mlperf-results", ["assay repo pull mlcommons@cm4mlperf-results"]),
    (
        'cmr "get git repo _repo.https://github.com/ctuning/mlperf_inference_submissions_v3.1" --env.CM_GIT_CHECKOUT=main',
        ["assay results import mlperf_inference_submissions_v3.1"],
    ),
    ('cmr "gui _graph"', ["assay serve"]),
    ('cm run script "get sys-utils-cm" --quiet', ["assay doctor"]),
    ('cm run script "get mlperf loadgen"', []),
    ('cm run script "get mlperf inference src"', []),
    ('cm run script "install python-venv" --name=mlperf', []),
    ("cm show cache", ["assay assets list"]),
    ("cm rm cache -f", ["assay assets list"]),
    (
        'cmr "push github mlperf inference submission" --submission_dir=tree --repo_url=FORK --commit_message=x',
        ["assay push tree --to https://your.server"],
    ),
)


@pytest.mark.parametrize(("text", "commands"), DOCUMENTED)
def test_a_documented_command_has_an_equivalent(text: str, commands: list[str]) -> None:
    made = translate(text)
    assert made.commands == commands
    assert made.commands or made.notes


@pytest.mark.parametrize("line", sorted({line for _, lines in DOCUMENTED for line in lines}))
def test_an_equivalent_is_a_command_that_exists(line: str) -> None:
    words = shlex.split(line)[1:]
    command: click.Command = assay
    context = click.Context(assay, info_name="assay")
    while isinstance(command, click.Group):
        inner = command.get_command(context, words[0])
        assert inner is not None, line
        command, words = inner, words[1:]
        context = click.Context(inner, info_name=inner.name, parent=context)
    command.parse_args(click.Context(command, info_name="x", resilient_parsing=True), list(words))
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known


def test_what_is_different_is_told() -> None:
    made = translate(
        "cm run script --tags=run-mlperf,inference,_submission --model=resnet50 --implementation=reference --power=yes "
        "--device=cuda --division=closed --frobnicate=3"
    )
    text = "\n".join(made.notes)
    for words in (
        "mlcommons-reference-resnet50",
        "--power HOST:4950",
        "assay compliance",
        "--device=cuda",
        "--frobnicate",
    ):
        assert words in text
    assert "tensorrt is no engine of assay" in "\n".join(
        translate("cmr run-mlperf,inference --model=resnet50 --backend=tensorrt").notes
    )


def test_power_goes_to_the_named_director() -> None:
    power = (
        "--power=yes --adr.mlperf-power-client.power_server=10.0.0.2 --adr.mlperf-power-client.ntp_server=pool.ntp.org"
    )
    base = "cm run script --tags=app,mlperf,inference --model=resnet50 --scenario=Offline --execution-mode=valid"
    made = translate(f"{base} {power} --adr.mlperf-power-client.max_amps=1")
    assert any("--power 10.0.0.2:4950 --power-ntp pool.ntp.org" in each for each in made.commands)
    assert made.notes[-1:] == ["not translated: --adr.mlperf-power-client.max_amps"]
    assert "--power" not in " ".join(translate(f"{base} {power} --mode=accuracy").commands)


def test_what_has_no_counterpart_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="nothing in assay does what this command does"):
        translate("cm run script --tags=install,cuda")
    with pytest.raises(NotFoundError, match="unknown benchmark"):
        translate("cm run script --tags=run-mlperf,inference --model=mobilenet")
