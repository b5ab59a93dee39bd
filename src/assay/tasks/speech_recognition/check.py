"""Whether a graph is the part of RNN-T that it is named after."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.base.tensors import TensorSpec
from assay.errors import InvalidInputError
from assay.tasks.speech_recognition.fbank import FEATURES
from assay.tasks.speech_recognition.text import BLANK
from assay.tasks.speech_recognition.transducer import ENCODER, FILES, JOINT, PREDICTION

_ANY = -1
_Form = tuple[str, str, tuple[int, ...]]
_FLOAT = "float32"

# Words for people, type, and shape with -1 for what the architecture leaves open.
_INPUTS: dict[str, tuple[_Form, ...]] = {
    ENCODER: (("features", _FLOAT, (_ANY, _ANY, FEATURES)), ("frames of each", "int32", (_ANY,))),
    PREDICTION: (
        ("labels", "int64", (_ANY,)),
        ("hidden state", _FLOAT, (_ANY, _ANY, _ANY)),
        ("cell state", _FLOAT, (_ANY, _ANY, _ANY)),
    ),
    JOINT: (("encoder's output", _FLOAT, (_ANY, _ANY)), ("prediction's output", _FLOAT, (_ANY, _ANY))),
}
_OUTPUTS: dict[str, tuple[_Form, ...]] = {
    ENCODER: (("encoded", _FLOAT, (_ANY, _ANY, _ANY)),),
    PREDICTION: (
        ("output", _FLOAT, (_ANY, _ANY)),
        ("hidden state", _FLOAT, (_ANY, _ANY, _ANY)),
        ("cell state", _FLOAT, (_ANY, _ANY, _ANY)),
    ),
    JOINT: (("scores", _FLOAT, (_ANY, BLANK + 1)),),
}


def check_part(part: str, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]) -> None:
    """Check inputs and outputs of a part.

    Raises:
        InvalidInputError: naming the input or output, what it is and what was expected.
    """
    if part not in FILES:
        raise InvalidInputError(
            "RNN-T is a folder of three graphs", expected=", ".join(FILES.values()), found=f"one called {part!r}"
        )
    _check_all(part, "input", _INPUTS[part], inputs)
    _check_all(part, "output", _OUTPUTS[part], outputs)
    if part == PREDICTION and min(inputs[1].shape[1:]) < 1:
        raise InvalidInputError(
            "the hidden state's layers and width are open",
            where=f"{FILES[part]}: input {inputs[1].name!r}",
            expected="shape (-1, layers, width) with numbers for both",
            found=f"shape {inputs[1].shape}",
        )


def _check_all(part: str, kind: str, forms: Sequence[_Form], specs: Sequence[TensorSpec]) -> None:
    if len(specs) < len(forms) or (kind == "input" and len(specs) > len(forms)):
        raise InvalidInputError(
            f"the {part} network has another number of {kind}s",
            where=FILES[part],
            expected=", ".join(words for words, _, _ in forms),
            found=", ".join(spec.name for spec in specs) or "none",
        )
    for (words, dtype, shape), spec in zip(forms, specs, strict=False):
        fits = len(spec.shape) == len(shape) and all(
            want == _ANY or have in (_ANY, want) for have, want in zip(spec.shape, shape, strict=True)
        )
        if not fits or spec.dtype != np.dtype(dtype):
            raise InvalidInputError(
                f"{kind} {spec.name!r} of the {part} network is not the {words}",
                where=FILES[part],
                expected=f"{dtype} {shape}",
                found=f"{spec.dtype} {spec.shape}",
            )
