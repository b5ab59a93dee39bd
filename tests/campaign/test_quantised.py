from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from assay.assets.catalogue import load_catalogue
from assay.assets.store import AssetStore
from assay.base.progress import SILENT
from assay.base.settings import Settings
from assay.campaign import quantised as module
from assay.campaign.quantised import Source, calibrates, int8_model, quantised_model
from assay.campaign.request import RunRequest
from assay.campaign.subject import resolve_subject
from assay.errors import InvalidInputError
from assay.loadgen.record import Artefact
from assay.models.quantize import Method, is_quantised
from assay.rules.load import load_round
from assay.tasks.protocol import MODEL, BaseTask, Model, PlainPipeline, Responses, Samples

RECIPE = {"resize": {"short_side": 36}, "crop": 32}


def quantise(home: Path, model: Path) -> Path:
    settings = Settings(home=home)
    catalogue = load_catalogue(settings)
    request = RunRequest(name="image-classification", model=model, recipe=RECIPE)
    subject = resolve_subject(request, load_round("v3.1"), catalogue)
    info, store = Artefact("m", "0" * 64), AssetStore(settings, catalogue)
    return quantised_model(model, info, subject, RECIPE, None, store, settings, SILENT)


def test_a_model_is_quantised_once(tmp_path: Path, classifier: Path) -> None:
    made = quantise(tmp_path, classifier)
    assert is_quantised(made)
    assert quantise(tmp_path, classifier) == made
    assert quantise(tmp_path, made) == made


# ---- samples of different size, several inputs, several parts


def mixer(path: Path) -> Path:
    """``(batch, length, 4)`` and weights ``(batch, length)`` to a weighted sum through a linear layer."""
    weight = np.random.default_rng(0).standard_normal((4, 8)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Unsqueeze", ["mask", "axis"], ["column"]),
            helper.make_node("Mul", ["x", "column"], ["masked"]),
            helper.make_node("MatMul", ["masked", "weight"], ["hidden"]),
            helper.make_node("ReduceSum", ["hidden", "one"], ["y"], keepdims=0),
        ],
        "mixer",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", "length", 4]),
            helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["batch", "length"]),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 8])],
        [
            numpy_helper.from_array(weight, "weight"),
            numpy_helper.from_array(np.array([2], np.int64), "axis"),
            numpy_helper.from_array(np.array([1], np.int64), "one"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


class Mixing(BaseTask):
    """A ragged task whose pipeline pads and masks, on one model or on two of the same kind."""

    name = "mixing"

    def __init__(self, *parts: str) -> None:
        self.files = {part: f"{part}.onnx" for part in parts}

    def parts(self, recipe: object) -> dict[str, str]:
        return self.files

    def check_model(self, *arguments: object, **named: object) -> None:
        pass

    def pipeline(self, model: Model, recipe: object) -> PlainPipeline:
        class Pads(PlainPipeline):
            def __call__(self, samples: Samples) -> Responses:
                longest = max(len(sample[0]) for sample in samples)
                x = np.zeros((len(samples), longest, 4), np.float32)
                mask = np.zeros((len(samples), longest), np.float32)
                for row, (array,) in enumerate(samples):
                    x[row, : len(array)], mask[row, : len(array)] = array, 1
                return sum(part.run((x, mask))[0] for part in model.values())  # type: ignore[return-value]

        return Pads()


def samples(count: int) -> list[tuple[np.ndarray]]:
    random = np.random.default_rng(1)
    return [(random.standard_normal((3 + number, 4)).astype(np.float32),) for number in range(count)]


def source(model: Path, task: Mixing) -> Source:
    some = samples(5)
    return Source(model, "1" * 64, task, {}, lambda indices: [some[i] for i in indices], range(5), "toy")  # type: ignore[arg-type]


@pytest.mark.parametrize("method", list(Method))
def test_a_ragged_task_calibrates_through_its_own_pipeline(tmp_path: Path, method: Method) -> None:
    model = mixer(tmp_path / "m.onnx")
    settings = Settings(home=tmp_path / "home")
    store = AssetStore(settings, load_catalogue(settings))
    made = int8_model(source(model, Mixing()), method, store, settings, SILENT).path
    assert is_quantised(made)
    x = np.random.default_rng(2).standard_normal((1, 6, 4)).astype(np.float32)
    feeds = {"x": x, "mask": np.ones((1, 6), np.float32)}
    plain, small = (
        onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, feeds)[0]
        for path in (model, made)
    )
    assert 0 < np.abs(plain - small).max() < 0.1 * np.abs(plain).max()
    assert not list(settings.cache_dir.glob("calibration-*"))


def test_every_part_of_a_model_is_quantised(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for part in "ab":
        mixer(folder / f"{part}.onnx")
    (folder / "words.txt").write_text("kept")
    settings = Settings(home=tmp_path / "home")
    store = AssetStore(settings, load_catalogue(settings))
    made = int8_model(source(folder, Mixing("a", "b")), Method.STATIC, store, settings, SILENT).path
    assert sorted(path.name for path in made.iterdir()) == ["a.onnx", "b.onnx", "words.txt"]
    assert is_quantised(made / "a.onnx")
    assert is_quantised(made / "b.onnx")
    assert MODEL not in {path.stem for path in made.iterdir()}


def test_a_quantised_model_is_not_quantised_again(tmp_path: Path) -> None:
    model = mixer(tmp_path / "m.onnx")
    settings = Settings(home=tmp_path / "home")
    store = AssetStore(settings, load_catalogue(settings))
    made = int8_model(source(model, Mixing()), None, store, settings, SILENT).path
    with pytest.raises(InvalidInputError, match="quantised already"):
        int8_model(source(made, Mixing()), Method.STATIC, store, settings, SILENT)


def test_only_static_ranges_are_taken_from_samples(
    tmp_path: Path, classifier: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the figures would carry a label for nothing."""
    settings = Settings(home=tmp_path / "home")
    request = RunRequest(name="image-classification", model=classifier, recipe=RECIPE)
    subject = resolve_subject(request, load_round("v3.1"), load_catalogue(settings))
    for method in Method:
        monkeypatch.setattr(module, "usual_method", lambda path, method=method: method)
        assert calibrates(classifier, subject, RECIPE) is (method is Method.STATIC)
