from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from assay.base.tensors import Array, TensorSpec
from assay.errors import RunFailedError
from assay.tasks.protocol import Model, ModelPart
from assay.tasks.speech_recognition.fbank import Features, frames_of
from assay.tasks.speech_recognition.text import BLANK
from assay.tasks.speech_recognition.transducer import GreedyDecoder, Transducer

from .conftest import tone

LAYERS, WIDTH, HEARD = 2, 6, 5
_STATE = TensorSpec("state", np.dtype(np.float32), (-1, LAYERS, WIDTH))
_LABEL = TensorSpec("label", np.dtype(np.int64), (-1,))


class Nets:
    """Small random networks: a prediction network with memory, and a joint network that likes the blank."""

    def __init__(self, seed: int, blank: float) -> None:
        random = np.random.default_rng(seed)
        self.embed = random.standard_normal((BLANK + 1, WIDTH))
        self.again = random.standard_normal((WIDTH, WIDTH))
        self.heard, self.said = random.standard_normal((HEARD, 32)), 2 * random.standard_normal((WIDTH, 32))
        self.score = random.standard_normal((32, BLANK + 1))
        self.score -= self.score.mean(axis=0)
        self.blank = blank
        self.batches: list[int] = []

    def predict(self, inputs: Sequence[Array]) -> Sequence[Array]:
        label, hidden, cell = inputs
        self.batches.append(len(label))
        assert hidden.shape == cell.shape == (len(label), LAYERS, WIDTH)
        state: Any = np.tanh(self.embed[label] + hidden[:, 0] @ self.again)  # type: ignore[index, operator]
        return (
            state.astype(np.float32),
            np.stack([state, hidden[:, 1] + 1], axis=1).astype(np.float32),
            np.zeros_like(cell),
        )  # type: ignore[operator]

    def join(self, inputs: Sequence[Array]) -> Sequence[Array]:
        heard, said = inputs
        self.batches.append(len(heard))
        scores: Any = np.maximum(heard @ self.heard + said @ self.said, 0) @ self.score  # type: ignore[operator]
        scores[:, BLANK] += self.blank
        return (scores.astype(np.float32),)

    def model(self, *, fixed: bool = False) -> Model:
        prediction = ModelPart((_LABEL, _STATE, _STATE), (), self.predict, fixed_shapes=fixed)
        return {"prediction": prediction, "joint": ModelPart((), (), self.join, fixed_shapes=fixed)}


def plainly(nets: Nets, encoded: NDArray[np.float32], most: int) -> list[int]:
    """The reference's decoder of one recording, written out: the prediction network is asked at every turn."""
    labels: list[int] = []
    hidden = cell = np.zeros((1, LAYERS, WIDTH), np.float32)
    for heard in encoded:
        for _ in range(most):
            last = np.array([labels[-1] if labels else BLANK])
            output, next_hidden, next_cell = nets.predict((last, hidden, cell))
            best = int(nets.join((heard[None], output))[0].argmax())
            if best == BLANK:
                break
            labels.append(best)
            hidden, cell = next_hidden, next_cell  # type: ignore[assignment]
    return labels


@pytest.mark.parametrize("fixed", [False, True], ids=["any batch", "fixed batch"])
@pytest.mark.parametrize(("blank", "most"), [(9.0, 30), (7.0, 3), (-99.0, 4), (99.0, 30)])
def test_a_batch_is_decoded_as_each_recording_by_itself(blank: float, most: int, fixed: bool) -> None:
    steps = np.array([7, 1, 12, 0, 12, 3], np.int32)
    encoded = np.random.default_rng(5).standard_normal((6, 12, HEARD)).astype(np.float32)
    nets = Nets(3, blank)
    expected = [plainly(nets, encoded[row, :count], most) for row, count in enumerate(steps)]
    nets.batches.clear()
    assert GreedyDecoder(nets.model(fixed=fixed), most)(encoded, steps) == expected
    if fixed:
        assert set(nets.batches) == {6}
    if blank == -99.0:
        assert [len(each) for each in expected] == [4 * count for count in steps]
    if blank == 99.0:
        assert not any(expected)


def test_both_kinds_of_answer_are_met() -> None:
    """The test above means nothing if no recording writes several characters at a step, or none."""
    encoded = np.random.default_rng(5).standard_normal((40, HEARD)).astype(np.float32)
    assert 5 < len(plainly(Nets(3, 9.0), encoded, 30)) < 400


def test_recordings_are_filled_up_to_the_longest_and_told_their_frames() -> None:
    seen: list[tuple[Any, Any]] = []

    def encode(inputs: Sequence[Array]) -> Sequence[Array]:
        features, frames = inputs
        seen.append((np.array(features), np.array(frames)))
        return (np.zeros((len(features), (features.shape[1] + 1) // 2, HEARD), np.float32),)

    nets = Nets(1, -99.0)
    pipeline = Transducer({**nets.model(), "encoder": ModelPart((), (), encode)}, Features(), 2)
    samples = [(tone(16_000),), (tone(4_000),)]
    answers = pipeline(samples)
    ((features, frames),) = seen
    assert (features.shape, features.dtype, frames.dtype) == ((2, 34, 240), np.float32, np.int32)
    assert frames.tolist() == [frames_of(16_000), frames_of(4_000)] == [34, 9]
    assert not features[1, 9:].any()
    assert np.array_equal(features[1, :9], Features()(tone(4_000)))
    # Two characters at each step of two frames.
    assert [(len(answer), answer.dtype) for answer in answers] == [(34, np.int64), (10, np.int64)]
    assert pipeline.figures() == {"audio_s": 1.25, "characters": 44.0}
    pipeline.reset()
    assert pipeline.figures() == {"audio_s": 0.0, "characters": 0.0}


def test_an_encoder_that_gives_no_numbers_is_no_transcript() -> None:
    def encode(inputs: Sequence[Array]) -> Sequence[Array]:
        return (np.full((len(inputs[0]), 5, HEARD), np.nan, np.float32),)

    pipeline = Transducer({**Nets(1, 5.0).model(), "encoder": ModelPart((), (), encode)}, Features(), 2)
    with pytest.raises(RunFailedError, match="no numbers"):
        pipeline([(tone(4_000),)])
