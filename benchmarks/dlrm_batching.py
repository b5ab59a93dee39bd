"""Batching of DLRM's samples, groups of 100 to 700 pairs: pairs side by side against groups padded to 700.

    python benchmarks/dlrm_batching.py                      both true architectures with random weights
    python benchmarks/dlrm_batching.py dlrm-synthetic       one
    python benchmarks/dlrm_batching.py --turns 9            more turns

Both ways run in one process, on the same session and the same groups of the official sizes, in turn; the ratio is taken
turn by turn, so that the machine's drift cancels out. The padded way gets as many rows in a call as fit.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from assay.assets.catalogue import load_catalogue
from assay.assets.store import AssetStore
from assay.backends.protocol import BackendOptions, Stream
from assay.backends.registry import backends
from assay.base.progress import SILENT
from assay.base.settings import load_settings
from assay.harness.batching import BatchLimits
from assay.harness.engine import model_part
from assay.models.build import materialise
from assay.tasks.protocol import MODEL, Sample
from assay.tasks.recommendation import TASK
from assay.tasks.recommendation.groups import draw_offsets
from assay.tasks.recommendation.recipe import read_recipe

LARGEST = 700
GOAL = 1.5


def groups(recipe: dict[str, Any], count: int) -> list[Sample]:
    """The first groups of the official sizes, filled with random pairs."""
    sizes = np.diff(draw_offsets(1_000_000))[:count]
    wanted, random = read_recipe(recipe), np.random.default_rng(1)
    limits = np.repeat(wanted.rows, wanted.hots)
    return [
        (
            random.random((size, wanted.dense), np.float32),
            random.integers(0, limits, (size, wanted.ids)).astype(np.int32),
            np.zeros(size, np.float32),
        )
        for size in sizes.tolist()
    ]


def side_by_side(session: Any, recipe: dict[str, Any], samples: list[Sample], batch: int) -> Callable[[], int]:
    """The task's own way, in the batches that the harness makes of an Offline query."""
    pipeline = TASK.pipeline({MODEL: model_part(session)}, recipe)
    sizes = np.array([len(sample[2]) for sample in samples])
    limits = BatchLimits(batch, TASK.batch_work(recipe, batch), sizes)
    _, order = limits.order(list(range(len(samples))), list(range(len(samples))))

    def run() -> int:
        start = calls = 0
        while start < len(order):
            end = limits.end(order, start)
            pipeline([samples[index] for index in order[start:end]])
            start, calls = end, calls + 1
        return calls

    return run


def padded(stream: Stream, recipe: dict[str, Any], samples: list[Sample]) -> Callable[[], int]:
    """Every group padded to the largest with zeros; only its own answers are kept."""
    wanted = read_recipe(recipe)
    each = max(wanted.pairs // LARGEST, 1)
    dense = np.zeros((each, LARGEST, wanted.dense), np.float32)
    ids = np.zeros((each, LARGEST, wanted.ids), np.int32)

    def run() -> int:
        calls = 0
        for start in range(0, len(samples), each):
            some = samples[start : start + each]
            for place, (numbers, rows, _) in enumerate(some):
                size = len(numbers)
                dense[place, :size], dense[place, size:] = numbers, 0
                ids[place, :size], ids[place, size:] = rows, 0
            count = len(some)
            flat = dense[:count].reshape(-1, wanted.dense), ids[:count].reshape(-1, wanted.ids)
            answers = np.asarray(stream.run(flat)[0]).reshape(count, LARGEST)
            for place, (numbers, _, targets) in enumerate(some):
                np.stack([answers[place, : len(numbers)], targets], axis=1)
            calls += 1
        return calls

    return run


def seconds(run: Callable[[], int]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def measure(name: str, arguments: argparse.Namespace) -> dict[str, Any]:
    settings = load_settings()
    catalogue = load_catalogue(settings)
    asset = catalogue.get(name)
    assert asset.model is not None
    recipe = dict(asset.model.recipe)
    path: Path = materialise(AssetStore(settings, catalogue), asset, progress=SILENT).path
    session = backends().get(arguments.backend).open(path, BackendOptions(threads=arguments.threads))
    samples = groups(recipe, arguments.samples)
    ours, theirs = (
        side_by_side(session, recipe, samples, arguments.batch),
        padded(session.stream(), recipe, samples),
    )
    ours(), theirs()
    times = [(seconds(ours), seconds(theirs)) for _ in range(arguments.turns)]
    ratios = sorted(other / own for own, other in times)
    pairs = sum(len(sample[2]) for sample in samples)
    return {
        "model": name,
        "pairs": pairs,
        "mean_pairs_of_a_group": round(pairs / len(samples), 1),
        "pairs_per_second": round(pairs / min(own for own, _ in times)),
        "times": round(statistics.median(ratios), 2),
        "range": [round(ratios[0], 2), round(ratios[-1], 2)],
        "goal": GOAL,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=["dlrm-synthetic", "dlrm-v2-synthetic"])
    parser.add_argument("--backend", default="onnxruntime")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--samples", type=int, default=100, help="groups")
    parser.add_argument("--batch", type=int, default=16, help="groups in a batch, at most")
    parser.add_argument("--turns", type=int, default=5)
    arguments = parser.parse_args()
    for name in arguments.models:
        print(json.dumps(measure(name, arguments)), flush=True)


if __name__ == "__main__":
    main()
