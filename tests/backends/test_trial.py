from __future__ import annotations

import onnx

from assay.backends.trial import trial_model


def test_the_trial_model_is_a_model() -> None:
    model = onnx.load_from_string(trial_model())
    onnx.checker.check_model(model)
    assert [node.op_type for node in model.graph.node] == ["Identity"]
