"""Object detection as a user runs it: the stand-in's accuracy, and the official layouts and models made small."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from assay.assets.catalogue import load_catalogue
from assay.assets.store import AssetStore
from assay.backends.protocol import BackendOptions
from assay.backends.registry import backends
from assay.base.progress import SILENT
from assay.base.settings import Settings
from assay.errors import InvalidInputError
from assay.tasks.object_detection import TASK
from assay.tasks.protocol import MODEL, ModelPart
from assay.testing import write_accuracy_log

from ..typed import typed

COCO = Path(__file__).parents[3] / "shared" / "data" / "coco-val2017-128"
needs_coco = pytest.mark.skipif(not COCO.is_dir(), reason="the 128 pictures of COCO are not beside the checkout")


def assay(*arguments: str, code: int = 0) -> str:
    done = typed(*arguments)
    assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def run(*arguments: str, code: int = 0) -> list[dict[str, Any]]:
    return list(json.loads(assay("run", *arguments, "--json", code=code)))


@pytest.fixture
def detector_home(home: Path, fetched: Callable[[str], Path]) -> Path:
    """A home with the stand-in, built from its weights."""
    built = fetched("centernet-mobilenetv3")
    fetched("pictures-skimage-4")
    home.mkdir()
    (home / "assets").symlink_to(next(path for path in built.parents if path.name == "assets"), True)
    return home


def test_the_stand_in_names_what_packaged_pictures_show(detector_home: Path) -> None:
    (record,) = run("centernet-mobilenetv3", "--mode", "accuracy", "--scenario", "Offline")
    assert record["figures"]["accuracy"] == {"found": pytest.approx(200 / 3)}
    assert record["labels"] == ["stand-in-model", "small-dataset"]
    text = (detector_home / "runs" / record["id"] / "accuracy.txt").read_text()
    assert text.startswith("found=66.667%, good=4, total=6\nhash=")


@needs_coco
@pytest.mark.shared
def test_the_stand_in_finds_what_16_pictures_show(fetched: Callable[[str], Path], home: Path, tmp_path: Path) -> None:
    """The first 16 of the 128, without LoadGen."""
    facts = load_catalogue(Settings(home=home)).get("centernet-mobilenetv3").model
    assert facts is not None
    dataset = TASK.open_dataset(COCO, facts.recipe, cache=tmp_path, limit=16, progress=SILENT)
    session = backends().get("onnxruntime").open(fetched("centernet-mobilenetv3"), BackendOptions(threads=2))
    part = ModelPart(session.inputs, session.outputs, session.stream().run)
    answers = TASK.pipeline({MODEL: part}, facts.recipe)(dataset.load(range(16)))
    log = write_accuracy_log(tmp_path / "log.json", [(n, answer.tobytes()) for n, answer in enumerate(answers)])
    accuracy = TASK.score(log, dataset, facts.recipe)
    assert accuracy.metrics["mAP"] == pytest.approx(40.3, abs=0.3)
    assert accuracy.details["AP50"] == pytest.approx(56.3, abs=0.3)


@needs_coco
@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_the_stand_in_reaches_its_mean_average_precision(detector_home: Path, backend: str) -> None:
    if backend == "openvino":
        pytest.importorskip("openvino", reason="the extra openvino is not installed")
    (record,) = run(
        *("centernet-mobilenetv3", "--dataset", str(COCO), "--backend", backend),
        *("--mode", "accuracy", "--scenario", "Offline"),
    )
    assert record["figures"]["accuracy"] == {"mAP": pytest.approx(32.6, abs=0.3)}
    assert record["figures"]["accuracy_details"]["AP50"] == pytest.approx(52.1, abs=0.4)
    assert record["figures"]["samples_scored"] == 128


# ---- the official forms, made small


def official_folder(folder: Path, *, openimages: bool) -> Path:
    """Six pictures of one colour with one object each, in the official layout."""
    name = "openimages-mlperf.json" if openimages else "instances_val2017.json"
    pictures = folder / ("validation/data" if openimages else "val2017")
    for each in (folder / "annotations", pictures):
        each.mkdir(parents=True)
    images, annotations = [], []
    for number in range(6):
        category = number % 3
        colour = [20, 20, 20]
        colour[2 - category] = 230
        image = {"id": 10 * (number + 1), "file_name": f"{number:04x}.jpg", "width": 100 + number, "height": 80}
        pixels = np.full((80, 100 + number, 3), colour, np.uint8)
        cv2.imwrite(str(pictures / str(image["file_name"])), pixels)
        images.append(image)
        box = [0.25 * (100 + number), 20, 0.5 * (100 + number), 40]
        annotations.append(
            {
                "id": number + 1,
                "image_id": image["id"],
                "category_id": (1, 5, 90)[category],
                "bbox": box,
                "area": box[2] * box[3],
                "iscrowd": 0,
            }
        )
    categories = [{"id": number, "name": str(number)} for number in (1, 5, 90)]
    document = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "annotations" / name).write_text(json.dumps(document), encoding="utf-8")
    return folder


def colour_detector(path: Path, name: str) -> Path:
    """A model of an official form that finds one object in the middle, whose class is the picture's colour."""
    batch, side, dtype, planar = {
        "retinanet": (1, 800, TensorProto.FLOAT, True),
        "ssd-mobilenet": ("batch", 300, TensorProto.UINT8, False),
        "ssd-resnet34": ("batch", 1200, TensorProto.FLOAT, False),
    }[name]
    shape = [batch, 3, side, side] if planar else [batch, side, side, 3]
    nodes = [
        helper.make_node("Cast", ["image"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["numbers"], ["means"], axes=[2, 3] if planar else [1, 2], keepdims=0),
        helper.make_node("ArgMax", ["means"], ["colour"], axis=1, keepdims=1),
        helper.make_node("Gather", ["ids", "colour"], ["class"]),
        helper.make_node("Cast", ["class"], ["float class"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["float class", "nothing"], ["zero"]),
        helper.make_node("Add", ["zero", "sure"], ["score"]),
        helper.make_node("Unsqueeze", ["zero", "last"], ["column"]),
        helper.make_node("Add", ["column", "middle"], ["box"]),
    ]
    ids = [1, 2, 3] if name == "ssd-resnet34" else [1, 5, 90]
    middle = np.array([0.25, 0.25, 0.75, 0.75], np.float32) * (side if name == "retinanet" else 1)
    constants = {
        "ids": np.array(ids, np.int64),
        "nothing": np.zeros(1, np.float32),
        "sure": np.array([0.9], np.float32),
        "last": np.array([2], np.int64),
        "middle": middle,
        "first": np.array([0], np.int64),
    }
    floats, whole = TensorProto.FLOAT, TensorProto.INT64
    if name == "retinanet":
        ends = {
            "boxes": ("box", floats, [None, 4]),
            "labels": ("class", whole, [None]),
            "scores": ("score", floats, [None]),
        }
        nodes += [helper.make_node("Squeeze", [inner, "first"], [outer]) for outer, (inner, _, _) in ends.items()]
    else:
        boxes = "detection_boxes:0" if name == "ssd-mobilenet" else "detection_bboxes:0"
        ends = {
            boxes: ("box", floats, [batch, 1, 4]),
            "detection_scores:0": ("score", floats, [batch, 1]),
            "detection_classes:0": ("float class", floats, [batch, 1]),
        }
        nodes += [helper.make_node("Identity", [inner], [outer]) for outer, (inner, _, _) in ends.items()]
        if name == "ssd-mobilenet":
            nodes += [
                helper.make_node("Squeeze", ["zero", "axis"], ["flat"]),
                helper.make_node("Add", ["flat", "one"], ["num_detections:0"]),
            ]
            constants |= {"axis": np.array([1], np.int64), "one": np.ones(1, np.float32)}
            ends["num_detections:0"] = ("flat", floats, [batch])
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("image", dtype, shape)],
        [helper.make_tensor_value_info(outer, kind, dims) for outer, (_, kind, dims) in ends.items()],
        [numpy_helper.from_array(value, each) for each, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


OFFICIAL = {
    "retinanet": ("openimages-mlperf", "v3.1"),
    "ssd-mobilenet": ("coco2017", "v2.0"),
    "ssd-resnet34": ("coco2017", "v2.0"),
}


@pytest.mark.parametrize("name", OFFICIAL)
def test_the_official_layouts_and_recipes_run_on_files_made_small(home: Path, tmp_path: Path, name: str) -> None:
    dataset, round_ = OFFICIAL[name]
    folder = official_folder(tmp_path / "data", openimages=dataset == "openimages-mlperf")
    model = colour_detector(tmp_path / "model.onnx", name)
    store = AssetStore(settings := Settings(home=home), load_catalogue(settings))
    with pytest.raises(InvalidInputError, match="found 6"):
        store.register(dataset, folder)
    store.register(dataset, folder, partial=True)
    (record,) = run(
        *(name, "--round", round_, "--model", str(model), "--mode", "accuracy", "--scenario", "Offline"),
    )
    # The evaluation asks for recall at 101 points; a perfect detector has them all.
    assert record["figures"]["accuracy"] == {"mAP": pytest.approx(100)}
    assert {"custom-model", "partial-dataset"} <= set(record["labels"])
    assert record["dataset"]["count"] == 6
    assert (home / "runs" / record["id"] / "accuracy.txt").read_text().startswith("mAP=100.000%\nhash=")


@pytest.mark.slow
def test_every_scenario_runs(home: Path, tmp_path: Path) -> None:
    """Too short to be valid, but whole."""
    folder = official_folder(tmp_path / "data", openimages=True)
    model = colour_detector(tmp_path / "model.onnx", "retinanet")
    scenarios = ("SingleStream", "MultiStream", "Offline", "Server")
    options = [word for each in scenarios for word in ("--scenario", each)]
    records = run(
        *("retinanet", "--model", str(model), "--dataset", str(folder), "--mode", "performance"),
        *(*options, "--duration", "1s", "--target-qps", "20", "--target-latency", "1s", "--no-trace"),
        code=1,
    )
    assert [record["scenario"] for record in records] == list(scenarios)
    assert all(record["status"] == "finished" and record["figures"]["value"] for record in records)
