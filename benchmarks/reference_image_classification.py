"""The official Python image-classification reference (v3.1, ONNX Runtime) beside assay: one ResNet50 file, one set of JPEGs.

``DIR`` is ``vision/classification_and_detection`` of a checkout of mlcommons/inference at v3.1, ``--python`` an interpreter that
has what it imports (onnxruntime, mlcommons-loadgen, opencv-python-headless, pycocotools). Both sides run Offline on the same
ONNX file (true architecture, random weights) and the same 512 pictures, in turn, and the ratio is taken pair by pair. The
reference is given its best batch size of those named.

    python benchmarks/reference_image_classification.py DIR --python VENV/bin/python --pairs 3
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from preprocessing import make

from tasks import ASSAY, spread

RESULT = re.compile(r"^Samples per second\s*:\s*([0-9.e+]+)", re.MULTILINE)
LABEL = "ArgMax:0"
RECIPE = {
    "resize": {"short_side": 256, "filter": "area", "library": "cv2"},
    "crop": 224,
    "mean": [123.68, 116.78, 103.94],
    "layout": "NCHW",
    "output": {"kind": "argmax", "label_offset": -1, "name": LABEL},
}
SETTINGS = (
    ("onnxruntime", "fp32", 1),
    ("onnxruntime", "fp32", 8),
    ("openvino", "bf16", 8),
    ("openvino", "int8", 8),
    ("openvino", "int8", 32),
)


def reference(folder: Path, python: str, model: Path, pictures: Path, batch: int, seconds: int, scratch: Path) -> float:
    """Samples per second that LoadGen's summary tells of a run of main.py."""
    # The round's 24,576 samples would take a quarter of an hour; the rate that is planned with makes ten seconds of it.
    (scratch / "user.conf").write_text("resnet50.Offline.min_query_count = 1\n")
    command = [
        python,
        "main.py",
        "--profile",
        "resnet50-onnxruntime",
        "--model",
        str(model),
    ]
    command += ["--outputs", LABEL, "--dataset-path", str(pictures), "--scenario", "Offline"]
    command += ["--max-batchsize", str(batch), "--qps", "50", "--time", str(seconds), "--output", str(scratch)]
    command += ["--mlperf_conf", str(folder.parent.parent / "mlperf.conf"), "--user_conf", str(scratch / "user.conf")]
    command += ["--preprocessed_dir", str(scratch / "prepared")]
    done = subprocess.run(command, cwd=folder / "python", capture_output=True, text=True, check=False)
    if done.returncode or "failed on contentid" in done.stderr:
        raise SystemExit(done.stderr[-3000:])
    found = RESULT.search((scratch / "mlperf_log_summary.txt").read_text())
    assert found is not None
    return float(found[1])


def official_form(source: Path, target: Path) -> None:
    """The model as MLPerf's own file is: its answer is the label, by the name ``ArgMax:0``."""
    import onnx
    from onnx import TensorProto, helper

    model = onnx.load(str(source))
    graph = model.graph
    graph.node.append(helper.make_node("ArgMax", [graph.output[0].name], [LABEL], axis=1, keepdims=0))
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(LABEL, TensorProto.INT64, ["batch"]))
    onnx.save(model, str(target))


def ours(model: Path, recipe: Path, pictures: Path, backend: str, precision: str, batch: int, seconds: int) -> float:
    command = [*ASSAY, "run", "image-classification", "--model", str(model), "--recipe", str(recipe)]
    command += ["--dataset", str(pictures), "--scenario", "Offline", "--no-trace", "--json"]
    command += ["--backend", backend, "--precision", precision, "--batch-size", str(batch), "--duration", f"{seconds}s"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{done.stdout}\n{done.stderr}")
    return float(json.loads(done.stdout)[0]["figures"]["value"])


def fetched(name: str) -> Path:
    done = subprocess.run([*ASSAY, "assets", "fetch", name, "--json"], check=True, capture_output=True, text=True)
    return Path(json.loads(done.stdout)[0]["path"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=10)
    given = parser.parse_args()
    print(f"load before: {os.getloadavg()[0]:.2f}, cores: {os.cpu_count()}", flush=True)
    source, photographs = fetched("resnet50-synthetic"), fetched("imagenet-foolbox-20")
    bases: dict[int, list[float]] = {1: [], 8: [], 32: []}
    rates: dict[tuple[str, str, int], list[float]] = {setting: [] for setting in SETTINGS}
    with tempfile.TemporaryDirectory() as place:
        pictures, scratch = Path(place, "pictures"), Path(place, "scratch")
        pictures.mkdir()
        scratch.mkdir()
        model, recipe = Path(place, "resnet50.onnx"), Path(place, "recipe.yaml")
        official_form(source, model)
        recipe.write_text(json.dumps(RECIPE))
        make(pictures, sorted(photographs.rglob("*.jpg")), 512)
        for _ in range(given.pairs):
            for batch, found in bases.items():
                found.append(reference(given.folder, given.python, model, pictures, batch, given.seconds, scratch))
            for (backend, precision, batch), found in rates.items():
                found.append(ours(model, recipe, pictures, backend, precision, batch, given.seconds))
    for batch, found in bases.items():
        print(f"reference, ONNX Runtime fp32, batch {batch}: {spread(found, 1)} samples/s", flush=True)
    best = max(bases.values(), key=statistics.median)
    for (backend, precision, batch), found in rates.items():
        same = bases.get(batch, best)
        print(
            f"assay, {backend} {precision}, batch {batch}: {spread(found, 1)} samples/s; of the reference at the same batch "
            f"{spread([a / b for a, b in zip(found, same, strict=True)], 2)}, at its best "
            f"{spread([a / b for a, b in zip(found, best, strict=True)], 2)}",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
