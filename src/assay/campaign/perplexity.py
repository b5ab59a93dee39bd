"""Perplexity of a language model: model and text found, the engine asked, the figure kept with what it is of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.assets.catalogue import Catalogue, load_catalogue
from assay.assets.manifest import Asset
from assay.assets.store import AssetStore
from assay.backends.cpu import usable_cores
from assay.backends.llamacpp import BACKEND, weight_form
from assay.backends.llamacpp_perplexity import check_window, perplexity
from assay.backends.protocol import ModelFormat
from assay.base.files import machine_errors, sha256_file
from assay.base.progress import Progress
from assay.base.settings import Settings
from assay.errors import InvalidInputError, NotFoundError, unknown
from assay.loadgen.record import Artefact, Label
from assay.models.build import materialise
from assay.models.gguf import read_gguf

TEXT = "lee50"
"""Dataset whose text is read when none is given; its file is latin-1."""
TOKENS, WINDOW = 2048, 512
_TEXT_FILE, _TEXT_ENCODING = "lee.cor", "latin-1"
_ENDING = ".gguf"
_LETTERS = 64
"""No token of a text is as long on average, so more of a file than that many for each need not be read."""


@dataclass(frozen=True, slots=True)
class PerplexityRequest:
    """What a user asks for.

    Attributes:
        model: name in the catalogue, or path of a GGUF file.
        text: the user's own, UTF-8; that of :data:`TEXT` when not given.
        tokens: of the text that are read, at most.
        window: tokens that are read together.
        threads: compute threads; 0 for all cores.
    """

    model: str
    text: Path | None = None
    tokens: int = TOKENS
    window: int = WINDOW
    threads: int = 0


@dataclass(frozen=True, slots=True)
class Measured:
    """A perplexity with everything that says what it is.

    Attributes:
        tokens: that were read, in whole windows.
        precision: form of most weights, such as ``Q4_1``.
        text: its hash is that of the whole file.
        labels: what the figure must never be shown without.
    """

    perplexity: float
    tokens: int
    window: int
    model: Artefact
    precision: str
    text: Artefact
    engine: str
    version: str
    threads: int
    labels: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The figure as one JSON document."""
        named = {"name": self.model.name, "sha256": self.model.sha256, "precision": self.precision}
        return {
            "perplexity": self.perplexity,
            "tokens": self.tokens,
            "window": self.window,
            "model": named,
            "text": {"name": self.text.name, "sha256": self.text.sha256},
            "engine": {"name": self.engine, "version": self.version, "threads": self.threads},
            "labels": list(self.labels),
        }


def measure_perplexity(request: PerplexityRequest, settings: Settings, progress: Progress) -> Measured:
    """Find the model and the text, fetch what is missing, and measure.

    Raises:
        NotFoundError: for a model or a text that is not there, or cannot be had.
        MissingDependencyError: when the engine is not installed; nothing is fetched then.
        InvalidInputError: for a model of another form, a damaged one, or a text that is too short or no text.
        UsageError: for a window that does not fit.
        RunFailedError: when the engine breaks.
    """
    check_window(request.tokens, request.window)
    catalogue = load_catalogue(settings)
    asset = _asset(request.model, catalogue)
    version = BACKEND.capabilities().version
    store = AssetStore(settings, catalogue)
    text_file, text, text_labels = _text(request, store, progress)
    labels: tuple[str, ...]
    if asset is None:
        path = Path(request.model).expanduser().absolute()
        model, labels = Artefact(str(path), sha256_file(path)), (Label.CUSTOM_MODEL.value,)
    else:
        located = materialise(store, asset, progress=progress)
        path, model, labels = located.path, Artefact(asset.name, located.sha256), asset.labels
    threads = request.threads or usable_cores()
    found = perplexity(path, text, tokens=request.tokens, window=request.window, threads=threads, progress=progress)
    return Measured(
        perplexity=found.value,
        tokens=found.tokens,
        window=request.window,
        model=model,
        precision=weight_form(read_gguf(path)),
        text=text_file,
        engine=BACKEND.title,
        version=version,
        threads=threads,
        labels=tuple(dict.fromkeys((*labels, *text_labels))),
    )


def _asset(name: str, catalogue: Catalogue) -> Asset | None:
    """The catalogue's model of this name; None for a GGUF file of the user's.

    Raises:
        NotFoundError: when there is neither.
        InvalidInputError: when it is a model of another form, naming those that can be taken.
    """
    models = {asset.name: asset for asset in catalogue.models()}
    fitting = [asset.name for asset in models.values() if asset.model and asset.model.format == ModelFormat.GGUF]
    asset = models.get(name.casefold())
    if asset is not None and asset.model is not None:
        if asset.name not in fitting:
            raise _other_form(asset.name, f"{asset.model.format} for {asset.task}", fitting)
        return asset
    path = Path(name).expanduser()
    if "/" not in name and path.suffix.lower() != _ENDING and not path.exists():
        raise unknown("model", name, fitting, hint=f"assay perplexity {fitting[0]}, or a path of a {_ENDING} file")
    if not path.exists():
        raise NotFoundError("the model is not there", where=path)
    if path.is_dir() or path.suffix.lower() != _ENDING:
        raise _other_form(str(path), "a folder" if path.is_dir() else path.suffix or "no ending", fitting)
    read_gguf(path)  # a damaged one is told before anything is fetched
    return None


def _other_form(name: str, found: str, fitting: Sequence[str]) -> InvalidInputError:
    return InvalidInputError(
        f"perplexity is measured by llama.cpp, and {name} is no GGUF model",
        expected=f"a file that ends in {_ENDING}, or {' or '.join(fitting)}",
        found=found,
        hint=f"assay perplexity {fitting[0]}",
    )


def _text(request: PerplexityRequest, store: AssetStore, progress: Progress) -> tuple[Artefact, str, tuple[str, ...]]:
    """Name and hash of the text, as much of it as is wanted, and its labels."""
    if request.text is None:
        asset = store.catalogue.get(TEXT)
        path, encoding = store.ensure(TEXT, progress=progress).path / _TEXT_FILE, _TEXT_ENCODING
        name, labels = TEXT, asset.labels
    else:
        # A mark of the order of bytes at the beginning is no part of the text.
        path, encoding = request.text.expanduser().absolute(), "utf-8-sig"
        name, labels = str(path), (Label.CUSTOM_DATASET.value,)
    if not path.is_file():
        raise NotFoundError("the text is not there, or no file", where=path)
    try:
        with machine_errors(path), path.open(encoding=encoding) as stream:
            text = stream.read(request.tokens * _LETTERS)
    except UnicodeDecodeError as error:
        raise InvalidInputError(
            "the text is not UTF-8", where=path, found=f"byte {error.object[error.start]:#04x}"
        ) from error
    return Artefact(name, sha256_file(path)), text, labels
