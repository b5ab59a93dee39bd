"""CTranslate2: Whisper and language models, which make text by themselves; fp32 and int8, bf16 where the library has it.

Weights are kept in one format and computed in another: the library converts them while it loads, int8 with scales of its
own. A session holds one model with a worker for each stream.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.backends.cpu import int8_note, usable_cores
from assay.backends.ctranslate2_decoder import DecoderStream
from assay.backends.ctranslate2_facts import USUAL_CONTEXT, read_facts
from assay.backends.ctranslate2_stream import first_line
from assay.backends.ctranslate2_whisper import WhisperStream
from assay.backends.protocol import (
    BackendOptions,
    Capabilities,
    GeneratingStream,
    ModelFormat,
    Precision,
    TensorSpec,
)
from assay.errors import InvalidInputError, MissingDependencyError, NotFoundError, UsageError, nearest
from assay.models.ctranslate2_file import kind_of

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
    "context": "tokens of prompt and answer together, for language models whose file does not tell; "
    f"{USUAL_CONTEXT:,} when not given",
}
_RESERVED = {
    "compute_type": "--precision",
    "inter_threads": "--streams",
    "intra_threads": "--threads",
}
_FILES = ("model.bin", "config.json")
_VOCABULARIES = ("vocabulary.json", "vocabulary.txt")
_WHISPER, _DECODER = "WhisperSpec", "TransformerDecoderSpec"
_MOST_CONTEXT = 1 << 20


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The engine's own options.

    Attributes:
        index: number of the device.
        context: most tokens of prompt and answer; None for what the model has.
    """

    device: str
    index: int
    context: int | None


def _library() -> Any:
    try:
        import ctranslate2
    except ImportError as error:
        raise MissingDependencyError(
            f"CTranslate2 cannot be imported: {error}", hint='pip install "assay[speech]"'
        ) from error
    return ctranslate2


