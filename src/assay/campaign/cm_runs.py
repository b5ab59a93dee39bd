"""Commands of CM that run a benchmark, in the words of assay: runs, the search for a rate, compliance tests, power."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field

from assay.campaign.cm_words import CmCommand
from assay.errors import AssayError
from assay.rules.load import load_round
from assay.rules.model import Benchmark, Category, Round, Scenario

_ROUND = "v3.1"
_BACKENDS = {"onnxruntime": "onnxruntime", "openvino": "openvino"}
_FORMS = {"pytorch": ("torch", ".pt"), "tflite": ("litert", ".tflite"), "litert": ("litert", ".tflite")}
"""Engines that read a form which the models of the catalogue do not have, and that form."""
_PRECISIONS = {
    "fp32": "fp32",
    "float32": "fp32",
    "float16": "fp16",
    "fp16": "fp16",
    "bfloat16": "bf16",
    "int8": "int8",
    "uint8": "int8",
}
_NAMES = {
    "gptj": "gptj-99", "gpt-j": "gptj-99", "gpt-j-99": "gptj-99", "gpt-j-99.9": "gptj-99.9", "dlrm-99": "dlrm-v2-99",
    "dlrm-99.9": "dlrm-v2-99.9", "dlrm-v2-99": "dlrm-v2-99", "3d-unet": "3d-unet-99", "bert": "bert-99",
}  # fmt: skip
_OPEN_MODELS = {
    "mobilenet": "mobilenet-v2", "mobilenet-v1": "mobilenet-v2", "mobilenet-v2": "mobilenet-v2",
    "mobilenet-v3": "mobilenet-v2", "efficientnet": "efficientnet-lite0",
}  # fmt: skip
"""Models of the open division in CM's words, and what the catalogue has of them."""
_CLIENT = "adr.mlperf-power-client"
_ON_A_SERVER = "language-model"
"""The task whose model is too large for the catalogue's own engines, and is asked on a server."""
_REFERENCES = {
    "resnet": "resnet50", "retinanet": "retinanet", "bert": "bert", "rnnt": "rnnt", "3d-unet": "3d-unet", "dlrm": "dlrm-v2",
    "gptj": "gptj",
}  # fmt: skip


@dataclass(slots=True)
class Translation:
    """A command of CM in the words of assay.

    Attributes:
        commands: what does the same, in order; empty where nothing has to be done.
        notes: what is different.
    """

    commands: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def say(self, *words: str) -> None:
        """Add a command of assay."""
        self.commands.append(shlex.join(("assay", *words)))


def translate_run(command: CmCommand, made: Translation) -> None:
    """Add what runs the benchmark that a command of CM names."""
    round_ = load_round(_ROUND)
    name = (command.flag("model") or _variation_model(command, round_) or "resnet50").casefold()
    if "populate-readme" in command.variations:
        made.notes.append("READMEs are written by assay submission build, from what ran")
        return
    mode = _mode(command)
    if name in _OPEN_MODELS:
        _open_model(command, _OPEN_MODELS[name], mode, made)
        return
    benchmark = _benchmark(_NAMES.get(name, name), round_)
    if _only_finds(command):
        made.notes.append("a run without a target measures the engine first; no separate step finds one")
    for scenario in _scenarios(command, benchmark):
        _scenario(command, benchmark, scenario, mode, made)
    _more(command, benchmark, mode, made)


def translate_open_models(command: CmCommand, made: Translation) -> None:
    """Add the runs of mobilenets and efficientnets, which CM has a script of its own for."""
    only = {"find-performance": "performance", "performance-only": "performance", "accuracy-only": "accuracy"}
    mode = next((only[each] for each in command.variations if each in only), "both")
    for model in dict.fromkeys(_OPEN_MODELS.values()):
        _open_model(command, model, mode, made)


