"""What the implementation's file of a result says, found in records, manifests and the model itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from assay.assets.catalogue import Catalogue
from assay.assets.manifest import Asset, BuildSource, HttpsSource, PackageSource
from assay.base.files import read_json, sha256_file
from assay.errors import AssayError
from assay.loadgen.record import Label
from assay.models.inspection import inspect_onnx
from assay.submission.building.model import Entry, Missing

_FLOAT = "fp32"
_TYPES = {
    "float32": "fp32", "float16": "fp16", "float64": "fp64", "bfloat16": "bf16", "int64": "int64", "int32": "int32",
    "int8": "int8", "uint8": "uint8", "bool": "bool",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is known of the model of a result.

    Attributes:
        asset: of the catalogue; None for a model of the user's own.
        provenance: how it was quantised here; empty when it was not.
        path: its file, where it is still the one that was run.
    """

    asset: Asset | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    path: Path | None = None


def model_facts(entry: Entry, catalogue: Catalogue) -> ModelFacts:
    """Find out what is known of the model of a result."""
    record = entry.performance.record
    custom = Label.CUSTOM_MODEL in record.labels or Label.REMOTE_MODEL in record.labels
    asset = None if custom else catalogue.assets.get(record.model.name.casefold())
    path = _file_of(entry)
    provenance: Mapping[str, Any] = {}
    if path is not None and (path.parent / "provenance.json").is_file():
        found = _json(path.parent / "provenance.json")
        provenance = found if found.get("sha256") == record.model.sha256 else {}
    return ModelFacts(asset, provenance, path)


def _file_of(entry: Entry) -> Path | None:
    """The model's file as the run's orders name it, if it still has the hash of the record."""
    given = _json(entry.performance.folder / "spec.json").get("model")
    path = Path(given) if isinstance(given, str) else None
    if path is None or not path.is_file():
        return None
    return path if sha256_file(path) == entry.performance.record.model.sha256 else None


def _json(path: Path) -> Mapping[str, Any]:
    try:
        found = read_json(path)
    except AssayError:
        return {}
    return found if isinstance(found, dict) else {}


class Implementation:
    """Fields of ``<system>_<implementation>_<scenario>.json``.

    Args:
        known: facts of the model.
        given: what the user says, by field name or ``benchmark.field``; it goes before what is known.
    """

    def __init__(self, entry: Entry, known: ModelFacts, catalogue: Catalogue, given: Mapping[str, str]) -> None:
        self._entry = entry
        self._known = known
        self._catalogue = catalogue
        self._given = given

    def fields(self, names: tuple[str, ...]) -> dict[str, str]:
        """The fields a round asks for; empty where nobody knows."""
        found = {
            "input_data_types": self._inputs,
            "weight_data_types": self._weights,
            "starting_weights_filename": self._file,
            "retraining": self._retraining,
            "weight_transformations": self._transformations,
        }
        own = f"{self._entry.benchmark.name}."
        return {
            name: self._given.get(f"{own}{name}") or self._given.get(name) or (found[name]() if name in found else "")
            for name in names
        }

    def text(self, names: tuple[str, ...]) -> str:
        """The file."""
        return json.dumps(self.fields(names), indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    def missing(self, names: tuple[str, ...]) -> list[Missing]:
        """Fields that nobody has told."""
        name = self._entry.benchmark.name
        return [
            Missing(name, f"the implementation's field {each}", f"--set {name}.{each}=...")
            for each, value in self.fields(names).items()
            if not value
        ]

    def _inputs(self) -> str:
        """Types of the model's inputs; what is no ONNX file does not tell them."""
        path = self._known.path
        if path is None or path.suffix != ".onnx":
            return ""
        try:
            inputs, _ = inspect_onnx(path)
        except AssayError:
            return ""
        return ", ".join(dict.fromkeys(_TYPES.get(each.dtype.name, each.dtype.name) for each in inputs))

    def _weights(self) -> str:
        return self._entry.performance.record.precision

    def _file(self) -> str:
        if self._known.asset is None:
            return Path(self._entry.performance.record.model.name).name
        return self._start(self._known.asset, self._known.provenance)

    def _start(self, asset: Asset, provenance: Mapping[str, Any]) -> str:
        """Where the weights began, through whatever was made of them here."""
        source = provenance.get("source", {})
        before = self._catalogue.assets.get(str(source.get("name"))) if isinstance(source, dict) else None
        if before is not None and before is not asset:
            return self._start(before, {})
        first = asset.sources[0]
        if isinstance(first, HttpsSource):
            return urlsplit(first.urls[0]).path.rpartition("/")[2]
        if isinstance(first, PackageSource):
            return f"{first.files[0]} of {first.described}"
        if isinstance(first, BuildSource):
            if first.weights is None:
                return f"random weights with seed {first.seed}"
            return self._start(self._catalogue.get(first.weights), {})
        return asset.name

    def _retraining(self) -> str:
        asset = self._known.asset
        if asset is None:
            return ""
        build = asset.build
        return f"trained further on {build.data}" if build is not None and build.data else "no"

    def _transformations(self) -> str:
        asset, record = self._known.asset, self._entry.performance.record
        if asset is None:
            return ""
        steps = []
        if asset.build is not None and asset.build.weights:
            steps.append("built as an ONNX graph from the weights")
        recipe = self._known.provenance.get("recipe")
        if isinstance(recipe, dict) and recipe.get("to"):
            steps.append(f"made {recipe['to']} after training by assay quantize")
        own = asset.model.precision if asset.model is not None else _FLOAT
        if record.precision != own:
            steps.append(f"converted from {own} to {record.precision} by {record.backend_name}")
        return "; ".join(steps) or "none"


def calibration_text(entry: Entry, known: ModelFacts, given: str | None) -> str | None:
    """How the numbers of a model were chosen, in Markdown; None where nobody knows."""
    record = entry.performance.record
    head = f"## {entry.benchmark.name}: {record.model.name}, {record.precision}\n\n"
    recipe = known.provenance.get("recipe")
    if isinstance(recipe, dict):
        return head + _quantised(recipe, known.provenance)
    if record.precision == _FLOAT:
        return f"{head}The model runs in fp32: nothing was quantised and nothing calibrated.\n"
    if given is not None:
        return f"{head}{given.strip()}\n"
    if known.asset is None:
        return None
    own = known.asset.model.precision if known.asset.model is not None else _FLOAT
    if own != record.precision:
        half = record.precision in ("bf16", "fp16")
        text = f"{record.backend_name} converts fp32 weights to {record.precision} as it loads the model; nothing was calibrated.\n"
        return head + text if half else None
    return f"{head}{known.asset.title}. {known.asset.note}\n".rstrip() + "\n"


def _quantised(recipe: Mapping[str, Any], provenance: Mapping[str, Any]) -> str:
    source, calibration = provenance.get("source"), recipe.get("calibration")
    lines = []
    if isinstance(source, dict):
        lines.append(f"Made from {source.get('name')} (SHA-256 {source.get('sha256')}) by assay quantize.")
    if isinstance(calibration, dict):
        samples = calibration.get("samples")
        count = len(samples) if isinstance(samples, list) else samples
        kind = "the official calibration list" if calibration.get("official") else "samples of the dataset itself"
        lines.append(f"Ranges were taken from {count} samples of {calibration.get('dataset')}, {kind}.")
    else:
        lines.append("No calibration samples were used.")
    told = {
        key: value for key, value in recipe.items() if key != "calibration" and isinstance(value, str | int | float)
    }
    lines += [f"- {key}: {told[key]}" for key in sorted(told)]
    return "\n".join([lines[0], "", *lines[1:]]) + "\n"
