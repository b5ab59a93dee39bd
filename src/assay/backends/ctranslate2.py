"""CTranslate2: Whisper models, which make text from spectrograms; fp32 and int8, and bf16 where the library has it.

Weights are kept in one format and computed in another: the library converts them while it loads, int8 with scales of its
own. A session holds one model with a worker for each stream.
"""

from __future__ import annotations

import re
import struct
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.backends.cpu import int8_note, usable_cores
from assay.backends.protocol import (
    Array,
    BackendOptions,
    Capabilities,
    Decoding,
    Generated,
    ModelFormat,
    Precision,
    Prompt,
    TensorSpec,
)
from assay.errors import (
    InvalidInputError,
    MissingDependencyError,
    NotFoundError,
    RunFailedError,
    UsageError,
    nearest,
)

_TYPES = {
    Precision.FP32: "float32",
    Precision.INT8: "int8_float32",
    Precision.BF16: "bfloat16",
    Precision.FP16: "float16",
}
_DEVICES = ("cpu", "cuda")
_OPTIONS = {
    "device": "cpu (the default) or cuda",
    "device_index": "number of the graphics card; 0 when not given",
}
_RESERVED = {
    "compute_type": "--precision",
    "inter_threads": "--streams",
    "intra_threads": "--threads",
}
_EXTRA_DECODING = frozenset(
    {"length_penalty", "no_repeat_ngram_size", "patience", "repetition_penalty", "suppress_blank"}
)
_FILES = ("model.bin", "config.json")
_VOCABULARIES = ("vocabulary.json", "vocabulary.txt")
_KIND = "WhisperSpec"
_LONGEST = 448
"""Tokens of a prompt and its answer together: Whisper has no more places."""
_TASK = "<|transcribe|>"
_SPECIAL = re.compile(r"<\|[^|<>]{1,40}\|>")


def _library() -> Any:
    try:
        import ctranslate2
    except ImportError as error:
        raise MissingDependencyError(
            f"CTranslate2 cannot be imported: {error}", hint='pip install "assay[speech]"'
        ) from error
    return ctranslate2


class Ctranslate2Stream:
    """One worker's way into the shared model."""

    def __init__(self, library: Any, model: Any) -> None:
        self._view = library.StorageView.from_array
        self._model = model
        self._bands = int(model.n_mels)
        self._multilingual = bool(model.is_multilingual)

    def run(self, inputs: Sequence[Array]) -> Sequence[Array]:
        """Refused: the engine makes text and runs no graphs.

        Raises:
            UsageError: always.
        """
        del inputs
        raise UsageError("CTranslate2 makes text and runs no graphs", hint="--backend onnxruntime runs graphs")

    def generate(self, prompts: Sequence[Prompt], decoding: Decoding) -> Sequence[Generated]:
        """Tokens for some spectrograms, in one batch; the library tells no moment of the first token.

        Raises:
            InvalidInputError: when a prompt has no spectrogram of the model's size, or no room for the answer.
            RunFailedError: when the engine breaks.
        """
        features = self._features(prompts)
        starts = [_start(prompt, multilingual=self._multilingual) for prompt in prompts]
        options = _decoding(decoding, max(map(len, starts)))
        began = time.perf_counter_ns()
        try:
            results = self._model.generate(self._view(features), starts, **options)
        except (RuntimeError, ValueError, TypeError) as error:
            raise RunFailedError(f"CTranslate2 broke while it ran the model: {_first_line(error)}") from error
        took = time.perf_counter_ns() - began
        return [
            Generated(np.array(result.sequences_ids[0], np.int32), "", None, took, len(start))
            for result, start in zip(results, starts, strict=True)
        ]

    def _features(self, prompts: Sequence[Prompt]) -> NDArray[np.float32]:
        shapes = {None if prompt.features is None else prompt.features.shape for prompt in prompts}
        shape = next(iter(shapes), None)
        if len(shapes) != 1 or shape is None or len(shape) != 2 or shape[0] != self._bands:
            raise InvalidInputError(
                "Whisper is asked by spectrograms of one size",
                expected=f"({self._bands}, frames)",
                found=", ".join(map(str, shapes)) or "no prompt",
            )
        return np.stack([np.asarray(prompt.features, np.float32) for prompt in prompts])


