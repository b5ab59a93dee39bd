"""Prepared prompts: made once, kept on disk, mapped into memory and taken out as they are loaded."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.base.files import locked, machine_errors, read_json, write_json
from assay.base.progress import Progress
from assay.errors import AssayError, InvalidInputError
from assay.models.tokenizer import TextTokenizer, open_tokenizer
from assay.tasks.language_model.articles import Article, read_articles, reference_outputs, source_file
from assay.tasks.language_model.prompts import Prompter
from assay.tasks.language_model.recipe import Recipe
from assay.tasks.protocol import Ragged, SkippedSample
from assay.tasks.reading import require_some

_VERSION = 1
_INDEX = "index.json"
_CHUNK = 64
_BYTES_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Column:
    """Values of different length, one after the other, mapped from disk."""

    values: NDArray[Any]
    ends: NDArray[np.int64]

    def __getitem__(self, index: int) -> NDArray[Any]:
        """A copy of one sample's values."""
        start = self.ends[index - 1] if index else 0
        return np.array(self.values[start : self.ends[index]])

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Length of each."""
        return np.diff(self.ends, prepend=0)

    def text(self, index: int) -> str:
        """One sample's bytes as text."""
        return self[index].tobytes().decode("utf-8")


@dataclass(frozen=True, slots=True)
class TextDataset:
    """Prompts and the right answers to them.

    Attributes:
        tokens: token ids of each prompt; all empty without a tokenizer.
        texts: the prompts as UTF-8.
        targets: the right answers as UTF-8.
        unscored: samples without a right answer.
        cut: prompts that were too long.
        tokenizer: of the model, if it is known.
    """

    count: int
    skipped: tuple[SkippedSample, ...]
    tokens: Column
    texts: Column
    targets: Column
    unscored: int
    cut: int
    tokenizer: TextTokenizer | None

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Tokens of each prompt; without a tokenizer, a guess from its bytes."""
        lengths = self.tokens.lengths
        return lengths if lengths.any() else self.texts.lengths // _BYTES_PER_TOKEN + 1

    def load(self, indices: Sequence[int]) -> Ragged:
        """Of each sample: token ids int32 ``(n,)`` and UTF-8 bytes uint8 ``(m,)`` of its prompt."""
        return [(self.tokens[index], self.texts[index]) for index in indices]


def open_texts(
    source: Path,
    recipe: Recipe,
    *,
    cache: Path,
    limit: int | None,
    skip_bad: bool,
    model: Path | None,
    progress: Progress,
) -> TextDataset:
    """Make the prompts of a dataset, or take those made before.

    Raises:
        NotFoundError: when there is no dataset, or no tokenizer where the recipe says.
        InvalidInputError: for a wrong layout, an empty text (which one), or a tokenizer that cannot be read.
    """
    require_some(limit)
    file = source_file(source)
    tokenizer = _tokenizer(recipe, model)
    key = _key(file, recipe, tokenizer, limit, skip_bad=skip_bad)
    home = cache / "language-model" / key
    with locked(cache / "language-model" / f"{key}.lock"):
        found = _cached(home, tokenizer)
        if found is None:
            articles, skipped = read_articles(file, limit=limit, skip_bad=skip_bad)
            _prepare(articles, skipped, Prompter(recipe, tokenizer), home, progress)
            found = _cached(home, tokenizer)
    if found is None:
        raise InvalidInputError("prompts that were just prepared cannot be read", where=home)
    return found


def _tokenizer(recipe: Recipe, model: Path | None) -> TextTokenizer | None:
    if recipe.tokenizer is not None:
        return open_tokenizer(Path(recipe.tokenizer).expanduser())
    return None if model is None else open_tokenizer(model)


def _key(file: Path, recipe: Recipe, tokenizer: TextTokenizer | None, limit: int | None, *, skip_bad: bool) -> str:
    """What prompts depend on: the files' names, sizes and times, the recipe, the reference, this code's version."""
    form = [str(_VERSION), recipe.model_dump_json(), str(limit), str(skip_bad), _identity(file)]
    form += [] if tokenizer is None else [_identity(tokenizer.origin)]
    form.append(hashlib.sha256(repr(sorted(reference_outputs().items())).encode()).hexdigest())
    return hashlib.sha256("\0".join(form).encode()).hexdigest()[:32]


def _identity(path: Path) -> str:
    status = path.stat()
    return f"{path.resolve()} {status.st_size} {status.st_mtime_ns}"


def _prepare(
    articles: Sequence[Article],
    skipped: Sequence[SkippedSample],
    prompter: Prompter,
    home: Path,
    progress: Progress,
) -> None:
    step = progress.start("prepare prompts", unit="articles", total=len(articles))
    tokens: list[NDArray[Any]] = []
    texts: list[bytes] = []
    cut = 0
    try:
        for start in range(0, len(articles), _CHUNK):
            for made in prompter.make_all(articles[start : start + _CHUNK]):
                tokens.append(made.tokens)
                texts.append(made.text.encode("utf-8", "replace"))
                cut += made.cut
            step.update(done=len(tokens), total=len(articles))
    finally:
        step.finish()
    targets = [(article.target or "").encode("utf-8", "replace") for article in articles]
    with machine_errors(home):
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        _keep(home, "tokens", tokens, np.int32)
        _keep(home, "texts", [np.frombuffer(text, np.uint8) for text in texts], np.uint8)
        _keep(home, "targets", [np.frombuffer(text, np.uint8) for text in targets], np.uint8)
    index = {
        "count": len(articles),
        "unscored": sum(article.target is None for article in articles),
        "cut": cut,
        "skipped": [[item.name, item.reason] for item in skipped],
    }
    write_json(home / _INDEX, index)


def _keep(home: Path, name: str, arrays: Sequence[NDArray[Any]], dtype: type[np.generic]) -> None:
    np.save(home / f"{name}.npy", np.concatenate([*arrays, np.empty(0, dtype)]).astype(dtype))
    np.save(home / f"{name}-ends.npy", np.cumsum([len(array) for array in arrays], dtype=np.int64))


def _cached(home: Path, tokenizer: TextTokenizer | None) -> TextDataset | None:
    """What was prepared before; None when there is nothing or it is damaged."""
    if not (home / _INDEX).is_file():
        return None
    try:
        index = read_json(home / _INDEX)
        columns = {name: _column(home, name, int(index["count"])) for name in ("tokens", "texts", "targets")}
        skipped = tuple(SkippedSample(str(name), str(reason)) for name, reason in index["skipped"])
        return TextDataset(
            count=int(index["count"]),
            skipped=skipped,
            unscored=int(index["unscored"]),
            cut=int(index["cut"]),
            tokenizer=tokenizer,
            **columns,
        )
    except (AssayError, OSError, KeyError, TypeError, ValueError):
        return None


def _column(home: Path, name: str, count: int) -> Column:
    values = _mapped(home / f"{name}.npy")
    ends = np.load(home / f"{name}-ends.npy", allow_pickle=False)
    if ends.shape != (count,) or (count and ends[-1] != len(values)):
        raise ValueError("the ends do not fit the values")
    return Column(values, ends)


def _mapped(path: Path) -> NDArray[Any]:
    # An array of no values cannot be mapped.
    loaded: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    return loaded
