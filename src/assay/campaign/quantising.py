"""Making a smaller form of a model: quantise, measure accuracy before and after, keep it as an asset with provenance."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from assay.assets.catalogue import Catalogue, load_catalogue
from assay.assets.store import AssetStore, FetchPlan, Located, content_hash, quick_identity
from assay.backends.protocol import ModelFormat, Precision
from assay.base.files import write_atomic, write_json
from assay.base.progress import Progress
from assay.base.settings import Settings
from assay.campaign.calibration import Wanted, choose, names_of, read_wanted
from assay.campaign.companions import complete_recipe
from assay.campaign.execute import run, versions
from assay.campaign.formats import AUTO
from assay.campaign.quantised import Source, int8_model
from assay.campaign.request import DEFAULT_ROUND, RunRequest
from assay.campaign.subject import Subject, resolve_subject
from assay.errors import InvalidInputError, NotFoundError, UsageError
from assay.harness.parts import part_files
from assay.loadgen.record import Label, RunRecord
from assay.models.build import materialise
from assay.models.quantize import QUANTIZER_VERSION, Method, check_fp32, convolves, usual_method, usual_ranges
from assay.models.quantize_weights import Storage, store_weights
from assay.models.ranges import Ranges
from assay.rules.load import load_round
from assay.tasks.protocol import Dataset, Task
from assay.tasks.registry import tasks

INT8 = "int8"
FORMS = (INT8, *(storage.value for storage in Storage))
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,60}")
_LAYOUT = "onnx-model"


@dataclass(frozen=True, slots=True)
class QuantizeRequest:
    """What a user asks for.

    Attributes:
        name: model of the catalogue, benchmark, or task (with ``model``).
        to: ``int8``, ``bf16`` or ``fp16``.
        calibration: number of samples, or a file with one sample a line; the usual number when not given.
        dataset: in place of the model's own.
        output: name of the new asset; the model's with the format behind it when not given.
        method: how int8 ranges are found; the usual one of the model when not given.
        ranges: how static ones are chosen; the usual way for the model when not given.
        model: the user's own model file.
        recipe: how that model wants its samples.
        accuracy: whether accuracy is measured before and after.
        samples: accuracy on the first samples only.
        backend: engine that accuracy is measured on.
        round: whose rules hold.
    """

    name: str
    to: str
    calibration: str | None = None
    dataset: str | None = None
    output: str | None = None
    method: Method | None = None
    ranges: Ranges | None = None
    model: Path | None = None
    recipe: Mapping[str, Any] = field(default_factory=dict)
    accuracy: bool = True
    samples: int | None = None
    backend: str = AUTO
    round: str = DEFAULT_ROUND


@dataclass(frozen=True, slots=True)
class QuantizePlan:
    """A request, resolved and checked.

    Attributes:
        output: name of the asset to be made.
        wanted: calibration samples.
        measured: whether accuracy is measured before and after.
        fetch: what has to be fetched first.
    """

    request: QuantizeRequest
    subject: Subject
    output: str
    wanted: Wanted
    measured: bool
    fetch: FetchPlan

    def lines(self) -> list[str]:
        """The plan for a person."""
        subject, request = self.subject, self.request
        data = subject.dataset.name if subject.dataset else str(subject.dataset_path or "no data")
        lines = [f"{subject.model.name} to {request.to}, kept as {self.output}"]
        if self.fetch.total_bytes:
            lines.append(f"  fetch {', '.join(item.name for item in self.fetch.missing)}")
        if request.to == INT8 and request.method is not Method.DYNAMIC:
            official = f", the official list {self.wanted.official}" if self.wanted.official else ""
            lines.append(f"  static ranges from {self.wanted.origin} of {data}{official}; dynamic ones need none")
        if self.measured:
            lines.append(f"  accuracy before and after on {data}")
        return lines

    def to_dict(self) -> dict[str, Any]:
        """The plan as one JSON document."""
        subject = self.subject
        return {
            "model": subject.model.name,
            "to": self.request.to,
            "output": self.output,
            "dataset": subject.dataset.name if subject.dataset else str(subject.dataset_path or "") or None,
            "calibration": {"samples": self.wanted.count or len(self.wanted.entries), "official": self.wanted.official},
            "accuracy": self.measured,
            "fetch": [item.name for item in self.fetch.missing],
        }


@dataclass(frozen=True, slots=True)
class Quantised:
    """What was made.

    Attributes:
        name: of the asset.
        path: of its file or folder.
        sizes: bytes before and after.
        before: accuracy run of the fp32 model; None when accuracy was not measured.
        after: accuracy run of the new one.
        provenance: what it is made of and how.
    """

    name: str
    path: Path
    sizes: tuple[int, int]
    before: RunRecord | None
    after: RunRecord | None
    provenance: Mapping[str, Any]

    def accuracy(self) -> list[dict[str, Any]]:
        """Every metric before and after, the one judged first."""
        if self.before is None or self.after is None:
            return []
        old, new = self.before.figures, self.after.figures
        return [
            {
                "metric": name,
                "unit": old.accuracy_units.get(name, ""),
                "before": value,
                "after": new.accuracy[name],
                "ratio": new.accuracy[name] / value if value else None,
            }
            for name, value in old.accuracy.items()
            if name in new.accuracy
        ]

    def to_dict(self) -> dict[str, Any]:
        """The outcome as one JSON document."""
        return {
            "name": self.name,
            "path": str(self.path),
            "bytes_before": self.sizes[0],
            "bytes_after": self.sizes[1],
            "accuracy": self.accuracy(),
            "runs": [record.id for record in (self.before, self.after) if record is not None],
            "provenance": dict(self.provenance),
        }


@dataclass(frozen=True, slots=True)
class _Material:
    """The fp32 model and its data, on this machine."""

    model: Located
    files: Mapping[str, Path]
    task: Task
    recipe: Mapping[str, Any]
    data: Path | None
    data_sha256: str | None


def make_quantize_plan(request: QuantizeRequest, settings: Settings) -> QuantizePlan:
    """Resolve a request and check what can be checked without doing it.

    Raises:
        NotFoundError: unknown model, dataset or list.
        UsageError: a format or name that cannot be, or options that mean nothing together.
        InvalidInputError: a model that is no ONNX model, or a dataset that does not fit.
    """
    if request.to not in FORMS:
        raise UsageError(f"there is no format {request.to!r}", expected=" or ".join(FORMS))
    if request.to != INT8 and (request.calibration, request.method, request.ranges) != (None, None, None):
        raise UsageError(
            f"{request.to} only rounds the weights, so there is nothing to calibrate",
            hint="leave --calibration, --method and --ranges out, or take --to int8",
        )
    if request.method is Method.DYNAMIC and (request.calibration is not None or request.ranges is not None):
        raise UsageError(
            "dynamic ranges need no calibration", hint="leave --calibration and --ranges out, or --method static"
        )
    catalogue = load_catalogue(settings)
    asked = RunRequest(
        name=request.name,
        model=request.model,
        recipe=dict(request.recipe),
        dataset=request.dataset,
        round=request.round,
    )
    subject = resolve_subject(asked, load_round(request.round), catalogue)
    if request.model is None and request.name.casefold() == subject.model.name == subject.benchmark.task:
        raise UsageError(f"{request.name} is a task, so it takes a model of yours", expected="--model FILE")
    if subject.format is not ModelFormat.ONNX:
        raise InvalidInputError(
            f"only ONNX models are quantised here, and {subject.model.name} is {subject.format.value}",
            hint="quantise it with its own tools, and run it with --model",
        )
    if subject.synthetic and request.method is Method.STATIC:
        raise UsageError(
            f"there is no calibration data: {subject.model.name} has no dataset of its own",
            hint="give one with --dataset, or take --method dynamic",
        )
    names = [] if subject.model_file else [subject.model.name]
    names += [subject.dataset.name] if subject.dataset else []
    return QuantizePlan(
        request=request,
        subject=subject,
        output=_output(request, subject, catalogue, settings),
        wanted=read_wanted(request.calibration),
        measured=request.accuracy and not subject.synthetic,
        fetch=AssetStore(settings, catalogue).plan(names),
    )


def quantise(plan: QuantizePlan, settings: Settings, progress: Progress) -> Quantised:
    """Carry a plan out: fetch, calibrate, quantise, measure, keep.

    Raises:
        AssayError: what cannot be had, quantised or run; nothing is kept as an asset then.
    """
    store = AssetStore(settings, load_catalogue(settings))
    material = _gather(plan, store, progress)
    for path in material.files.values():
        check_fp32(path)
    request = plan.request
    before = _measure(request, plan, None, settings, progress)
    if request.to == INT8:
        made, facts = _to_int8(plan, material, store, settings, progress)
    else:
        made, facts = _to_half(plan, material, store), {"weights": request.to}
    provenance = {
        "recipe": {"to": request.to, **facts},
        "source": {
            "name": plan.subject.model.name if request.model is None else str(request.model),
            "sha256": material.model.sha256,
        },
        "sha256": made.sha256,
        "tools": {**versions(), "quantizer": QUANTIZER_VERSION},
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    _register(plan, made, provenance, settings)
    after = _measure(request, plan, plan.output, settings, progress)
    found = Quantised(plan.output, made.path, (material.model.size, made.size), before, after, provenance)
    full = {**provenance, "accuracy": found.accuracy(), "runs": found.to_dict()["runs"]}
    write_json(made.path.parent / "provenance.json", full)
    return replace(found, provenance=full)


def _output(request: QuantizeRequest, subject: Subject, catalogue: Catalogue, settings: Settings) -> str:
    """Name of the new asset, which may take the place of one made before."""
    stem = subject.model.name if request.model is None else request.model.stem.lower()
    name = request.output or f"{re.sub('[^a-z0-9.-]+', '-', stem).strip('-.')}-{request.to}"
    if not _NAME.fullmatch(name):
        raise UsageError(
            "this is no name of an asset",
            expected="2 to 61 small letters, digits, dots and dashes",
            found=repr(name[:80]),
            hint="give another one with -o",
        )
    if name in catalogue.assets and not _manifest(name, settings).is_file():
        raise UsageError(f"there is an asset {name} already", hint="give another name with -o")
    return name


def _gather(plan: QuantizePlan, store: AssetStore, progress: Progress) -> _Material:
    """Get model and dataset onto this machine, the dataset first."""
    subject = plan.subject
    data, digest = subject.dataset_path, None
    if subject.dataset is not None:
        located = store.ensure(subject.dataset.name, progress=progress)
        data, digest = located.path, located.sha256
    elif data is not None:
        digest = quick_identity(data)
    recipe = complete_recipe(subject, store, progress)
    if subject.model_file is None:
        model = materialise(store, subject.model, progress=progress)
    else:
        path = subject.model_file
        size = sum(file.stat().st_size for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file())
        model = Located(path, content_hash(path), size, "yours")
    task = tasks().get(subject.benchmark.task)
    return _Material(model, part_files(model.path, task.parts(recipe)), task, recipe, data, digest)


def _to_int8(
    plan: QuantizePlan, material: _Material, store: AssetStore, settings: Settings, progress: Progress
) -> tuple[Located, dict[str, Any]]:
    """The int8 form, and what it was made with."""
    wanted = plan.request.method
    if wanted is None and material.data is None and not any(map(convolves, material.files.values())):
        wanted = Method.DYNAMIC
    methods = {name: wanted or usual_method(path) for name, path in material.files.items()}
    words = sorted({method.value for method in methods.values()})
    facts: dict[str, Any] = {"methods": words, "weights": "int8 per channel, symmetric"}
    task, recipe, model = material.task, material.recipe, material.model
    if Method.STATIC not in methods.values():
        source = Source(model.path, model.sha256, task, recipe, _nothing, (), "none")
        return int8_model(source, Method.DYNAMIC, store, settings, progress), facts
    if material.data is None:
        raise NotFoundError(
            f"there is no calibration data for {plan.subject.model.name}",
            hint="give a dataset with --dataset, or take --method dynamic",
        )
    opened = task.open_dataset(material.data, recipe, cache=settings.cache_dir, model=model.path, progress=progress)
    indices = choose(plan.wanted, opened.count, names_of(opened))
    origin = f"{(material.data_sha256 or '')[:16]}-{(plan.wanted.sha256 or str(len(indices)))[:16]}"
    source = Source(model.path, model.sha256, task, recipe, opened.load, indices, origin)
    ranges = {(plan.request.ranges or usual_ranges(path)).value for path in material.files.values()}
    facts |= {
        "activations": "uint8 per tensor" if words == ["static"] else "by method",
        "ranges": sorted(ranges),
        "calibration": _calibration(plan, material, opened, indices),
    }
    return int8_model(source, wanted, store, settings, progress, plan.request.ranges), facts


def _calibration(plan: QuantizePlan, material: _Material, opened: Dataset, indices: tuple[int, ...]) -> dict[str, Any]:
    subject, names = plan.subject, names_of(opened)
    return {
        "dataset": subject.dataset.name if subject.dataset else str(material.data),
        "dataset_sha256": material.data_sha256,
        "samples": [names[index] for index in indices] if names is not None else list(indices),
        "origin": plan.wanted.origin,
        "list_sha256": plan.wanted.sha256 or None,
        "official": plan.wanted.official or None,
    }


def _to_half(plan: QuantizePlan, material: _Material, store: AssetStore) -> Located:
    storage = Storage(plan.request.to)
    if material.model.path.is_dir():
        raise InvalidInputError(
            f"a model of several parts is not stored in {storage.value} here",
            where=material.model.path,
            hint="take --to int8, or give one part with --model",
        )
    key = f"{storage.value}-{material.model.sha256[:16]}-v{QUANTIZER_VERSION}"

    def build(target: Path) -> None:
        store_weights(material.model.path, target, storage)

    return store.built(key, "model.onnx", build)


def _measure(
    request: QuantizeRequest, plan: QuantizePlan, made: str | None, settings: Settings, progress: Progress
) -> RunRecord | None:
    """Accuracy of the fp32 model, or of the new asset, by a run of LoadGen over the same samples."""
    if not plan.measured:
        return None
    asked = RunRequest(
        name=request.name if made is None else made,
        model=request.model if made is None else None,
        recipe=dict(request.recipe) if made is None else {},
        mode="accuracy",
        precision=Precision.FP32 if made is None else None,
        backend=request.backend,
        dataset=request.dataset,
        samples=request.samples,
        round=request.round,
    )
    return run(asked, settings=settings, progress=progress)[0]


def _register(plan: QuantizePlan, made: Located, provenance: Mapping[str, Any], settings: Settings) -> None:
    """Write the asset's manifest among the user's own, and tell the store where its file is."""
    subject, request = plan.subject, plan.request
    facts = subject.model.model
    assert facts is not None
    document = {
        "format": 1,
        "name": plan.output,
        "kind": "model",
        "task": subject.benchmark.task,
        "title": f"{subject.model.title}, {request.to}"[:200],
        "sources": [{"type": "local", "layout": _LAYOUT, "instructions": f"make it again: {command_of(request)}"}],
        "licence": subject.model.licence or "that of the model it is made from",
        "citation": subject.model.citation,
        "note": _note(provenance),
        "labels": _labels(plan, provenance),
        "model": {
            "format": "onnx",
            "benchmark": subject.benchmark.name,
            "recipe": _plain(facts.recipe),
            "assets": dict(facts.assets),
            "dataset": subject.dataset.name if subject.dataset else None,
            "precision": request.to,
        },
    }
    write_atomic(_manifest(plan.output, settings), yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
    write_json(made.path.parent / "provenance.json", provenance)
    AssetStore(settings, load_catalogue(settings)).register(plan.output, made.path)


def _labels(plan: QuantizePlan, provenance: Mapping[str, Any]) -> list[str]:
    """Labels of the model it is made from, and what the making adds."""
    labels = list(plan.subject.model.labels)
    if plan.request.model is not None:
        labels.append(Label.CUSTOM_MODEL.value)
    calibration = provenance["recipe"].get("calibration")
    if calibration and not calibration["official"]:
        labels.append(Label.CALIBRATED_ON_EVALUATION.value)
    return list(dict.fromkeys(labels))


def _note(provenance: Mapping[str, Any]) -> str:
    recipe, source = provenance["recipe"], provenance["source"]
    calibration = recipe.get("calibration")
    how = f", calibrated on {len(calibration['samples'])} samples of {calibration['dataset']}" if calibration else ""
    return (
        f"{recipe['to']} of {source['name']} (SHA-256 {source['sha256'][:16]}...){how}; see provenance.json beside it."
    )


def command_of(request: QuantizeRequest) -> str:
    """The command that makes it again."""
    given = asdict(request)
    words = ["assay quantize", request.name, "--to", request.to]
    for key in ("calibration", "dataset", "output", "method", "ranges", "model"):
        if given[key] is not None:
            words += [f"--{key}", str(given[key])]
    return " ".join(words)


def _manifest(name: str, settings: Settings) -> Path:
    return settings.home / "manifests" / f"{name}.yaml"


def _plain(value: Any) -> Any:
    """A recipe without types that YAML does not have."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _nothing(indices: Any) -> Any:
    raise AssertionError(f"dynamic ranges look at no samples, and not at {indices}")