class Ctranslate2Session:
    """A model loaded into CTranslate2."""

    inputs: tuple[TensorSpec, ...] = ()
    outputs: tuple[TensorSpec, ...] = ()
    fixed_batches = False

    def __init__(self, library: Any, model: Any, options: BackendOptions, threads: int) -> None:
        self._library = library
        self._model = model
        self._facts = {
            "engine": "ctranslate2",
            "version": str(library.__version__),
            "device": str(model.device).upper(),
            "precision": options.precision.value,
            "inference_precision": str(model.compute_type),
            "threads": str(threads * options.streams),
            "streams": str(options.streams),
            **{f"option {key}": value for key, value in sorted(options.extra.items())},
        }

    def prepare(self, batch_sizes: Sequence[int]) -> None:
        """Nothing: any batch size is as good as another."""

    def stream(self) -> Ctranslate2Stream:
        """A new stream on the shared model."""
        if self._model is None:
            raise UsageError("the session is closed")
        return Ctranslate2Stream(self._library, self._model)

    def describe(self) -> dict[str, str]:
        """What it is and how it was opened; ``threads`` is the compute threads of all streams together."""
        return dict(self._facts)

    def close(self) -> None:
        """Free the model."""
        if self._model is not None:
            self._model.unload_model()
        self._model = None


