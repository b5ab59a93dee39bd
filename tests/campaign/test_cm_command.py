"""Commands of the documents of the v3.1 challenge, translated; what comes out has to be commands that exist."""

from __future__ import annotations

import shlex
from pathlib import Path

import click
import pytest

from assay.campaign.cm_command import translate
from assay.cli.main import assay, run
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
            "assay run bert-99 --scenario Server --mode both --category datacenter --division open --target-qps 15",
            "assay run bert-99 --scenario Offline --mode both --category datacenter --division open --target-qps 20",
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
            "assay run gptj-99 --scenario SingleStream --mode performance --backend-option "
            "address=http://127.0.0.1:8000 --target-latency 900ms"
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
    ("python3 -m pip install cmind -U", []),
    ('export CM_SCRIPT_EXTRA_CMD="--adr.python.name=mlperf"', []),
    ("export CM_REPOS=/large/disk/CM", []),
    (
        "cm run script --tags=run,terraform,_m7g.xlarge,_storage_size.500,_ubuntu.2204,_us-west-2 --cminit "
        "--key_file=$HOME/cmuser.pem",
        ["assay doctor"],
    ),
    ('cm run script "get cudnn" --tar_file=cudnn.tar', []),
    ('cm run script "get tensorrt" --tar_file=TensorRT.tar.gz', []),
    ('cm run script "get cuda" --out=json', ["assay backends"]),
    ('cm run script "get cuda-devices"', ["assay system show"]),
    ('cmr "install cuda prebuilt _driver" --version=11.8.0', ["assay backends"]),
    ("cm docker script --tags=detect,os -j", ["assay system show"]),
    ("cm docker script --tags=build,nvidia,inference,server --cuda_run_file_path=x", []),
    ("cm rm repo mlcommons@ck --all", []),
    ("cm rm repo me@results --all", ["assay repo remove me@results --files"]),
    ("cm pull repo mlcommons@ck_mlperf_results", ["assay repo pull mlcommons@ck_mlperf_results"]),
    ("cm show cache --tags=get,cuda", ["assay assets list"]),
    (
        'cmr "generate-run-cmds inference _populate-readme _all-scenarios" --model=bert-99 --device=cpu '
        "--implementation=reference --backend=onnxruntime --execution-mode=valid --category=edge --division=open --quiet",
        [],
    ),
    (
        'cmr "run-mlperf inference _find-performance _all-scenarios" --model=bert-99 --category=datacenter --division=open',
        [
            "assay find-rate bert-99 --category datacenter --division open",
            "assay run bert-99 --scenario Offline --mode performance --category datacenter --division open",
        ],
    ),
    (
        'cmr "run-mlperf inference _submission" --model=bert-99 --scenario=Offline --execution-mode=valid --division=closed '
        "--category=edge --power=yes --adr.mlperf-power-client.power_server=192.168.0.15 "
        "--adr.mlperf-power-client.port=4950",
        [
            "assay run bert-99 --scenario Offline --mode both --category edge --division closed --power 192.168.0.15:4950",
            "assay compliance run bert-99 --scenario Offline --category edge --division closed",
        ],
    ),
    (
        "cm run script --tags=run,mlperf,power,server --device_type=49 --device_port=/dev/usbtmc0",
        [
            "assay power director --ptd PTDAEMON --device-type 49 --device /dev/usbtmc0 --listen 0.0.0.0:4950",
        ],
    ),
    (
        "cm run script --tags=run,mlperf,power,client --power_server=10.0.0.2",
        [
            "assay power measure --director 10.0.0.2:4950 -o power-run assay run resnet50 --scenario Offline --mode "
            "performance",
        ],
    ),
    (
        "cm run script --tags=run,mobilenet-models,_tflite,_find-performance --adr.compiler.tags=gcc",
        [
            f"assay run {model} --scenario SingleStream --mode performance"
            for model in ("mobilenet-v2", "efficientnet-lite0")
        ],
    ),
    (
        'cmr "run-mlperf inference _submission" --model=efficientnet --backend=tflite --scenario=SingleStream',
        ["assay run efficientnet-lite0 --scenario SingleStream --mode both"],
    ),
    (
        "cm run script --tags=reproduce,mlperf,inference,nvidia,harness,_build_engine --model=resnet50",
        ["assay implementations build ./MANIFEST.yaml"],
    ),
    (
        "cm run script --tags=reproduce,mlperf,inference,nvidia,harness,_run_harness --model=bert-99",
        ["assay run bert-99 --implementation ./MANIFEST.yaml --mode both"],
    ),
    (
        'cmr "import mlperf inference to-experiment" --target_repo=local --submission_dir=tree',
        ["assay results import tree"],
    ),
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
    while isinstance(command, click.Group) and words:
        inner = command.get_command(context, words[0])
        assert inner is not None, line
        command, words = inner, words[1:]
        context = click.Context(inner, info_name=inner.name, parent=context)
    command.parse_args(click.Context(command, info_name="x", resilient_parsing=True), list(words))
    words = words[: words.index("assay")] if "assay" in words else words  # behind it stands a command of its own
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
        "assay campaign",
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
        translate("cm run script --tags=make,coffee")
    with pytest.raises(NotFoundError, match="unknown benchmark"):
        translate("cm run script --tags=run-mlperf,inference --model=yolo")


def dry(line: str) -> list[str]:
    """A command of assay as one that only says what it would do; one inside another is taken out of it."""
    words = shlex.split(line)[1:]
    return [*(words[words.index("assay") + 1 :] if "assay" in words else words), "--dry-run"]


PLANNED = sorted(
    {
        line
        for _, lines in DOCUMENTED
        for line in lines
        if line.startswith(("assay run", "assay find-rate", "assay compliance run", "assay power measure"))
        and "MANIFEST" not in line
    }
)


@pytest.mark.parametrize("line", PLANNED)
def test_an_equivalent_that_runs_something_can_be_planned(
    line: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(dry(line))
    captured = capsys.readouterr()
    # What a machine lacks, such as an engine, is no mistake of the command.
    assert code in (0, 3), captured.err
    if code == 3:
        assert "is not installed" in captured.err or "official" in captured.err, captured.err
