"""MiniLM-L6 (Wang et al. 2020; Reimers and Gurevych 2019): a BERT of 6 layers, from its ``safetensors`` file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.errors import InvalidInputError, NotFoundError
from assay.models.bert import BertGraph, BertShape
from assay.models.graph import Weights

MINILM_L6 = BertShape(layers=6, hidden=384, heads=12, inner=1536)
WEIGHTS_FILE = "model.safetensors"
_MAX_BYTES = 2 << 30
# Numbers of positions, and a layer that only pre-training used.
_UNUSED = ("embeddings.position_ids", "pooler.dense.weight", "pooler.dense.bias")


def build_minilm(folder: Path, shape: BertShape = MINILM_L6) -> Iterator[bytes]:
    """The graph that gives one vector per text, in pieces.

    Args:
        folder: holds ``model.safetensors``.
        shape: of the model.

    Raises:
        InvalidInputError: when the weights are of another architecture.
    """
    return with_mean(read_safetensors(folder / WEIGHTS_FILE), folder, shape)


def with_mean(tensors: Mapping[str, NDArray[Any]], where: Path, shape: BertShape) -> Iterator[bytes]:
    """The graph that gives one vector per text."""
    weights = Weights({name: value for name, value in tensors.items() if name not in _UNUSED}, where)
    graph = BertGraph("minilm", shape)
    yield from graph.pieces(graph.mean(graph.encoder()), weights.take, {"weights": where.name})
    weights.finish()


def with_spans(
    tensors: Mapping[str, NDArray[Any]], where: Path, shape: BertShape, facts: Mapping[str, str]
) -> Iterator[bytes]:
    """The graph that gives start and end logits; the tensors hold ``qa_outputs`` too.

    Args:
        tensors: of the checkpoint.
        where: it came from, for errors.
        shape: of the model.
        facts: kept in the model as metadata.
    """
    weights = Weights({name: value for name, value in tensors.items() if name not in _UNUSED}, where)
    graph = BertGraph("minilm-squad", shape)
    yield from graph.pieces(graph.spans(graph.encoder()), weights.take, dict(facts))
    weights.finish()


def read_safetensors(path: Path) -> dict[str, NDArray[Any]]:
    """All tensors of a file.

    Raises:
        NotFoundError: when it is not there.
        InvalidInputError: when it is too large, or no such file.
    """
    import safetensors
    from safetensors.numpy import load_file

    if not path.is_file():
        raise NotFoundError("the weights are not there", where=path)
    if path.stat().st_size > _MAX_BYTES:
        raise InvalidInputError("the weights are too large", where=path, expected="at most 2 GiB")
    try:
        return {name: np.asarray(value) for name, value in load_file(str(path)).items()}
    except (safetensors.SafetensorError, ValueError, TypeError) as error:
        raise InvalidInputError(f"not a safetensors file: {error}", where=path) from error
