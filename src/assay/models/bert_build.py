"""Files of BERT models: from weights, from a seed, or trained further on questions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from assay.assets.manifest import BuildSource
from assay.base.progress import Progress
from assay.errors import InvalidInputError, unknown
from assay.models.bert import BERT_LARGE, BERT_TINY, build_bert, write_pieces
from assay.models.minilm import build_minilm

_SEEDED = {"bert-large": BERT_LARGE, "bert-tiny": BERT_TINY}


@dataclass(frozen=True, slots=True)
class BertMaterial:
    """What a BERT is made of.

    Attributes:
        weights: folder of the weights; None for seeded ones.
        data: questions that the weights are trained on further; None when they are taken as they are.
    """

    source: BuildSource
    weights: Path | None
    data: Path | None


def build_bert_model(material: BertMaterial, target: Path, progress: Progress) -> None:
    """Write the model's ONNX file.

    Raises:
        NotFoundError: for an unknown architecture, or weights that are not there.
        InvalidInputError: when the weights are not those of the architecture.
        MissingDependencyError: when it has to be trained, and PyTorch is not installed.
    """
    write_pieces(_pieces(material, progress), target)


def _pieces(material: BertMaterial, progress: Progress) -> Iterator[bytes]:
    name = material.source.architecture
    if name in _SEEDED:
        return build_bert(material.source.seed, _SEEDED[name], name)
    if name not in ("minilm-l6", "minilm-l6-squad"):
        raise unknown("architecture", name, [*_SEEDED, "minilm-l6", "minilm-l6-squad"])
    if material.weights is None or (name == "minilm-l6-squad" and material.data is None):
        raise InvalidInputError(f"{name} is made of weights" + (" and questions" if name == "minilm-l6-squad" else ""))
    if name == "minilm-l6":
        return build_minilm(material.weights)
    from assay.models.bert_training import train_spans

    assert material.data is not None
    return train_spans(material.weights, material.data, material.source.seed, progress)