def translate_power_client(command: CmCommand, made: Translation) -> None:
    """Add what measures power beside any command."""
    words = ["power", "measure", "--director", _director(command) or "POWER-SERVER:4950"]
    clock = command.flag(f"{_CLIENT}.ntp_server", "ntp-server")
    words += ["--ntp", clock] if clock else []
    made.say(*words, "-o", "power-run", "assay", "run", "resnet50", "--scenario", "Offline", "--mode", "performance")
    made.notes.append("any command that runs LoadGen may stand at the end; a run of assay's own has --power HOST:4950")


def _mode(command: CmCommand) -> str:
    modes = {"accuracy-only": "accuracy", "submission": "both", "all-modes": "both"}
    mode = next((modes[each] for each in command.variations if each in modes), None) or command.flag("mode")
    return mode if mode in ("accuracy", "both") else "performance"


def _only_finds(command: CmCommand) -> bool:
    """Whether CM would say that it looks for a target: when it is told to, and when it is not told what to do."""
    return "find-performance" in command.variations or not {"submission", "all-modes"} & set(command.variations)


def _scenario(command: CmCommand, benchmark: Benchmark, scenario: Scenario, mode: str, made: Translation) -> None:
    model, words = _model(benchmark), _settings(command, scenario, mode, made, benchmark)
    rate = command.flag("server-target-qps", "target-qps")
    if scenario is Scenario.SERVER and rate is None and "find-performance" in command.variations:
        made.say("find-rate", model, *(word for word in words if word != "--quick"))
        return
    made.say(
        "run",
        model,
        "--scenario",
        scenario.value,
        "--mode",
        mode,
        *words,
        *(_power(command) if mode != "accuracy" else ()),
    )
    closed = command.flag("division") == "closed" or command.flag("compliance") == "yes"
    if closed and mode == "both" and command.flag("compliance") != "no" and benchmark.compliance:
        made.say("compliance", "run", model, "--scenario", scenario.value, *words)


def _power(command: CmCommand) -> list[str]:
    """Power by the director that the command names, in the performance run."""
    director, clock = _director(command), command.flag(f"{_CLIENT}.ntp_server")
    if command.flag("power") not in ("yes", "True", "true") or director is None:
        return []
    return ["--power", director, *(["--power-ntp", clock] if clock else [])]


def _director(command: CmCommand) -> str | None:
    host = command.flag(f"{_CLIENT}.power_server", "power-server")
    return f"{host}:{command.flag(f'{_CLIENT}.port', 'port') or '4950'}" if host else None


def _open_model(command: CmCommand, model: str, mode: str, made: Translation) -> None:
    """A model that is no benchmark, of the open division."""
    scenario = Scenario(Scenario.parse(command.flag("scenario") or Scenario.SINGLE_STREAM.value).value)
    made.say("run", model, "--scenario", scenario.value, "--mode", mode, *_settings(command, scenario, mode, made))
    note_once(made, "the catalogue has one of each family (assay assets list --kind model); another one: --model FILE")


def _variation_model(command: CmCommand, round_: Round) -> str | None:
    """The model among the variations of the general script, as in ``_bert-99``."""
    for each in command.variations:
        name = _NAMES.get(each, each)
        if any(name in (of.name, *of.aliases) for of in round_.benchmarks.values()):
            return name
    return None


def _benchmark(name: str, round_: Round) -> Benchmark:
    try:
        return round_.benchmark(name)
    except AssayError as error:
        error.hint = "a model that is no benchmark is run by its name in the catalogue: assay assets list --kind model"
        raise


def _model(benchmark: Benchmark) -> str:
    """The name that people know it by."""
    return benchmark.aliases[0] if benchmark.name == "resnet" and benchmark.aliases else benchmark.name


def _scenarios(command: CmCommand, benchmark: Benchmark) -> list[Scenario]:
    category = Category.DATACENTER if command.flag("category") == "datacenter" else Category.EDGE
    if "all-scenarios" in command.variations:
        having = benchmark.required.get(category) or next(iter(benchmark.required.values()), ())
        return list(having)
    return [Scenario(Scenario.parse(command.flag("scenario") or "Offline").value)]


