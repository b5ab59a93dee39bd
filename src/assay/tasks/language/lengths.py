"""Samples of random tokens whose lengths are distributed as those of real questions."""

from __future__ import annotations

import numpy as np

from assay.tasks.language.recipe import Recipe
from assay.tasks.protocol import Sample

# Tokens of the 1,232 samples of XQuAD (English), which are questions of SQuAD: shortest, then every twentieth part.
_QUANTILES = (
    *(43, 91, 112, 121, 127, 134, 141, 146, 152, 158, 166),
    *(174, 180, 189, 205, 219, 239, 257, 271, 359, 384),
)
_FIRST_PIECE, _PIECES, _CLS, _SEP, _SHORTEST = 999, 30_522, 101, 102, 8


def synthetic_samples(recipe: Recipe, count: int, seed: int) -> list[Sample]:
    """Tokens and segments of samples that mean nothing; the same seed gives the same.

    Args:
        recipe: gives the longest length and the number of word pieces.
        count: samples to make.
        seed: of the random numbers.
    """
    random = np.random.default_rng(seed)
    places = np.linspace(0, 1, len(_QUANTILES))
    lengths = np.interp(random.random(count), places, _QUANTILES).round().astype(int)
    pieces = recipe.vocabulary_size or _PIECES
    # Ids below are those of special tokens and single characters in BERT's vocabulary.
    first = min(_FIRST_PIECE, pieces // 2)
    samples: list[Sample] = []
    for length in np.clip(lengths, _SHORTEST, recipe.max_length):
        tokens = random.integers(first, pieces, length)
        tokens[0], tokens[-1] = min(_CLS, pieces - 1), min(_SEP, pieces - 1)
        segments = np.zeros(length, np.int64)
        if recipe.kind == "question-answering":
            segments[min(int(random.integers(8, 24)), length // 2) :] = 1
        samples.append((tokens, segments))
    return samples
