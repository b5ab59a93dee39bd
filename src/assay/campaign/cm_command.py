"""Commands of CM, as the documents of the v3.1 challenge give them, in the words of assay."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass, field

from assay.campaign.cm_words import CmCommand, parse
from assay.errors import AssayError, InvalidInputError
from assay.rules.load import load_round
from assay.rules.model import Benchmark, Category, Round, Scenario

_ROUND = "v3.1"
_BACKENDS = {
    "onnxruntime": "onnxruntime",
    "pytorch": "torch",
    "tflite": "litert",
    "litert": "litert",
    "openvino": "openvino",
}
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
_REFERENCES = {
    "resnet": "resnet50", "retinanet": "retinanet", "bert": "bert", "rnnt": "rnnt", "3d-unet": "3d-unet", "dlrm": "dlrm-v2",
    "gptj": "gptj",
}  # fmt: skip
_DATASETS = {
    "imagenet": "imagenet2012", "openimages": "openimages-mlperf", "squad": "squad-v1.1", "librispeech": "librispeech-dev-clean",
    "kits19": "kits19", "criteo": "criteo-terabyte-multihot", "cnndm": "cnn-dailymail", "coco": "coco2017",
}  # fmt: skip
_MODELS = {
    "resnet50": "resnet50", "retinanet": "retinanet", "bert-large": "bert-large", "rnnt": "rnnt", "3d-unet": "3d-unet-kits19",
    "dlrm": "dlrm-v2", "gptj": "gptj",
}  # fmt: skip
_POWER = "adr.mlperf-power-client"
_TRANSLATED = ("adr.mlperf-inference-impl", f"{_POWER}.power_server", f"{_POWER}.port", f"{_POWER}.ntp_server")
_SILENT = frozenset(
    {"quiet", "execution-mode", "model", "scenario", "mode", "device", "implementation", "lang", "backend", "category"}
    | {
        "division",
        "precision",
        "rerun",
        "clean",
        "results-dir",
        "target-qps",
        "offline-target-qps",
        "server-target-qps",
    }
    | {
        "target-latency",
        "singlestream-target-latency",
        "multistream-target-latency",
        "test-query-count",
        "out",
        "v",
        "power",
    }
    | {
        "run-checker",
        "tar",
        "preprocess-submission",
        "submission-dir",
        "submitter",
        "hw-name",
        "hw-notes-extra",
        "round",
    }
    | {"regenerate-files", "adr.python.name", "adr.python.version_min", "adr.compiler.tags", "compliance", "f", "force"}
)
"""Flags that a rule reads, or that have no counterpart because there is nothing to set."""


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


def translate(text: str) -> Translation:
    """Translate one command of CM.

    Raises:
        InvalidInputError: when it is no command of CM, or one that has no counterpart.
    """
    command = parse(text)
    made = Translation()
    for fits, rule in _RULES:
        if fits(command):
            rule(command, made)
            break
    else:
        raise InvalidInputError(
            "nothing in assay does what this command does",
            found=f"{command.action} {command.automation} {', '.join(sorted(command.tags))}".strip(),
            hint="docs/coming-from-cm.md has the table",
        )
    left = [name for name in command.flags if name not in _SILENT and not name.startswith(_TRANSLATED)]
    if left:
        made.notes.append(f"not translated: {', '.join(f'--{name}' for name in left)}")
    return made


def _run(command: CmCommand, made: Translation) -> None:
    round_ = load_round(_ROUND)
    name = (command.flag("model") or _variation_model(command, round_) or "resnet50").casefold()
    benchmark = _benchmark(_NAMES.get(name, name), round_)
    if "populate-readme" in command.variations:
        made.notes.append("READMEs are written by assay submission build, from what ran")
        return
    modes = {"accuracy-only": "accuracy", "submission": "both", "all-modes": "both"}
    mode = next((modes[each] for each in command.variations if each in modes), None) or command.flag("mode")
    mode = mode if mode in ("accuracy", "both") else "performance"
    if "find-performance" in command.variations or not {"submission", "all-modes"} & set(command.variations):
        made.notes.append("a run without a target measures the engine first; no separate step finds one")
    for scenario in _scenarios(command, benchmark):
        words = ["run", _model(benchmark), "--scenario", scenario.value, "--mode", mode]
        made.say(*words, *_settings(command, scenario, mode, made))
    _more(command, benchmark, mode, made)


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


def _settings(command: CmCommand, scenario: Scenario, mode: str, made: Translation) -> list[str]:
    words: list[str] = []
    backend, precision = command.flag("backend"), command.flag("precision")
    backend = backend or next((each for each in command.variations if each in _BACKENDS), None)
    if backend in _BACKENDS:
        words += ["--backend", _BACKENDS[backend]]
    elif backend:
        _once(made, f"{backend} is no engine of assay; a program that has it: docs/how-to/run-another-harness.md")
    if precision in _PRECISIONS:
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
        words += _power(command)
    if (count := command.flag("test-query-count")) is not None:
        words += ["--samples", count]
    return words


def _power(command: CmCommand) -> list[str]:
    """Power by the director that the command names."""
    host = command.flag(f"{_POWER}.power_server")
    if command.flag("power") != "yes" or host is None:
        return []
    ntp = command.flag(f"{_POWER}.ntp_server")
    port = command.flag(f"{_POWER}.port") or "4950"
    return ["--power", f"{host}:{port}", *(["--power-ntp", ntp] if ntp else [])]


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
    if command.flag("division") == "closed" and mode == "both" and command.flag("compliance") != "no":
        made.notes.append("compliance tests: assay compliance --help")


def _once(made: Translation, note: str) -> None:
    if note not in made.notes:
        made.notes.append(note)


def _build(command: CmCommand, made: Translation) -> None:
    words = ["submission", "build", "--out", command.flag("submission-dir") or "submission"]
    words += ["--submitter", command.flag("submitter") or "YOUR-NAME"]
    words += ["--division", command.flag("division") or "open", "--category", command.flag("category") or "edge"]
    words += ["--system", command.flag("hw-name") or "YOUR-SYSTEM"]
    if packed := command.flag("env.CM_TAR_OUTFILE") or (command.flag("tar") == "yes" and "submission.tar.gz"):
        words += ["--pack", packed]
    made.say("system", "init", "--name", command.flag("hw-name") or "YOUR-SYSTEM")
    made.say(*words)
    made.notes.append("inferred scenarios are filled in, logs truncated and the tree checked by the same command")


def _data(command: CmCommand, made: Translation) -> None:
    name = next((asset for tag, asset in _DATASETS.items() if tag in command.tags), None)
    if name is None:
        raise InvalidInputError(
            "no such dataset in assay", found=", ".join(sorted(command.tags)), hint="assay assets list"
        )
    path = command.flag("input", "path")
    made.say("assets", "add", name, "--path", path) if path else made.say("assets", "fetch", name)


def _get_model(command: CmCommand, made: Translation) -> None:
    name = next((asset for tag, asset in _MODELS.items() if tag in command.tags), None)
    if name is None:
        raise InvalidInputError(
            "no such model in assay", found=", ".join(sorted(command.tags)), hint="assay assets list"
        )
    made.say("assets", "fetch", name)


def _tree(*words: str) -> Callable[[CmCommand, Translation], None]:
    def rule(command: CmCommand, made: Translation) -> None:
        made.say(*words, command.flag("submission-dir", "input") or "submission")

    return rule


def _plain(*words: str, note: str = "") -> Callable[[CmCommand, Translation], None]:
    def rule(command: CmCommand, made: Translation) -> None:
        del command
        if words:
            made.say(*words)
        if note:
            made.notes.append(note)

    return rule


def _pull(command: CmCommand, made: Translation) -> None:
    name = (command.names or ("",))[0] or command.flag("url") or ""
    if name in ("mlcommons@ck", "mlcommons@cm4mlops", "ctuning@mlcommons-ck"):
        made.notes.append("that repository holds CM's scripts, of which assay needs none")
    else:
        made.say("repo", "pull", name)
        made.notes.append("the published results of v2.0 to v3.0 come with assay")


def _clone(command: CmCommand, made: Translation) -> None:
    url = next((each.removeprefix("repo.") for each in command.variations if each.startswith("repo.")), "URL")
    folder = url.rstrip("/").rpartition("/")[2]
    made.notes.append(f"first: git clone --depth 1 {url}")
    made.say("results", "import", folder)


def _push(command: CmCommand, made: Translation) -> None:
    made.notes.append(
        f"commit the tree to your fork and open a pull request: {command.flag('repo-url') or 'its address'}"
    )
    made.say("push", command.flag("submission-dir") or "submission", "--to", "https://your.server")


def _script(*tags: str) -> Callable[[CmCommand], bool]:
    return lambda command: (command.action, command.automation) == ("run", "script") and command.has(*tags)


def _action(action: str, automation: str) -> Callable[[CmCommand], bool]:
    return lambda command: (command.action, command.automation) == (action, automation)


_COMES = "comes with assay: nothing to do"
_RULES: tuple[tuple[Callable[[CmCommand], bool], Callable[[CmCommand, Translation], None]], ...] = (
    (_script("submission", "checker"), _tree("check")),
    (_script("generate", "inference", "submission"), _build),
    (_script("push", "submission"), _push),
    (_script("inference", "truncation"), _tree("truncate")),
    (_script("truncate", "mlperf"), _tree("truncate")),
    (_script("preprocess", "submission"), _tree("preprocess")),
    (_script("mlperf", "power", "server"), _plain(note="the director of power: assay power director --help")),
    (
        _script("mlperf", "power", "client"),
        _plain(note="measuring power: assay run ... --power HOST:4950, or assay power measure --help"),
    ),
    (_script("run-mlperf"), _run),
    (_script("generate-run-cmds"), _run),
    (_script("run", "mlperf", "inference"), _run),
    (_script("app", "mlperf", "inference"), _run),
    (_script("get", "dataset"), _data),
    (_script("get", "ml-model"), _get_model),
    (_script("get", "git", "repo"), _clone),
    (_script("gui"), _plain("serve")),
    (_script("detect"), _plain("system", "show")),
    (_script("get", "sut", "description"), _plain("system", "show")),
    (_script("get", "loadgen"), _plain(note=f"LoadGen {_COMES}")),
    (_script("get", "src"), _plain(note="the rules of each round come with assay: assay rounds")),
    (_script("get", "sys-utils-cm"), _plain("doctor")),
    (_script("get", "python"), _plain(note=f"assay runs in the Python it is installed in: {_COMES}")),
    (_script("get", "generic-python-lib"), _plain("doctor", note='engines: pip install "assay[all]"')),
    (_script("install", "python-venv"), _plain(note="python3 -m venv mlperf, and pip install assay in it")),
    (_action("pull", "repo"), _pull),
    (_action("show", "cache"), _plain("assets", "list")),
    (_action("rm", "cache"), _plain("assets", "list", note="assay assets remove NAME frees the space of one asset")),
    (_action("import", "experiment"), _plain(note="a tree or a CM repository: assay results import SOURCE")),
)
