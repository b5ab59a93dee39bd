from __future__ import annotations

import numpy as np
import pytest

from assay.base.tensors import TensorSpec
from assay.errors import InvalidInputError
from assay.tasks.speech_recognition.check import check_part

Specs = list[TensorSpec]


def spec(name: str, *shape: int, dtype: str = "float32") -> TensorSpec:
    return TensorSpec(name, np.dtype(dtype), shape)


STATE = spec("state", -1, 2, 320)
RIGHT: dict[str, tuple[Specs, Specs]] = {
    "encoder": (
        [spec("features", -1, -1, 240), spec("frames", -1, dtype="int32")],
        [spec("encoded", -1, -1, 1024)],
    ),
    "prediction": ([spec("label", -1, dtype="int64"), STATE, STATE], [spec("output", -1, 320), STATE, STATE]),
    "joint": ([spec("encoded", -1, 1024), spec("output", -1, 320)], [spec("scores", -1, 29)]),
}


def refused(part: str, inputs: Specs, outputs: Specs) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        check_part(part, inputs, outputs)
    return caught.value


@pytest.mark.parametrize("part", RIGHT)
def test_the_networks_fit(part: str) -> None:
    inputs, outputs = RIGHT[part]
    check_part(part, inputs, outputs)
    check_part(part, inputs, [*outputs, spec("more", -1)])
    for wrong in ([], inputs[:-1], [*inputs, spec("more", -1)]):
        assert "another number of inputs" in refused(part, wrong, outputs).what
    assert "another number of outputs" in refused(part, inputs, []).what


@pytest.mark.parametrize(
    ("part", "place", "wrong"),
    [
        ("encoder", 0, spec("features", -1, -1, 80)),
        ("encoder", 0, spec("features", -1, 240)),
        ("encoder", 1, spec("frames", -1, dtype="int64")),
        ("prediction", 0, spec("label", -1, dtype="float32")),
        ("prediction", 1, spec("state", -1, 320)),
        ("joint", 1, spec("output", -1, 1, 320)),
    ],
)
def test_an_input_that_does_not_fit_is_named(part: str, place: int, wrong: TensorSpec) -> None:
    inputs, outputs = RIGHT[part]
    error = refused(part, [*inputs[:place], wrong, *inputs[place + 1 :]], outputs)
    assert repr(wrong.name) in error.what
    assert error.where == f"{part}.onnx"
    assert error.found == f"{wrong.dtype} {wrong.shape}"


def test_another_alphabet_is_refused() -> None:
    error = refused("joint", RIGHT["joint"][0], [spec("scores", -1, 1024)])
    assert error.expected == "float32 (-1, 29)"


def test_a_state_of_open_size_is_refused() -> None:
    inputs, outputs = RIGHT["prediction"]
    assert "open" in refused("prediction", [inputs[0], spec("h", -1, -1, 320), STATE], outputs).what
    assert "open" in refused("prediction", [inputs[0], spec("h", -1, 2, -1), STATE], outputs).what


def test_one_graph_is_no_rnnt() -> None:
    assert refused("model", *RIGHT["joint"]).expected == "encoder.onnx, prediction.onnx, joint.onnx"
