"""Texts padded to the longest of their batch against texts padded to 384 tokens, for BERT.

    python benchmarks/variable_length.py [--data xquad.en.json] [--large] [--samples N]

The samples are the questions of XQuAD (English) where its file is given, else random tokens of the same lengths. The
model is MiniLM-L6 with a span head, or BERT-Large with seeded weights (``--large``). Each batch goes through the task's
own pipeline, so padding, masking and taking the padding off are in the time. The three ways take turns, and each has
the best of its rounds: other work on the machine then hits all of them alike.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from assay.assets.catalogue import load_catalogue
from assay.assets.store import AssetStore
from assay.backends.protocol import BackendOptions, Precision
from assay.backends.registry import backends
from assay.base.progress import SILENT
from assay.base.settings import load_settings
from assay.harness.batching import BatchLimits
from assay.harness.engine import model_part
from assay.models.bert import BertGraph, seeded, write_pieces
from assay.models.build import materialise
from assay.models.minilm import MINILM_L6
from assay.tasks.language import TASK
from assay.tasks.language.lengths import synthetic_samples
from assay.tasks.language.recipe import read_recipe
from assay.tasks.protocol import MODEL, Pipeline, Sample

WAYS = {
    "padded to 384, as they come": ("max", False),
    "padded to the longest, as they come": ("longest", False),
    "padded to the longest, in order of length": ("longest", True),
}


def samples_of(data: Path | None, count: int) -> list[Sample]:
    """Real questions, or random tokens of their lengths."""
    if data is None:
        return synthetic_samples(read_recipe({}), count, 1)
    settings = load_settings()
    vocabulary = AssetStore(settings, load_catalogue(settings)).ensure("minilm-l6-weights").path
    opened = TASK.open_dataset(data, {"vocabulary": str(vocabulary)}, cache=settings.cache_dir, progress=SILENT)
    chosen = np.random.default_rng(1).permutation(opened.count)[:count]
    return list(opened.load(chosen.tolist()))


def model_of(large: bool) -> Path:
    """The model's file, made when it is not there."""
    settings = load_settings()
    if large:
        catalogue = load_catalogue(settings)
        store = AssetStore(settings, catalogue)
        return materialise(store, catalogue.get("bert-large-synthetic"), progress=SILENT).path
    target = settings.cache_dir / "benchmarks" / "minilm-spans.onnx"
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        graph = BertGraph("minilm-spans", MINILM_L6)
        write_pieces(graph.pieces(graph.spans(graph.encoder()), seeded(1), {}), target)
    return target


def cut(samples: list[Sample], size: int, *, ordered: bool) -> Iterator[list[Sample]]:
    """Batches as the harness makes them."""
    lengths = np.array([len(sample[0]) for sample in samples], np.int64)
    limits = BatchLimits(size, sizes=lengths if ordered else None)
    indices = list(range(len(samples)))
    _, indices = limits.order(indices, indices)
    for start in range(0, len(indices), size):
        yield [samples[index] for index in indices[start : start + size]]


def measure(pipeline: Pipeline, batches: list[list[Sample]]) -> tuple[float, float]:
    """Wall and processor seconds of all batches."""
    wall, own = time.perf_counter(), time.process_time()
    for batch in batches:
        pipeline(batch)
    return time.perf_counter() - wall, time.process_time() - own


def compare(model: Path, samples: list[Sample], engine: str, precision: Precision, size: int, rounds: int) -> None:
    session = backends().get(engine).open(model, BackendOptions(threads=2, precision=precision))
    ways = []
    for name, (padding, ordered) in WAYS.items():
        pipeline = TASK.pipeline({MODEL: model_part(session)}, {"padding": padding})
        batches = list(cut(samples, size, ordered=ordered))
        for batch in (batches[0], batches[-1]):
            pipeline(batch)
        ways.append((name, pipeline, batches))
    best: dict[str, tuple[float, float]] = {}
    for _ in range(rounds):
        for name, pipeline, batches in ways:
            found = measure(pipeline, batches)
            known = best.get(name, found)
            best[name] = (min(known[0], found[0]), min(known[1], found[1]))
    session.close()
    base = best[next(iter(WAYS))]
    for name, (wall, own) in best.items():
        print(
            f"{engine:12} {precision.value:5} {name:42} {len(samples) / wall:8.2f}/s  {base[0] / wall:5.2f} times"
            f"  (by processor time {base[1] / own:5.2f})",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--samples", type=int, default=256)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--engine", action="append", help="NAME:PRECISION; onnxruntime:fp32 and openvino:bf16 if not given"
    )
    arguments = parser.parse_args()
    samples = samples_of(arguments.data, arguments.samples)
    lengths = [len(sample[0]) for sample in samples]
    model = model_of(arguments.large)
    print(f"{model.name}, {len(samples)} samples of {np.mean(lengths):.0f} tokens, batches of {arguments.batch_size}")
    for word in arguments.engine or ["onnxruntime:fp32", "openvino:bf16"]:
        engine, _, precision = word.partition(":")
        compare(model, samples, engine, Precision(precision or "fp32"), arguments.batch_size, arguments.rounds)


if __name__ == "__main__":
    main()
