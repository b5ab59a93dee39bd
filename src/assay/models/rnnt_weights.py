"""Weights of RNN-T: from the reference's checkpoint, or drawn from a seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.models.checkpoint import read_checkpoint
from assay.models.graph import Weights
from assay.models.rnnt import FEATURES, LABELS, OFFICIAL, STACKED, Sizes, build_rnnt

# mlcommons/inference v3.1, speech_recognition/rnnt/pytorch_SUT.py, load_and_migrate_checkpoint.
_RENAMED = ("joint_net", "joint.net")
_FEATURIZER = "audio_preprocessor.featurizer."
_FORGET_BIAS = 1.0
# How much wider than at the start of training the weights are drawn: found by trying, so that seeded networks react to
# what they hear and to what they wrote, and the blank is the best label about every second time.
_ENCODER_GAIN, _PREDICTION_GAIN = 2.0, 3.0
_HEARD_GAIN, _WRITTEN_GAIN, _SCORE_GAIN = 16.0, 30.0, 6.0
_BLANK_BIAS = 13.3


def build_rnnt_folder(checkpoint: Path | None, seed: int, folder: Path) -> None:
    """Write RNN-T's three graphs into a folder, which is made.

    Args:
        checkpoint: the reference's; None for weights drawn from the seed.
        seed: of the weights when there is no checkpoint.
        folder: where the graphs go.

    Raises:
        NotFoundError: when the checkpoint is not there.
        InvalidInputError: when it is of another architecture.
        MachineError: when the disk is full.
    """
    build_rnnt(seeded_weights(seed) if checkpoint is None else official_weights(checkpoint), folder)


def official_weights(path: Path) -> Weights:
    """The reference's checkpoint: the joint network renamed, the featurizer's window and filters left out.

    Raises:
        NotFoundError: when the file is not there.
        InvalidInputError: when it is no checkpoint of tensors.
    """
    tensors = {
        name.replace(*_RENAMED): value
        for name, value in read_checkpoint(path).items()
        if not name.startswith(_FEATURIZER)
    }
    return Weights(tensors, path)


def seeded_weights(seed: int, sizes: Sizes = OFFICIAL) -> Weights:
    """Random weights with which the decoder works about as hard as with trained ones.

    Weights as at the start of training would write nothing, or the most that a step may write. These answer noise by
    about as many characters a second as LibriSpeech dev-clean has (15).
    """
    random = np.random.default_rng(seed)
    tensors: dict[str, NDArray[Any]] = {}
    for name, layers, size, hidden, gain in (
        ("encoder.pre_rnn", sizes.before, FEATURES, sizes.hidden, _ENCODER_GAIN),
        ("encoder.post_rnn", sizes.after, STACKED * sizes.hidden, sizes.hidden, _ENCODER_GAIN),
        ("prediction.dec_rnn", sizes.layers, sizes.embedded, sizes.embedded, _PREDICTION_GAIN),
    ):
        for layer in range(layers):
            tensors |= _lstm(random, f"{name}.lstm", layer, size if layer == 0 else hidden, hidden, gain)
    tensors["prediction.embed.weight"] = random.standard_normal((LABELS - 1, sizes.embedded))
    return Weights(tensors | _joint(random, sizes), f"seed {seed}")


def _joint(random: np.random.Generator, sizes: Sizes) -> dict[str, NDArray[Any]]:
    gains = np.repeat((_HEARD_GAIN, _WRITTEN_GAIN), (sizes.hidden, sizes.embedded))
    joined, width = sizes.joined, sizes.hidden + sizes.embedded
    first = random.uniform(-1, 1, (joined, width)) * gains / np.sqrt(width)
    last = random.uniform(-1, 1, (LABELS, joined)) * _SCORE_GAIN / np.sqrt(joined)
    bias = np.zeros(LABELS)
    bias[-1] = _BLANK_BIAS
    return {
        "joint.net.0.weight": first,
        "joint.net.0.bias": np.zeros(joined),
        # Without its mean no label is the best whatever is heard.
        "joint.net.3.weight": last - last.mean(axis=1, keepdims=True),
        "joint.net.3.bias": bias,
    }


def _lstm(
    random: np.random.Generator, name: str, layer: int, size: int, hidden: int, gain: float
) -> dict[str, NDArray[Any]]:
    bound = 1.0 / np.sqrt(hidden)
    found: dict[str, NDArray[Any]] = {
        f"{name}.weight_ih_l{layer}": gain * random.uniform(-bound, bound, (4 * hidden, size)),
        f"{name}.weight_hh_l{layer}": gain * random.uniform(-bound, bound, (4 * hidden, hidden)),
        f"{name}.bias_ih_l{layer}": random.uniform(-bound, bound, 4 * hidden),
        f"{name}.bias_hh_l{layer}": random.uniform(-bound, bound, 4 * hidden),
    }
    found[f"{name}.bias_ih_l{layer}"][hidden : 2 * hidden] = _FORGET_BIAS
    found[f"{name}.bias_hh_l{layer}"][hidden : 2 * hidden] = 0.0
    return found
