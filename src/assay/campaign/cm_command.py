"""Commands of CM, as the documents of the v3.1 challenge give them, in the words of assay."""

from __future__ import annotations

from collections.abc import Callable

from assay.campaign.cm_runs import Translation, translate_open_models, translate_power_client, translate_run
from assay.campaign.cm_words import CmCommand, parse, setting_up
from assay.errors import InvalidInputError

_DATASETS = {
    "imagenet": "imagenet2012", "openimages": "openimages-mlperf", "squad": "squad-v1.1", "librispeech": "librispeech-dev-clean",
    "kits19": "kits19", "criteo": "criteo-terabyte-multihot", "cnndm": "cnn-dailymail", "coco": "coco2017",
}  # fmt: skip
_MODELS = {
    "resnet50": "resnet50", "retinanet": "retinanet", "bert-large": "bert-large", "rnnt": "rnnt", "3d-unet": "3d-unet-kits19",
    "dlrm": "dlrm-v2", "gptj": "gptj",
}  # fmt: skip
_OF_CM = ("mlcommons@ck", "mlcommons@cm4mlops", "ctuning@mlcommons-ck")
"""Repositories of CM's own scripts."""
_SILENT = frozenset(
    {
        "quiet", "execution-mode", "model", "scenario", "mode", "device", "implementation", "lang", "backend", "category",
        "division", "precision", "rerun", "clean", "results-dir", "target-qps", "offline-target-qps", "server-target-qps",
        "target-latency", "singlestream-target-latency", "multistream-target-latency", "test-query-count", "out", "v",
        "run-checker", "tar", "preprocess-submission", "submission-dir", "submitter", "hw-name", "hw-notes-extra", "round",
        "regenerate-files", "adr.python.name", "adr.python.version_min", "adr.compiler.tags", "compliance", "f", "force",
        "name", "version", "version-min", "repo-url", "commit-message", "input", "path", "checkout", "url",
        "extra-cache-tags", "skip-submission-generation", "skip-truncation", "env.CM_TAR_OUTFILE",
        "env.CM_DETERMINE_MEMORY_CONFIGURATION", "env.CM_GIT_CHECKOUT", "adr.inference-src.version", "power", "port",
        "power-server", "ntp-server", "all", "tar-file", "cminit", "key-file", "results-git-url", "target-repo",
        "extra-tags",
    }
)  # fmt: skip
"""Flags that a rule reads, or that have no counterpart because there is nothing to set."""
_PARTS = frozenset(
    {f"adr.mlperf-inference-implementation.{name}" for name in ("max_batchsize", "num_threads")}
    | {f"adr.mlperf-power-client.{name}" for name in ("power_server", "port", "ntp_server")}
)
"""Flags of CM's parts that a rule reads."""


def translate(text: str) -> Translation:
    """Translate one command of CM.

    Raises:
        InvalidInputError: when it is no command of CM, or one that has no counterpart.
    """
    made = Translation()
    if (note := setting_up(text)) is not None:
        made.notes.append(note)
        return made
    command = parse(text)
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
    left = [name for name in command.flags if name not in _SILENT | _PARTS]
    if left:
        made.notes.append(f"not translated: {', '.join(f'--{name}' for name in left)}")
    return made


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


def _director(command: CmCommand, made: Translation) -> None:
    kind, device = command.flag("device-type") or "49", command.flag("device-port") or "/dev/usbtmc0"
    made.say(
        "power", "director", "--ptd", "PTDAEMON", "--device-type", kind, "--device", device, "--listen", "0.0.0.0:4950"
    )
    made.notes.append("SPEC PTDaemon is licensed by SPEC: put its path in place of PTDAEMON")


def _import(command: CmCommand, made: Translation) -> None:
    made.say("results", "import", command.flag("input", "path", "submission-dir") or "DIR")


