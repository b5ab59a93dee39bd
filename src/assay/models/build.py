"""Model files: made from weights or a seed, or fetched; one function for everybody who needs one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from assay.assets.manifest import Asset, BuildSource
from assay.assets.store import AssetStore, Located
from assay.base.progress import Progress
from assay.errors import unknown

_VERSIONS = {
    "mobilenet-v2": "1",
    "efficientnet-lite0": "1",
    "efficientnet-lite1": "1",
    "efficientnet-lite2": "1",
    "resnet50-v1.5": "1",
    "null-classifier": "1",
    "rnnt": "2",
    "3d-unet": "1",
    "deepbrain": "3",
    "centernet-mobilenetv3": "1",
    "retinanet-resnext50": "1",
    "minilm-l6": "1",
    "minilm-l6-squad": "1",
    "bert-large": "1",
    "bert-tiny": "1",
    "movielens-dlrm": "1",
    "dlrm": "1",
    "dlrm-v2": "1",
    "dlrm-checkpoint": "1",
    "dlrm-v2-checkpoint": "1",
    "gguf-f32": "1",
    "gptj-6b": "1",
}
"""Raised when a builder's output changes, so that models kept from before are built anew."""
_PIECEWISE = ("minilm-l6", "minilm-l6-squad", "bert-large", "bert-tiny")


def materialise(store: AssetStore, asset: Asset, *, progress: Progress) -> Located:
    """The file or folder of a model: fetched, or built from its weights and kept.

    Raises:
        NotFoundError: when weights cannot be had.
        InvalidInputError: when the weights are not those of the architecture.
    """
    source = asset.build
    if source is None:
        return store.ensure(asset.name, progress=progress)
    weights = store.ensure(source.weights, progress=progress) if source.weights else None
    data = store.ensure(source.data, progress=progress) if source.data else None
    origin = weights.sha256[:16] if weights else f"seed{source.seed}"
    origin += f"-{data.sha256[:16]}" if data else ""
    if source.architecture in _PIECEWISE:
        from assay.models.bert_build import BertMaterial, build_bert_model

        material = BertMaterial(source, weights.path if weights else None, data.path if data else None)
        name = f"{source.architecture}-{origin}-v{builder_version(source.architecture)}"
        return store.built(name, "model.onnx", lambda target: build_bert_model(material, target, progress))
    key = f"{source.architecture}-{origin}-v{builder_version(source.architecture)}"
    if source.architecture == "gguf-f32" and weights is not None:
        from assay.models.gguf_f32 import dequantised

        packed = weights.path
        return store.built(key, "model.gguf", lambda target: dequantised(packed, target))
    if source.architecture == "gptj-6b":
        from assay.models.gptj import build_gptj

        return store.built(key, "model", lambda target: build_gptj(source.seed, target, progress=progress))
    if source.architecture == "rnnt":
        from assay.models.rnnt_weights import build_rnnt_folder

        trained = weights.path if weights else None
        return store.built(key, "model", lambda target: build_rnnt_folder(trained, source.seed, target))
    return store.built(key, "model.onnx", lambda target: build_model(source, weights.path if weights else None, target))


def builder_version(architecture: str) -> str:
    """Version of an architecture's builder, part of the key of what it built.

    Raises:
        NotFoundError: for an unknown architecture.
    """
    if architecture not in _VERSIONS:
        raise unknown("architecture", architecture, _VERSIONS)
    return _VERSIONS[architecture]


def build_model(source: BuildSource, weights: Path | None, target: Path) -> None:
    """Build an ONNX file.

    Raises:
        NotFoundError: for an unknown architecture.
        InvalidInputError: when the weights are not those of the architecture.
    """
    import onnx

    from assay.models.centernet import build_centernet
    from assay.models.checkpoint import read_checkpoint
    from assay.models.deepbrain import build_deepbrain
    from assay.models.dlrm_official import OFFICIAL, build_official
    from assay.models.dlrm_stand_in import build_movielens_dlrm
    from assay.models.dlrm_synthetic import DLRM, DLRM_V2, build_dlrm_synthetic
    from assay.models.efficientnet_lite import build_efficientnet_lite
    from assay.models.graph import Weights
    from assay.models.mobilenet_v2 import build_mobilenet_v2
    from assay.models.null_classifier import build_null_classifier
    from assay.models.resnet50 import build_resnet50
    from assay.models.retinanet import build_retinanet
    from assay.models.unet3d import build_unet3d

    builder_version(source.architecture)
    if source.architecture in OFFICIAL and weights is not None:
        build_official(weights, target, OFFICIAL[source.architecture])
        return
    from_weights: dict[str, Callable[[Weights], onnx.ModelProto]] = {
        "mobilenet-v2": build_mobilenet_v2,
        **{f"efficientnet-lite{n}": partial(build_efficientnet_lite, member=n) for n in (0, 1, 2)},
    }
    from_seed: dict[str, Callable[[int], onnx.ModelProto]] = {
        "null-classifier": lambda _: build_null_classifier(),
        "resnet50-v1.5": build_resnet50,
        "retinanet-resnext50": build_retinanet,
        "3d-unet": build_unet3d,
        "dlrm": lambda seed: build_dlrm_synthetic(DLRM, seed),
        "dlrm-v2": lambda seed: build_dlrm_synthetic(DLRM_V2, seed),
    }
    from_file: dict[str, Callable[[Path], onnx.ModelProto]] = {
        "deepbrain": build_deepbrain,
        "centernet-mobilenetv3": build_centernet,
        "movielens-dlrm": lambda folder: build_movielens_dlrm(folder, source.seed),
    }
    if weights is None:
        model = from_seed[source.architecture](source.seed)
    elif source.architecture in from_file:
        model = from_file[source.architecture](weights)
    else:
        model = from_weights[source.architecture](Weights(read_checkpoint(weights), weights))
    target.write_bytes(model.SerializeToString(deterministic=True))
