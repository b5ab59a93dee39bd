from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.cli.main import run
from assay.testing import tiny_classifier


def call(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = run(["quantize", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("mobilenet-v2",), 2, "--to"),
        (("mobilenet-v2", "--to", "int4"), 2, "int4"),
        (("mobilenet-v9", "--to", "int8"), 3, "mobilenet-v2"),
        (("image-classification", "--to", "int8"), 2, "--model FILE"),
        (("resnet50-synthetic", "--to", "int8", "--method", "static"), 2, "--dataset"),
        (("resnet50", "--to", "int8"), 3, "assay assets add imagenet2012"),
        (("mobilenet-v2", "--to", "int8", "--calibration", "0"), 2, "at least one sample"),
        (("mobilenet-v2", "--to", "fp16", "--calibration", "5"), 2, "nothing to calibrate"),
        (("mobilenet-v2", "--to", "bf16", "--ranges", "minmax"), 2, "nothing to calibrate"),
        (("mobilenet-v2", "--to", "int8", "--ranges", "minmax", "--method", "dynamic"), 2, "need no calibration"),
        (("mobilenet-v2", "--to", "int8", "--ranges", "mean"), 2, "percentile"),
    ],
)
def test_mistakes_are_told(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, words: str
) -> None:
    found, out, err = call(*arguments, capsys=capsys)
    assert found == code, err
    assert words in err
    assert out == ""
    assert "Traceback" not in err


def test_a_dry_run_does_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call("mobilenet-v2", "--to", "int8", "--calibration", "7", "--dry-run", capsys=capsys)
    assert code == 0
    assert "the first 7 samples of imagenet-foolbox-20" in out
    code, out, _ = call("mobilenet-v2", "--to", "int8", "--dry-run", "--json", capsys=capsys)
    assert json.loads(out)["output"] == "mobilenet-v2-int8"
    assert not (home / "manifests").exists()


def test_the_outcome_is_a_table_or_a_document(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = str(tiny_classifier(tmp_path / "tiny.onnx"))
    arguments = ("image-classification", "--model", model, "--recipe", "crop=8", "--to", "bf16")
    code, out, err = call(*arguments, capsys=capsys)
    assert code == 0, err
    assert "before" in out
    assert "size" in out
    assert "kept as tiny-bf16: assay run tiny-bf16" in out
    code, out, _ = call(*arguments, "--json", capsys=capsys)
    document = json.loads(out)
    assert (code, document["name"], document["accuracy"]) == (0, "tiny-bf16", [])
    assert document["provenance"]["source"]["name"] == model