def _harness(command: CmCommand, made: Translation) -> None:
    """The run modes of a vendor's harness, each a script variation of CM."""
    if {"run_harness", "run-harness"} & set(command.variations):
        made.say("run", command.flag("model") or "resnet50", "--implementation", "./MANIFEST.yaml", "--mode", "both")
    else:
        made.say("implementations", "build", "./MANIFEST.yaml")
    made.notes.append("a vendor's harness is described once, in a manifest: docs/how-to/run-another-harness.md")


def _contained(command: CmCommand, made: Translation) -> None:
    if command.has("detect"):
        made.say("system", "show")
    made.notes.append(f"a program in a container: {_IN_MANIFEST}, key container")


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
    if name in _OF_CM:
        made.notes.append("that repository holds CM's scripts, of which assay needs none")
    else:
        made.say("repo", "pull", name)
        made.notes.append("the published results of v2.0 to v3.0 come with assay")


def _remove(command: CmCommand, made: Translation) -> None:
    name = (command.names or ("",))[0]
    if name in _OF_CM:
        made.notes.append("that repository holds CM's scripts, of which assay has none")
    else:
        made.say("repo", "remove", name or "NAME", *(["--files"] if command.flag("all") else []))


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
_IN_MANIFEST = "its manifest (docs/how-to/run-another-harness.md)"
_VENDORS = (
    f"a library of the vendor's: install it as the vendor says; a program that wants it says so in {_IN_MANIFEST}"
)
_RULES: tuple[tuple[Callable[[CmCommand], bool], Callable[[CmCommand, Translation], None]], ...] = (
    (_script("submission", "checker"), _tree("check")),
    (_script("generate", "inference", "submission"), _build),
    (_script("push", "submission"), _push),
    (_script("inference", "truncation"), _tree("truncate")),
    (_script("truncate", "mlperf"), _tree("truncate")),
    (_script("preprocess", "submission"), _tree("preprocess")),
    (_script("mlperf", "power", "server"), _director),
    (_script("mlperf", "power", "client"), translate_power_client),
    (_script("import", "mlperf", "inference"), _import),
    (_script("mobilenet-models"), translate_open_models),
    (_script("run-mobilenet-models"), translate_open_models),
    (_script("nvidia", "harness"), _harness),
    (_script("run-mlperf"), translate_run),
    (_script("generate-run-cmds"), translate_run),
    (_script("run", "mlperf", "inference"), translate_run),
    (_script("app", "mlperf", "inference"), translate_run),
    (_script("get", "dataset"), _data),
    (_script("get", "ml-model"), _get_model),
    (_script("get", "git", "repo"), _clone),
    (_script("gui"), _plain("serve")),
    (_script("detect"), _plain("system", "show")),
    (_script("get", "cuda-devices"), _plain("system", "show")),
    (_script("get", "cuda"), _plain("backends", note=_VENDORS)),
    (_script("install", "cuda"), _plain("backends", note=_VENDORS)),
    (_script("get", "cudnn"), _plain(note=_VENDORS)),
    (_script("get", "tensorrt"), _plain(note=_VENDORS)),
    (
        _script("run", "terraform"),
        _plain("doctor", note="a machine in a cloud is one like any other: rent it, install assay"),
    ),
    (_script("get", "sut", "description"), _plain("system", "show")),
    (_script("get", "loadgen"), _plain(note=f"LoadGen {_COMES}")),
    (_script("get", "src"), _plain(note="the rules of each round come with assay: assay rounds")),
    (_script("get", "sys-utils-cm"), _plain("doctor")),
    (_script("get", "python"), _plain(note=f"assay runs in the Python it is installed in: {_COMES}")),
    (_script("get", "generic-python-lib"), _plain("doctor", note='engines: pip install "assay[all]"')),
    (_script("install", "python-venv"), _plain(note="python3 -m venv mlperf, and pip install assay in it")),
    (_action("docker", "script"), _contained),
    (_action("pull", "repo"), _pull),
    (_action("rm", "repo"), _remove),
    (_action("show", "cache"), _plain("assets", "list")),
    (_action("rm", "cache"), _plain("assets", "list", note="assay assets remove NAME frees the space of one asset")),
    (_action("import", "experiment"), _import),
)