class Ctranslate2Backend:
    """CTranslate2."""

    name = "ctranslate2"
    title = "CTranslate2"
    formats = (ModelFormat.CTRANSLATE2,)

    def capabilities(self) -> Capabilities:
        """What it does on this machine."""
        library = _library()
        able = library.get_supported_compute_types("cpu")
        formats = tuple(precision for precision, kind in _TYPES.items() if kind in able)
        devices = ("CPU", *(["CUDA"] if library.get_cuda_device_count() else []))
        notes = ["Whisper models; int8 is made from any weights while they are loaded", int8_note()]
        if Precision.BF16 not in formats:
            notes.append("this build of the library has no bf16 on the CPU")
        return Capabilities(str(library.__version__), devices, formats, tuple(notes), _OPTIONS)

    def check_options(self, options: BackendOptions) -> None:
        """Refuse a precision, option or device that cannot be had.

        Raises:
            UsageError: for the one that cannot.
        """
        library = _library()
        device, _ = _read_extra(library, options.extra)
        _check_precision(library, device, options.precision)

    def open(self, model: Path, options: BackendOptions) -> Ctranslate2Session:
        """Load a model from its folder.

        Raises:
            NotFoundError: when the folder, or a file in it, is not there.
            InvalidInputError: when it is no Whisper model of CTranslate2.
            UsageError: for a precision, option or device that cannot be had.
        """
        library = _library()
        device, index = _read_extra(library, options.extra)
        _check_precision(library, device, options.precision)
        _check_folder(model)
        threads = options.threads or max(1, usable_cores() // options.streams)
        try:
            loaded = library.models.Whisper(
                str(model),
                device=device,
                device_index=index,
                compute_type=_TYPES[options.precision],
                inter_threads=options.streams,
                intra_threads=threads,
            )
        except (RuntimeError, ValueError) as error:
            raise InvalidInputError(
                f"CTranslate2 cannot load the model: {_first_line(error)}",
                where=model,
                expected="a Whisper model in CTranslate2's form",
                hint="assay assets verify tells whether its files are whole",
            ) from error
        if str(loaded.compute_type) != _TYPES[options.precision]:
            raise UsageError(
                f"CTranslate2 would compute in {loaded.compute_type} and not in {options.precision.value}",
                hint="give --precision fp32 or int8",
            )
        return Ctranslate2Session(library, loaded, options, threads)


def _start(prompt: Prompt, *, multilingual: bool) -> list[int] | list[str]:
    """What the answer begins with: token ids, or the special tokens that a text is made of.

    An English-only model that is told a language still answers, and worse; so does the other kind without one.
    """
    if prompt.tokens is not None:
        return [int(token) for token in prompt.tokens]
    found = _SPECIAL.findall(prompt.text)
    if not found or "".join(found) != prompt.text:
        raise InvalidInputError(
            "Whisper's prompt is made of special tokens", expected="<|startoftranscript|>...", found=prompt.text[:60]
        )
    if (_TASK in found) != multilingual:
        raise InvalidInputError(
            f"the model knows {'several languages' if multilingual else 'English only'}",
            expected="a language and a task in the prompt"
            if multilingual
            else "neither language nor task in the prompt",
            found=prompt.text[:60],
            hint=f"{'give' if multilingual else 'leave out'} language in the recipe",
        )
    return list(found)


def _decoding(decoding: Decoding, start: int) -> dict[str, Any]:
    """The library's arguments.

    Its ``max_length`` counts the prompt's tokens, and an answer has at most half of it.
    """
    most = _LONGEST // 2
    if not 1 <= decoding.max_tokens <= min(most, _LONGEST - start):
        raise InvalidInputError(
            "Whisper has no room for so long an answer",
            expected=f"1 to {min(most, _LONGEST - start)} tokens",
            found=str(decoding.max_tokens),
        )
    if decoding.min_tokens:
        raise InvalidInputError("CTranslate2's Whisper has no shortest answer", expected="min_tokens of 0")
    for key in decoding.extra:
        if key not in _EXTRA_DECODING:
            close = nearest(key, _EXTRA_DECODING)
            raise InvalidInputError(
                f"CTranslate2's Whisper has no setting {key!r}", expected=" or ".join(close or sorted(_EXTRA_DECODING))
            )
    length = max(2 * decoding.max_tokens, decoding.max_tokens + start)
    return {"beam_size": decoding.beams, "max_length": min(length, _LONGEST), **decoding.extra}


def _check_folder(model: Path) -> None:
    """Tell what is missing before the library does: it says less, and of some files nothing."""
    if not model.exists():
        raise NotFoundError("the model is not there", where=model)
    if not model.is_dir():
        raise InvalidInputError("a file, where CTranslate2 wants the model's folder", where=model)
    missing = [name for name in _FILES if not (model / name).is_file()]
    if not any((model / name).is_file() for name in _VOCABULARIES):
        missing.append(" or ".join(_VOCABULARIES))
    if missing:
        raise NotFoundError(f"{missing[0]} is missing in the model's folder", where=model)
    kind = _kind_of(model / "model.bin")
    if kind != _KIND:
        raise InvalidInputError(
            "not a Whisper model of CTranslate2",
            where=model / "model.bin",
            expected=_KIND,
            found=kind or "no such file",
        )


def _kind_of(path: Path) -> str | None:
    """The architecture that a model file names after its version; None when it is no such file."""
    with path.open("rb") as stream:
        head = stream.read(64)
    if len(head) < 8:
        return None
    length = struct.unpack_from("<H", head, 4)[0]
    name = head[6 : 6 + length - 1]
    return name.decode("ascii") if 1 < length <= 50 and name.isalnum() and name.isascii() else None


def _read_extra(library: Any, given: Mapping[str, str]) -> tuple[str, int]:
    """The device and its number.

    Raises:
        UsageError: for an option that does not exist, has no such value, or has a flag of its own.
    """
    for key in given:
        if key in _RESERVED:
            raise UsageError(f"{key} has a flag of its own", hint=f"give {_RESERVED[key]}")
        if key not in _OPTIONS:
            raise UsageError(
                f"CTranslate2 has no option {key!r}",
                expected=" or ".join(nearest(key, _OPTIONS) or _OPTIONS),
                hint="assay backends show ctranslate2",
            )
    device, index = given.get("device", _DEVICES[0]).lower(), given.get("device_index", "0")
    if device not in _DEVICES:
        raise UsageError("CTranslate2 has no such device", expected=" or ".join(_DEVICES), found=device)
    if not (index.isascii() and index.isdigit() and len(index) < 4):
        raise UsageError("device_index is a number", found=index)
    if device == "cuda" and int(index) >= library.get_cuda_device_count():
        raise UsageError("there is no such graphics card here", found=f"cuda {index}", hint="leave out device=cuda")
    return device, int(index)


def _check_precision(library: Any, device: str, precision: Precision) -> None:
    able = library.get_supported_compute_types(device)
    if _TYPES[precision] not in able:
        raise UsageError(
            f"CTranslate2 has no {precision.value} on this {device}",
            expected=" or ".join(each.value for each, kind in _TYPES.items() if kind in able),
            hint="give --precision fp32 or int8",
        )


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__


BACKEND = Ctranslate2Backend()
