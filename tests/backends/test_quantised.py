from __future__ import annotations

from pathlib import Path

import pytest

from assay.backends import quantised
from assay.backends.protocol import Precision
from assay.backends.quantised import check_format, holds_quantised_layers
from assay.errors import UsageError
from assay.models.quantize import is_quantised


def test_both_kinds_of_models_are_told_apart(model: Path, int8_model: Path) -> None:
    assert not holds_quantised_layers(model)
    assert holds_quantised_layers(int8_model)
    # As by parsing the file.
    assert (is_quantised(model), is_quantised(int8_model)) == (False, True)


def test_a_name_across_two_blocks_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantised, "_CHUNK", 64)
    for before in range(40, 70):
        (tmp_path / "m").write_bytes(b"." * before + b"\x22\x0eQuantizeLinear" + b"." * 90)
        assert holds_quantised_layers(tmp_path / "m"), before


def test_a_name_that_only_contains_the_word_is_not(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(b"\x22\x12NotQuantizeLinear_")
    assert not holds_quantised_layers(tmp_path / "m")


@pytest.mark.parametrize(
    ("precision", "is_int8", "fine"),
    [
        (Precision.INT8, True, True),
        (Precision.INT8, False, False),
        (Precision.FP32, False, True),
        (Precision.FP32, True, False),
        (Precision.BF16, True, False),
        (Precision.BF16, False, True),
    ],
)
def test_formats(precision: Precision, is_int8: bool, fine: bool) -> None:
    if fine:
        check_format(Path("m.onnx"), precision, quantised=is_int8)
        return
    with pytest.raises(UsageError) as caught:
        check_format(Path("m.onnx"), precision, quantised=is_int8)
    assert caught.value.hint is not None
    assert "--precision" in caught.value.hint


@pytest.mark.parametrize("operation", ["QuantizeLinear", "DynamicQuantizeLSTM", "MatMulInteger"])
def test_each_quantised_operation_counts(tmp_path: Path, operation: str) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(bytes(100) + b"\x22" + bytes((len(operation),)) + operation.encode() + bytes(100))
    assert holds_quantised_layers(path)
