"""Calibration: which samples, by number or by a list of names, and what the model gets of them.

What a model gets is not what a dataset gives: pipelines pad, cut and call several times. So calibration runs the task's
own pipeline around the fp32 model and keeps the inputs of every call, on disk.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from assay.backends.batches import fixed_batch
from assay.backends.protocol import BackendOptions
from assay.backends.registry import backends
from assay.base.files import machine_errors, require_space, sha256_file
from assay.base.progress import Progress
from assay.base.tensors import Array
from assay.errors import InvalidInputError, NotFoundError, UsageError
from assay.harness.engine import model_part
from assay.tasks.protocol import ModelPart, Samples, Task

USUAL_SAMPLES = 32
_MOST_CALLS = 512
_MOST_BYTES = 2 << 30
_MOST_LIST_BYTES = 4 << 20
# mlcommons/inference v3.1, folder calibration/: the lists that closed submissions have to take.
OFFICIAL_LISTS = {
    "7662247d1d9407d6cb564268f64c5a4a6cf9f1a34fd2e6cdc3b94dcf278b3dc9": "ImageNet/cal_image_list_option_1.txt",
    "11ce810122226ec0ca8c56e47ee356e3c1185f3c6ce8262edb50c3c1d0a9705e": "ImageNet/cal_image_list_option_2.txt",
    "f5c20ee508bf9449ac26e4db6c6035760e31385a3deefb1856ad47dbe5b0d7be": "openimages/openimages_cal_images_list.txt",
    "ca6f97a9e49db992d18bf01dc98d7b164c5f57c0ce2553c45365ca8445bec559": "COCO/coco_cal_images_list.txt",
    "5a4ace54371313359193a661d653731115fc749c6ed92812ada1f74d4b1b708a": "SQuAD-v1.1/bert_calibration_features.txt",
    "282d3175dc3d67b33f4883ad109a024b4ef126ef436bb0dd4b0c98bf0f004a19": "SQuAD-v1.1/bert_calibration_qas_ids.txt",
    "a671b8d7aec51a1242a2f58c4bb4aa9bc7887e0388060ef1fc495f61beacaeb9": "KiTS/calibration_cases.txt",
    "327a4b245b6de982a5b36a781a3f38a43a82b57270543771d3062acb53cce1e8": "LibriSpeech/calibration_files.txt",
    "4de1bc2bcf345ba8fc118788455dfaf2e09530fd9ed4daedf2b15661324ad9a7": "CNNDailyMail/calibration-list.txt",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which samples are to calibrate, as the user says it.

    Attributes:
        count: the first samples of the dataset; 0 for a list.
        entries: names or numbers of samples.
        origin: where the list is from, for people.
        official: the official list that it is, by its content; empty for any other.
        sha256: of the list's file; empty for a count.
    """

    count: int
    entries: tuple[str, ...] = ()
    origin: str = ""
    official: str = ""
    sha256: str = ""


