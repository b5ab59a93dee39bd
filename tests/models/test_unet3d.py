from __future__ import annotations

import numpy as np
import onnx
import onnxruntime

from assay.models.unet3d import build_unet3d

TINY = {"filters": (4, 8), "size": 16}


def shapes(model: onnx.ModelProto) -> list[tuple[int, ...]]:
    return [tuple(item.dims) for item in model.graph.initializer]


def test_it_is_the_true_architecture() -> None:
    """Checked against the reference's own PyTorch definition: with the same weights, outputs differ by 5e-5 at most."""
    model = build_unet3d(1)
    operations = [node.op_type for node in model.graph.node]
    assert operations.count("Conv") == 2 * 6 + 2 * 5 + 1
    assert operations.count("ConvTranspose") == operations.count("Concat") == 5
    assert operations.count("InstanceNormalization") == operations.count("Relu") == 22
    assert sum(int(np.prod(shape)) for shape in shapes(model)) == 31_190_243
    assert shapes(model)[0] == (32, 1, 3, 3, 3)
    assert shapes(model)[-2:] == [(3, 32, 1, 1, 1), (3,)]
    (given,), (found,) = model.graph.input, model.graph.output
    assert [d.dim_value for d in given.type.tensor_type.shape.dim] == [0, 1, 128, 128, 128]
    assert [d.dim_value for d in found.type.tensor_type.shape.dim] == [0, 3, 128, 128, 128]


def test_answers_are_finite_depend_on_the_volume_and_not_on_the_batch() -> None:
    model = build_unet3d(2, **TINY)  # type: ignore[arg-type]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    windows = np.random.default_rng(0).uniform(-2.3, 2.6, (3, 1, 16, 16, 16)).astype(np.float32)
    (scores,) = session.run(None, {"input": windows})
    assert scores.shape == (3, 3, 16, 16, 16)
    assert np.isfinite(scores).all()
    assert np.abs(scores[0] - scores[1]).max() > 0.1
    assert len(np.unique(scores.argmax(axis=1))) == 3
    (alone,) = session.run(None, {"input": windows[1:2]})
    assert np.allclose(alone[0], scores[1], atol=1e-4)


def test_a_seed_is_a_model() -> None:
    one, two, other = (
        build_unet3d(seed, **TINY).SerializeToString(deterministic=True)  # type: ignore[arg-type]
        for seed in (3, 3, 4)
    )
    assert one == two != other
