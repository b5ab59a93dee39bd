from __future__ import annotations

import numpy as np

from assay.tasks.language.lengths import synthetic_samples
from assay.tasks.language.recipe import read_recipe


def test_lengths_are_distributed_as_those_of_questions() -> None:
    lengths = np.array([len(sample[0]) for sample in synthetic_samples(read_recipe({}), 2000, 7)])
    assert 178 < lengths.mean() < 190  # 183.3 tokens in XQuAD
    assert 160 < np.median(lengths) < 172
    assert (lengths.min() >= 43, lengths.max() <= 384) == (True, True)


def test_tokens_are_of_the_vocabulary_and_the_text_follows_the_question() -> None:
    recipe = read_recipe({"vocabulary_size": 64, "max_length": 100})
    for tokens, segments in synthetic_samples(recipe, 50, 1):
        assert len(tokens) == len(segments) <= 100
        assert (tokens >= 0).all()
        assert (tokens < 64).all()
        assert (np.diff(segments) >= 0).all()
        assert segments[-1] == 1
    assert synthetic_samples(read_recipe({"kind": "similarity"}), 1, 1)[0][1].sum() == 0
