"""RNN-T: features, encoder, and greedy decoding of several recordings side by side.

The decoder is that of the reference (mlcommons/inference v3.1, speech_recognition/rnnt/pytorch/decoders.py): at every
step of time characters are written until the blank label is the best, or 30 were. Recordings of a batch go through it in
step, each at its own time; the prediction network runs only for those that wrote something, because its answer to a
blank would be the one before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from assay.base.tensors import Array
from assay.errors import RunFailedError
from assay.tasks.protocol import Model, Run, Samples
from assay.tasks.speech_recognition.fbank import FEATURES, Features
from assay.tasks.speech_recognition.text import BLANK
from assay.tasks.speech_recognition.wav import RATE

ENCODER, PREDICTION, JOINT = "encoder", "prediction", "joint"
FILES = {ENCODER: "encoder.onnx", PREDICTION: "prediction.onnx", JOINT: "joint.onnx"}
STACKED = 2
"""Feature frames that the encoder puts into one step of time."""

_Floats = NDArray[np.float32]


class Transducer:
    """The way from recordings to labels for one stream.

    Args:
        model: encoder, prediction and joint network.
        features: may be shared with other streams.
        max_symbols: characters that may be written at one step of time.
    """

    def __init__(self, model: Model, features: Features, max_symbols: int) -> None:
        self._encode = model[ENCODER].run
        self._features = features
        self._decoder = GreedyDecoder(model, max_symbols)
        self._sound = 0
        self._labels = 0

    def __call__(self, samples: Samples) -> Sequence[Array]:
        """Labels of each recording, int64 ``(n,)``; none when nothing is heard.

        Raises:
            RunFailedError: when the encoder's answer is no number.
        """
        features = [self._features(sample[0]) for sample in samples]  # type: ignore[arg-type]
        frames = np.array([len(each) for each in features], np.int32)
        padded = np.zeros((len(features), int(frames.max()), FEATURES), np.float32)
        for row, each in zip(padded, features, strict=True):
            row[: len(each)] = each
        encoded = self._encode((padded, frames))[0]
        # The best of scores that are no numbers would be a character all the same.
        if not np.isfinite(encoded).all():
            raise RunFailedError("the encoder's answer holds values that are no numbers")
        answers = self._decoder(encoded, -(-frames // STACKED))  # type: ignore[arg-type]
        self._sound += sum(len(sample[0]) for sample in samples)
        self._labels += sum(map(len, answers))
        return [np.array(answer, np.int64) for answer in answers]

    def figures(self) -> Mapping[str, float]:
        """Seconds of sound that were heard, and characters that were written."""
        return {"audio_s": self._sound / RATE, "characters": float(self._labels)}

    def reset(self) -> None:
        """Forget what was heard."""
        self._sound = self._labels = 0


class GreedyDecoder:
    """Writes the best character at each moment."""

    def __init__(self, model: Model, max_symbols: int) -> None:
        prediction, joint = model[PREDICTION], model[JOINT]
        self._predict: Run = prediction.run
        self._join: Run = joint.run
        _, layers, self._width = prediction.inputs[1].shape
        self._layers = layers
        self._max_symbols = max_symbols
        # Where a new batch size costs time, rows that need nothing are computed with the others.
        self._whole = prediction.fixed_shapes or joint.fixed_shapes

    def __call__(self, encoded: _Floats, steps: NDArray[np.int32]) -> list[list[int]]:
        """Labels of each recording.

        Args:
            encoded: ``(batch, time, features)``.
            steps: steps of time of each, ``(batch,)``.
        """
        count = len(steps)
        texts: list[list[int]] = [[] for _ in range(count)]
        time, written = np.zeros(count, np.int64), np.zeros(count, np.int64)
        state = _State(count, self._layers, self._width)
        everybody = np.arange(count)
        self._advance(state, everybody, np.full(count, BLANK, np.int64))
        active = everybody[steps > 0]
        while len(active):
            best = self._best(encoded, time, state.output, active)
            speaks = best != BLANK
            speaking, labels = active[speaks], best[speaks]
            if len(speaking):
                for row, label in zip(speaking.tolist(), labels.tolist(), strict=True):
                    texts[row].append(label)
                written[speaking] += 1
                self._advance(state, speaking, labels)
            moving = active[~speaks | (written[active] >= self._max_symbols)]
            time[moving] += 1
            written[moving] = 0
            active = active[time[active] < steps[active]]
        return texts

    def _best(
        self, encoded: _Floats, time: NDArray[np.int64], output: _Floats, active: NDArray[np.intp]
    ) -> NDArray[np.int64]:
        if self._whole:
            last = encoded.shape[1] - 1
            heard = encoded[np.arange(len(time)), np.minimum(time, last)]
            scores = self._join((heard, output))[0][active]
        else:
            scores = self._join((encoded[active, time[active]], output[active]))[0]
        best: NDArray[np.int64] = scores.argmax(axis=1)
        return best

    def _advance(self, state: _State, rows: NDArray[np.intp], labels: NDArray[np.int64]) -> None:
        """Tell the prediction network what was written."""
        if self._whole and len(rows) < len(state.output):
            every = np.full(len(state.output), BLANK, np.int64)
            every[rows] = labels
            output, hidden, cell = self._predict((every, state.hidden, state.cell))
            state.output[rows] = output[rows]
            state.hidden[rows] = hidden[rows]
            state.cell[rows] = cell[rows]
            return
        output, hidden, cell = self._predict((labels, state.hidden[rows], state.cell[rows]))
        state.output[rows] = output
        state.hidden[rows] = hidden
        state.cell[rows] = cell


class _State:
    """What the prediction network remembers of each recording."""

    __slots__ = ("cell", "hidden", "output")

    def __init__(self, count: int, layers: int, width: int) -> None:
        self.output = np.zeros((count, width), np.float32)
        self.hidden = np.zeros((count, layers, width), np.float32)
        self.cell = np.zeros((count, layers, width), np.float32)
