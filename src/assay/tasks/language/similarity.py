"""How like two texts are: the 50 news texts of Lee, Pincombe and Welsh (2005), and what people thought of each pair.

A sample is a text, its response is the model's vector of it. The score is how the cosines of all pairs go with what
people said: 1,225 pairs of 50 texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.base.files import machine_errors
from assay.errors import InvalidInputError, NotFoundError, UsageError
from assay.loadgen.logs import read_accuracy
from assay.models.text.vocabulary import CLS, SEP, find_vocabulary, read_vocabulary
from assay.models.text.wordpiece import Tokeniser
from assay.tasks.language.recipe import Recipe
from assay.tasks.protocol import Accuracy, Sample, SkippedSample

TEXTS, SCORES = "lee.cor", "similarities0-1.txt"
_MAX_BYTES = 16 << 20
_FEWEST = 2


@dataclass(frozen=True, slots=True)
class SimilarityDataset:
    """Texts as samples: their tokens and segments, int64 ``(length,)`` each.

    Attributes:
        tokens: of each text, ``[CLS] text [SEP]``.
        similarity: what people thought, ``(count, count)``.
    """

    tokens: tuple[NDArray[np.int64], ...]
    similarity: NDArray[np.float64]

    @property
    def count(self) -> int:
        """Texts there are."""
        return len(self.tokens)

    @property
    def skipped(self) -> tuple[SkippedSample, ...]:
        """None: the texts go with the table as a whole."""
        return ()

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Tokens of each text."""
        return np.array([len(tokens) for tokens in self.tokens], np.int64)

    def load(self, indices: Sequence[int]) -> list[Sample]:
        """Tokens and segments of some texts."""
        return [(self.tokens[index], np.zeros(len(self.tokens[index]), np.int64)) for index in indices]


def open_texts(path: Path, recipe: Recipe, *, limit: int | None, model: Path | None) -> SimilarityDataset:
    """Read the texts and the table of a folder.

    Raises:
        NotFoundError: when a file or the vocabulary is not there.
        InvalidInputError: when the table does not go with the texts.
    """
    if limit is not None and limit < _FEWEST:
        raise UsageError(f"similarity takes {_FEWEST} texts at least", found=f"a limit of {limit}")
    lines = [line.strip() for line in _read(path / TEXTS).split("\n")]
    texts = [line for line in lines if line]
    table = _table(path / SCORES)
    if table.shape != (len(texts), len(texts)) or len(texts) < _FEWEST:
        raise InvalidInputError(
            "the table of similarities does not go with the texts",
            where=path / SCORES,
            expected=f"{len(texts)} rows of {len(texts)} numbers",
            found=f"shape {table.shape}",
        )
    vocabulary = read_vocabulary(find_vocabulary(recipe.vocabulary, model), recipe.vocabulary_size)
    tokeniser = Tokeniser(vocabulary, lower_case=recipe.lower_case)
    kept = texts[:limit]
    return SimilarityDataset(
        tuple(_tokens(text, tokeniser, recipe.max_length) for text in kept), table[: len(kept), : len(kept)]
    )


def score_similarity(log: Path, dataset: SimilarityDataset, *, part: bool = False) -> Accuracy:
    """Pearson's and Spearman's correlation from ``mlperf_log_accuracy.json``, whose responses are float32 vectors.

    With ``part`` the log may hold some texts only; the pairs are those of these.

    Raises:
        InvalidInputError: when a text has no response, or one that is no vector.
    """
    read = read_accuracy(log)
    indices, first = np.unique(read.qsl_idx, return_index=True)
    enough = len(indices) >= _FEWEST if part else len(indices) == dataset.count
    if not enough or indices[0] < 0 or indices[-1] >= dataset.count:
        raise InvalidInputError(
            "the log does not hold one response for each sample",
            where=log,
            expected=f"{dataset.count} samples",
            found=f"{len(indices)} sample indices",
            hint="the accuracy run did not come to its end, or was made with another dataset",
        )
    vectors = read.values("<f4")[first].astype(np.float64)
    lengths = np.linalg.norm(vectors, axis=1)
    if not np.isfinite(lengths).all() or not lengths.all():
        raise InvalidInputError("a response is no vector: it is all zeros, or holds what is no number", where=log)
    cosines = (vectors / lengths[:, None]) @ (vectors / lengths[:, None]).T
    pairs, known = np.triu_indices(len(indices), 1), dataset.similarity[np.ix_(indices, indices)]
    pearson = correlation(cosines[pairs], known[pairs])
    spearman = correlation(ranks(cosines[pairs]), ranks(known[pairs]))
    return Accuracy(
        metrics={"Pearson": pearson},
        units={"Pearson": "correlation"},
        samples=len(indices),
        text=f"pearson={pearson:.4f}, spearman={spearman:.4f}, pairs={len(pairs[0])}",
        details={"Spearman": spearman, "pairs": float(len(pairs[0]))},
    )


def correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Pearson's correlation; 0 when one of the two does not vary."""
    a, b = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale else 0.0


def ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Place of each value in their order; equal ones share the mean of their places."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[inverse], np.float64)


def _tokens(text: str, tokeniser: Tokeniser, longest: int) -> NDArray[np.int64]:
    ids = tokeniser.vocabulary.ids
    return np.array([ids[CLS], *tokeniser.ids(text)[: longest - 2], ids[SEP]], np.int64)


def _read(path: Path) -> str:
    try:
        with machine_errors(path):
            if path.stat().st_size > _MAX_BYTES:
                raise InvalidInputError("the file is too large", where=path, expected="at most 16 MiB")
            return path.read_bytes().decode("latin-1")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFoundError(
            f"{path.name} is missing", where=path.parent, expected=f"a folder with {TEXTS} and {SCORES}"
        ) from error


def _table(path: Path) -> NDArray[np.float64]:
    rows = [line.split() for line in _read(path).split("\n") if line.strip()]
    try:
        table = np.array([[float(cell) for cell in row] for row in rows])
    except ValueError as error:
        raise InvalidInputError("the table of similarities is no table of numbers", where=path) from error
    if table.ndim != 2 or not np.isfinite(table).all():
        raise InvalidInputError("the table of similarities is no table of numbers", where=path)
    return table
