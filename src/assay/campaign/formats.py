"""Which engine reads which form of model, told before anything is fetched."""

from __future__ import annotations

from pathlib import Path

from assay.backends.protocol import Backend, ModelFormat
from assay.backends.registry import backends
from assay.errors import InvalidInputError, NotFoundError, UsageError

AUTO = "auto"
_USUAL = {ModelFormat.ONNX: "onnxruntime"}
_USUAL_SERVER = {"language-model": "openai"}
"""What drives a server, by task, where it is not the engine that drives any."""
_NEVER_BY_ITSELF = "null"
_ENDINGS = {
    ".onnx": ModelFormat.ONNX,
    ".gguf": ModelFormat.GGUF,
    ".tflite": ModelFormat.TFLITE,
    ".pt": ModelFormat.TORCH,
    ".pth": ModelFormat.TORCH,
    ".safetensors": ModelFormat.TORCH,
}


def format_of(model: Path) -> ModelFormat:
    """The form of a user's own model, by its name, or by what its folder holds.

    Raises:
        InvalidInputError: when it is none of those known.
    """
    if model.is_dir():
        # CTranslate2's converter writes these two names.
        if (model / "model.bin").is_file() and (model / "config.json").is_file():
            return ModelFormat.CTRANSLATE2
        endings = {path.suffix.lower() for path in model.iterdir()}
        found = [kind for ending, kind in _ENDINGS.items() if ending in endings]
    else:
        found = [_ENDINGS[model.suffix.lower()]] if model.suffix.lower() in _ENDINGS else []
    if not found:
        raise InvalidInputError(
            "the model is in no form that is known",
            where=model,
            expected=f"a file ending in {', '.join(_ENDINGS)}, or a folder of them or of CTranslate2",
            found="a folder" if model.is_dir() else model.suffix or "no ending",
        )
    return found[0]


def default_backend(form: ModelFormat, task: str | None = None) -> str:
    """The engine that runs a form of model unless the user names one.

    Args:
        form: of the model.
        task: what the model does; servers of language models speak a protocol of their own.

    Raises:
        NotFoundError: when no engine reads it.
    """
    usual = _USUAL_SERVER.get(task or "") if form is ModelFormat.REMOTE else _USUAL.get(form)
    if usual is not None:
        return usual
    loaded, _ = backends().load_all()
    for name, backend in loaded.items():
        if name != _NEVER_BY_ITSELF and form in formats_of(backend):
            return name
    raise NotFoundError(f"no engine reads {form.value} models", hint="assay backends shows the engines there are")


def check_fit(backend: Backend, form: ModelFormat) -> None:
    """Refuse an engine that does not read the model; one that drives a server takes any.

    Raises:
        UsageError: naming both forms and an engine that reads the model.
    """
    own = formats_of(backend)
    if form in own or is_remote(backend):
        return
    try:
        hint = f"--backend {default_backend(form)}"
    except NotFoundError as error:
        hint = error.hint or error.what
    raise UsageError(
        f"{backend.title} does not read {form.value} models",
        expected=f"one of {', '.join(each.value for each in own)}",
        found=form.value,
        hint=hint,
    )


def is_remote(backend: Backend) -> bool:
    """Whether the engine drives a server, which has the model."""
    return formats_of(backend) == (ModelFormat.REMOTE,)


def formats_of(backend: Backend) -> tuple[ModelFormat, ...]:
    """Forms that an engine reads; a plugin that names none reads ONNX."""
    return tuple(getattr(backend, "formats", (ModelFormat.ONNX,)))