def _settings(
    command: CmCommand, scenario: Scenario, mode: str, made: Translation, benchmark: Benchmark | None = None
) -> list[str]:
    words: list[str] = []
    backend, precision = command.flag("backend"), command.flag("precision")
    backend = backend or next((each for each in command.variations if each in {**_BACKENDS, **_FORMS}), None)
    if backend in _BACKENDS:
        words += ["--backend", _BACKENDS[backend]]
    elif backend in _FORMS:
        engine, ending = _FORMS[backend]
        one = f"one of yours: --backend {engine} --model FILE{ending}"
        note_once(
            made, f"{backend}: the catalogue's models are no {ending} files, so the usual engine runs them; {one}"
        )
    elif backend:
        note_once(made, f"{backend} is no engine of assay; a program that has it: docs/how-to/run-another-harness.md")
    if benchmark is not None and benchmark.task == _ON_A_SERVER:
        words += ["--backend-option", "address=http://127.0.0.1:8000"]
        note_once(
            made, f"{benchmark.name} is run on a server, in the server's precision: docs/how-to/drive-a-server.md"
        )
    elif precision in _PRECISIONS:
        words += ["--precision", _PRECISIONS[precision]]
    words += [
        word for name in ("category", "division") if (value := command.flag(name)) for word in (f"--{name}", value)
    ]
    batch = command.flag("adr.mlperf-inference-implementation.max_batchsize")
    threads = command.flag("adr.mlperf-inference-implementation.num_threads")
    words += ["--batch-size", batch] if batch and scenario is not Scenario.SINGLE_STREAM else []
    words += ["--threads", threads] if threads else []
    if mode != "accuracy":
        words += _targets(command, scenario)
        words += ["--quick"] if command.flag("execution-mode") in ("test", "fast") else []
    if (count := command.flag("test-query-count")) is not None:
        words += ["--samples", count]
    return words


def _targets(command: CmCommand, scenario: Scenario) -> list[str]:
    if scenario in (Scenario.OFFLINE, Scenario.SERVER):
        rate = command.flag(f"{scenario.value.lower()}-target-qps", "target-qps")
        return ["--target-qps", rate] if rate else []
    latency = command.flag(f"{scenario.value.lower()}-target-latency", "target-latency")
    return ["--target-latency", f"{latency}ms"] if latency else []


def _more(command: CmCommand, benchmark: Benchmark, mode: str, made: Translation) -> None:
    """What the command does besides, and what is done in another way."""
    if command.flag("execution-mode") in (None, "test") and mode != "accuracy":
        made.notes.append(
            "CM runs a few queries unless told --execution-mode=valid; assay runs as long as the round asks"
        )
    if command.flag("device") not in (None, "cpu"):
        made.notes.append(f"--device={command.flag('device')}: assay backends shows what runs on it here")
    implementation = command.flag("implementation", "lang")
    if implementation == "reference":
        kind = next((name for key, name in _REFERENCES.items() if benchmark.name.startswith(key)), None)
        if kind:
            made.notes.append(
                f"to run the reference itself: --implementation mlcommons-reference-{kind} --implementation-dir CHECKOUT"
            )
    elif implementation:
        made.notes.append(f"{implementation}: write a manifest, docs/how-to/run-another-harness.md")
    if command.flag("results-dir"):
        made.notes.append("runs are kept in assay's home (ASSAY_HOME), not in --results_dir")
    if command.flag("power") == "yes" and not _power(command):
        made.notes.append("power: --power HOST:4950, of a director (assay power director) or of power-dev's server.py")
    if mode == "both":
        made.notes.append("all of a submission in one file that survives an interruption: assay campaign --help")
    if "dashboard" in command.variations:
        made.notes.append("a dashboard of one's own: assay serve; runs are sent to one with assay push")


def note_once(made: Translation, note: str) -> None:
    """Add a note that is not there yet."""
    if note not in made.notes:
        made.notes.append(note)
