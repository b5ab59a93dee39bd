"""Pre-processing 1,000 JPEGs of ImageNet's size: assay on two cores beside the reference's way on one thread.

The pictures are crops of packaged photographs, encoded anew at sizes that ImageNet's have (most are 500 x 375 or
375 x 500). The reference's way is written down here as vision/classification_and_detection/python of
mlcommons/inference v3.1 does it (``imagenet.py`` and ``dataset.py``, ``pre_process_vgg``): read with OpenCV, RGB, short
side 256 by area, centre crop 224, minus the means, NCHW, one ``.npy`` for each picture; then loaded into memory. Each
side runs in a process of its own with nothing cached, in turn, and the ratio is taken pair by pair.

    python benchmarks/preprocessing.py --pairs 5
    python benchmarks/preprocessing.py --images 200 --pairs 1 --json
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

SIZES = ((500, 375), (500, 333), (375, 500), (500, 400), (333, 500), (640, 480), (500, 500))
"""Width and height, by and large as frequent as in ImageNet's validation set."""
MEANS = (123.68, 116.78, 103.94)
RECIPE = {
    "resize": {"short_side": 256, "filter": "area", "library": "cv2"},
    "crop": 224,
    "mean": MEANS,
    "layout": "NCHW",
}
CORES = 2


def make(folder: Path, photographs: list[Path], count: int) -> None:
    """Write ``count`` labelled JPEGs."""
    random = np.random.default_rng(0)
    originals = [cv2.imread(str(path)) for path in photographs]
    lines = []
    for number in range(count):
        width, height = SIZES[number % len(SIZES)]
        picture = originals[number % len(originals)]
        scale = random.uniform(1.05, 1.4) * max(width / picture.shape[1], height / picture.shape[0])
        large = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        top, left = random.integers(0, large.shape[0] - height + 1), random.integers(0, large.shape[1] - width + 1)
        crop = large[top : top + height, left : left + width]
        name = f"picture_{number:04d}.jpg"
        cv2.imwrite(str(folder / name), crop, [cv2.IMWRITE_JPEG_QUALITY, 95])
        lines.append(f"{name} {number % 1000}\n")
    (folder / "val_map.txt").write_text("".join(lines))


def reference(folder: Path, scratch: Path) -> np.ndarray:
    """The reference's way, on one thread."""
    cv2.setNumThreads(1)
    scratch.mkdir(parents=True)
    names = [line.split()[0] for line in (folder / "val_map.txt").read_text().splitlines()]
    means = np.array(MEANS, np.float32)
    for name in names:
        image = cv2.cvtColor(cv2.imread(str(folder / name)), cv2.COLOR_BGR2RGB)
        height, width, _ = image.shape
        size = (256, int(256 * height / width)) if height > width else (int(256 * width / height), 256)
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        height, width, _ = image.shape
        top, left = int((height - 224) / 2), int((width - 224) / 2)
        image = np.asarray(image[top : int((height + 224) / 2), left : int((width + 224) / 2)], dtype="float32")
        image -= means
        np.save(scratch / name, image.transpose([2, 0, 1]))
    return np.array([np.load(scratch / f"{name}.npy") for name in names])


def ours(folder: Path, scratch: Path) -> np.ndarray:
    """Assay's way: the task's dataset, opened with nothing kept, and all its samples loaded."""
    from assay.base.progress import SILENT
    from assay.tasks.registry import tasks

    opened = tasks().get("image-classification").open_dataset(folder, RECIPE, cache=scratch, progress=SILENT)
    return np.asarray(opened.load(range(opened.count))[0])


WAYS = {"reference": reference, "ours": ours}


def one(way: str, folder: Path, answers: Path | None) -> None:
    """Run one way in this process and print its seconds."""
    import assay.tasks.registry  # noqa: F401 - imports are no part of either way

    with tempfile.TemporaryDirectory() as scratch:
        cores = sorted(os.sched_getaffinity(0))[: 1 if way == "reference" else CORES]
        os.sched_setaffinity(0, cores)
        if way == "ours":
            from assay.tasks.registry import tasks

            tasks().get("image-classification")
        started, busy = time.perf_counter(), time.process_time()
        arrays = WAYS[way](folder, Path(scratch) / "kept")
        seconds, busy = time.perf_counter() - started, time.process_time() - busy
    if answers is not None:
        np.save(answers, arrays)
    print(json.dumps({"seconds": seconds, "cpu_seconds": busy}))


def timed(way: str, folder: Path, answers: Path | None = None) -> dict[str, float]:
    """Seconds of one way, in a fresh process: by the clock, and of processors."""
    command = [sys.executable, __file__, "--way", way, "--folder", str(folder)]
    command += ["--answers", str(answers)] if answers else []
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def photographs() -> list[Path]:
    """The packaged photographs, fetched when they are not there."""
    from assay.assets.catalogue import load_catalogue
    from assay.assets.store import AssetStore
    from assay.base.settings import load_settings

    settings = load_settings()
    found = AssetStore(settings, load_catalogue(settings)).ensure("imagenet-foolbox-20").path
    return sorted(found.glob("*.jpg"))


def main() -> None:
    """Compare the two."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--way", choices=sorted(WAYS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--answers", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.way:
        one(given.way, given.folder, given.answers)
        return
    with tempfile.TemporaryDirectory() as home:
        folder, answers = Path(home) / "images", {way: Path(home) / f"{way}.npy" for way in WAYS}
        folder.mkdir()
        make(folder, photographs(), given.images)
        for way in WAYS:
            timed(way, folder, answers[way])
        one_side, other = (np.load(answers[way], mmap_mode="r") for way in WAYS)
        difference = max(float(np.abs(a - b).max()) for a, b in zip(one_side, other, strict=True))
        pairs = [(timed("reference", folder), timed("ours", folder)) for _ in range(given.pairs)]
    found: dict[str, object] = {"images": given.images, "largest_difference": difference}
    for key in ("seconds", "cpu_seconds"):
        ratios = sorted(slow[key] / fast[key] for slow, fast in pairs)
        found |= {
            f"reference_{key}": statistics.median(slow[key] for slow, _ in pairs),
            f"ours_{key}": statistics.median(fast[key] for _, fast in pairs),
            f"ratio_{key}": statistics.median(ratios),
            f"ratios_{key}": [round(ratio, 2) for ratio in ratios],
        }
    if given.json:
        print(json.dumps(found))
        return
    print(f"{given.images} JPEGs, largest difference {difference:g}")
    for key, words in (("seconds", "by the clock"), ("cpu_seconds", "of processors")):
        print(
            f"{words}: reference {found[f'reference_{key}']:.2f} s, assay {found[f'ours_{key}']:.2f} s, "
            f"ratio {found[f'ratio_{key}']:.2f} {found[f'ratios_{key}']}"
        )


if __name__ == "__main__":
    main()