class Ctranslate2Session:
    """A model loaded into CTranslate2."""

    inputs: tuple[TensorSpec, ...] = ()
    outputs: tuple[TensorSpec, ...] = ()
    fixed_batches = False

    def __init__(
        self,
        library: Any,
        model: Any,
        options: BackendOptions,
        threads: int,
        make_stream: Callable[[], GeneratingStream],
        further: Mapping[str, str],
    ) -> None:
        self._model = model
        self._make_stream: Callable[[], GeneratingStream] | None = make_stream
        self._facts = {
            "engine": "ctranslate2",
            "version": str(library.__version__),
            "device": str(model.device).upper(),
            "precision": options.precision.value,
            "inference_precision": str(model.compute_type),
            "threads": str(threads * options.streams),
            "streams": str(options.streams),
            **further,
            **{f"option {key}": value for key, value in sorted(options.extra.items())},
        }

    def prepare(self, batch_sizes: Sequence[int]) -> None:
        """Nothing: any batch size is as good as another."""

    def stream(self) -> GeneratingStream:
        """A new stream on the shared model."""
        if self._make_stream is None:
            raise UsageError("the session is closed")
        return self._make_stream()

    def describe(self) -> dict[str, str]:
        """What it is and how it was opened; ``threads`` is the compute threads of all streams together."""
        return dict(self._facts)

    def close(self) -> None:
        """Free the model."""
        if self._model is not None:
            self._model.unload_model()
        self._model = self._make_stream = None


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
        notes = ["Whisper and decoder-only language models; int8 is made from any weights while they are loaded"]
        notes += ["a search with beams ends when as many texts are finished as it has beams", int8_note()]
        if Precision.BF16 not in formats:
            notes.append("this build of the library has no bf16 on the CPU")
        return Capabilities(str(library.__version__), devices, formats, tuple(notes), _OPTIONS)

    def check_options(self, options: BackendOptions) -> None:
        """Refuse a precision, option or device that cannot be had.

        Raises:
            UsageError: for the one that cannot.
        """
        library = _library()
        _check_precision(library, _read_extra(library, options.extra).device, options.precision)

    def open(self, model: Path, options: BackendOptions) -> Ctranslate2Session:
        """Load a model from its folder.

        Raises:
            NotFoundError: when the folder, or a file in it, is not there.
            InvalidInputError: when it is no model of CTranslate2 of a kind that is run here.
            UsageError: for a precision, option or device that cannot be had.
            MachineError: when a language model is larger than the memory left.
        """
        library = _library()
        wanted = _read_extra(library, options.extra)
        _check_precision(library, wanted.device, options.precision)
        kind = _check_folder(model)
        threads = options.threads or max(1, usable_cores() // options.streams)
        if kind == _WHISPER:
            if wanted.context is not None:
                raise UsageError("context is for language models", found="a Whisper model", hint="leave it out")
            loaded = _load(library.models.Whisper, model, options, wanted, threads)
            return Ctranslate2Session(library, loaded, options, threads, lambda: WhisperStream(library, loaded), {})
        own_memory = wanted.device == "cpu"
        facts = read_facts(model, wanted.context, own_memory=own_memory, precision=options.precision)
        loaded = _load(library.Generator, model, options, wanted, threads)
        further = {"context": str(facts.context)}
        return Ctranslate2Session(library, loaded, options, threads, lambda: DecoderStream(loaded, facts), further)


def _load(make: Callable[..., Any], model: Path, options: BackendOptions, wanted: _Wanted, threads: int) -> Any:
    """The model, loaded by the library's class for its kind.

    Raises:
        InvalidInputError: when the library refuses it.
        UsageError: when it would be computed in another precision.
    """
    try:
        loaded = make(
            str(model),
            device=wanted.device,
            device_index=wanted.index,
            compute_type=_TYPES[options.precision],
            inter_threads=options.streams,
            intra_threads=threads,
        )
    except (RuntimeError, ValueError) as error:
        raise InvalidInputError(
            f"CTranslate2 cannot load the model: {first_line(error)}",
            where=model,
            expected="a model in CTranslate2's form",
            hint="assay assets verify tells whether its files are whole",
        ) from error
    if str(loaded.compute_type) != _TYPES[options.precision]:
        raise UsageError(
            f"CTranslate2 would compute in {loaded.compute_type} and not in {options.precision.value}",
            hint="give --precision fp32 or int8",
        )
    return loaded


def _check_folder(model: Path) -> str:
    """The kind of a model. What is missing is told here because the library says less, and of some files nothing."""
    if not model.exists():
        raise NotFoundError("the model is not there", where=model)
    if not model.is_dir():
        raise InvalidInputError("a file, where CTranslate2 wants the model's folder", where=model)
    missing = [name for name in _FILES if not (model / name).is_file()]
    if not any((model / name).is_file() for name in _VOCABULARIES):
        missing.append(" or ".join(_VOCABULARIES))
    if missing:
        raise NotFoundError(f"{missing[0]} is missing in the model's folder", where=model)
    kind = kind_of(model / "model.bin")
    if kind not in (_WHISPER, _DECODER):
        raise InvalidInputError(
            "not a Whisper or language model of CTranslate2",
            where=model / "model.bin",
            expected=f"{_WHISPER} or {_DECODER}",
            found=kind or "no such file",
        )
    return kind


def _read_extra(library: Any, given: Mapping[str, str]) -> _Wanted:
    """The engine's own options, checked.

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
    return _Wanted(device, int(index), _context(given.get("context")))


def _context(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 2 <= int(text) <= _MOST_CONTEXT):
        raise UsageError("context is a number", expected=f"2 to {_MOST_CONTEXT}", found=text[:60])
    return int(text)


def _check_precision(library: Any, device: str, precision: Precision) -> None:
    able = library.get_supported_compute_types(device)
    if _TYPES[precision] not in able:
        raise UsageError(
            f"CTranslate2 has no {precision.value} on this {device}",
            expected=" or ".join(each.value for each, kind in _TYPES.items() if kind in able),
            hint="give --precision fp32 or int8",
        )


BACKEND = Ctranslate2Backend()