def read_wanted(text: str | None) -> Wanted:
    """A number of samples, or a file with one sample a line.

    Raises:
        NotFoundError: when there is no such file.
        InvalidInputError: when it is empty, too large or no text.
        UsageError: for a number below 1.
    """
    if text is None:
        return Wanted(USUAL_SAMPLES, origin=f"the first {USUAL_SAMPLES} samples")
    if text.lstrip("-").isdecimal():
        if int(text) < 1:
            raise UsageError("calibration takes at least one sample", found=text)
        return Wanted(int(text), origin=f"the first {int(text)} samples")
    path = Path(text).expanduser()
    if not path.is_file():
        raise NotFoundError(
            "there is no such calibration list", where=path, hint="give a file with one sample a line, or a number"
        )
    if path.stat().st_size > _MOST_LIST_BYTES:
        raise InvalidInputError("the calibration list is too large", where=path, expected="at most 4 MiB")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InvalidInputError("the calibration list is not UTF-8 text", where=path) from error
    entries = tuple(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if not entries:
        raise InvalidInputError("the calibration list is empty", where=path)
    digest = sha256_file(path)
    official = OFFICIAL_LISTS.get(digest, "")
    return Wanted(0, entries, f"list {path.name}", official, digest)


def choose(wanted: Wanted, count: int, names: Sequence[str] | None) -> tuple[int, ...]:
    """Indices of the wanted samples.

    Args:
        wanted: what the user says.
        count: samples of the dataset.
        names: of the dataset's samples, where it tells them.

    Raises:
        InvalidInputError: for samples that the dataset does not have, with the first few.
    """
    if wanted.count:
        return tuple(range(min(wanted.count, count)))
    by_name: dict[str, int] = {}
    for index, name in enumerate(names or ()):
        for key in (PurePosixPath(name).stem, PurePosixPath(name).name, name):
            by_name[key] = index
    found: list[int] = []
    missing: list[str] = []
    for entry in wanted.entries:
        key = entry if entry in by_name else PurePosixPath(entry).name
        if key in by_name:
            found.append(by_name[key])
        elif not by_name and entry.isdecimal() and int(entry) < count:
            found.append(int(entry))
        else:
            missing.append(entry)
    if missing:
        raise InvalidInputError(
            f"{len(missing)} of {len(wanted.entries)} samples of the calibration {wanted.origin} are not in the dataset",
            expected="names of its samples" if by_name else f"numbers from 0 to {count - 1}: the dataset has no names",
            found=", ".join(entry[:60] for entry in missing[:3]),
            hint="give the dataset that the list is for with --dataset",
        )
    return tuple(found)


def names_of(dataset: Any) -> Sequence[str] | None:
    """Names of a dataset's samples, where its task tells them."""
    names = getattr(dataset, "names", None)
    return names if names is not None and not callable(names) else None


class Recorder:
    """Keeps what each part of a model is given while the task's pipeline runs, up to a bound for each sample.

    Args:
        folder: where the arrays go.
        per_sample: calls kept of one sample, for each part.
    """

    def __init__(self, folder: Path, per_sample: int) -> None:
        self._folder = folder
        self._per_sample = per_sample
        self._files: dict[str, list[Path]] = {}
        self._left: dict[str, int] = {}
        self._bytes = 0

    def next_sample(self) -> None:
        """A new sample begins."""
        self._left = dict.fromkeys(self._left, self._per_sample)

    def around(self, name: str, part: ModelPart) -> ModelPart:
        """The same part, recorded."""
        self._files[name], self._left[name] = [], self._per_sample
        names = [spec.name for spec in part.inputs]

        def run(inputs: Sequence[Array]) -> Sequence[Array]:
            self._keep(name, names, inputs)
            return part.run(inputs)

        return ModelPart(part.inputs, part.outputs, run, part.generate, fixed_shapes=part.fixed_shapes)

    def feeds(self, name: str) -> Iterator[dict[str, Array]]:
        """What a part was given, call by call, read from the disk."""
        for path in self._files[name]:
            with np.load(path, allow_pickle=False) as kept:
                yield {key.removeprefix("x."): kept[key] for key in kept.files}

    def calls(self, name: str) -> int:
        """Calls of a part that were kept."""
        return len(self._files[name])

    def _keep(self, name: str, names: Sequence[str], inputs: Sequence[Array]) -> None:
        size = sum(array.nbytes for array in inputs)
        if self._left[name] < 1 or self._bytes + size > _MOST_BYTES:
            return
        self._left[name] -= 1
        self._bytes += size
        path = self._folder / f"{len(self._files[name])}-{name}.npz"
        arrays: dict[str, Any] = {f"x.{key}": array for key, array in zip(names, inputs, strict=True)}
        with machine_errors(path):
            np.savez(path, **arrays)
        self._files[name].append(path)


def record_calls(
    task: Task,
    recipe: Mapping[str, Any],
    parts: Mapping[str, Path],
    load: Callable[[Sequence[int]], Samples],
    indices: Sequence[int],
    folder: Path,
    progress: Progress,
) -> Recorder:
    """Run calibration samples through the task's pipeline on the fp32 model, in ONNX Runtime, and keep the inputs.

    Args:
        task: whose pipeline it is.
        recipe: of the model.
        parts: file of each part of the model.
        load: gives samples of the dataset.
        indices: which samples.
        folder: for the arrays; the caller removes it.
        progress: told sample by sample.

    Raises:
        InvalidInputError: when the model does not fit the task.
        MachineError: when the disk is full.
    """
    engine = backends().get("onnxruntime")
    require_space(folder, min(_MOST_BYTES, 256 << 20))
    sessions = {name: engine.open(path, BackendOptions()) for name, path in parts.items()}
    recorder = Recorder(folder, max(1, math.ceil(_MOST_CALLS / max(1, len(indices)))))
    step = progress.start("calibrate", total=len(indices), unit="samples")
    try:
        for name, session in sessions.items():
            task.check_model(session.inputs, session.outputs, recipe, part=name)
        pipeline = task.pipeline(
            {name: recorder.around(name, model_part(session)) for name, session in sessions.items()}, recipe
        )
        batch = max((fixed_batch(session.inputs) or 1 for session in sessions.values()), default=1)
        for start in range(0, len(indices), batch):
            chosen = list(indices[start : start + batch])
            chosen += [chosen[-1]] * (batch - len(chosen))
            recorder.next_sample()
            pipeline(load(chosen))
            step.advance(batch)
    finally:
        step.finish()
        for session in sessions.values():
            session.close()
    return recorder
