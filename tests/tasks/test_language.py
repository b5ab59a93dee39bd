from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.base.tensors import Array, TensorSpec
from assay.tasks.language import TASK
from assay.tasks.language.questions import QuestionDataset
from assay.tasks.protocol import Dataset, Task
from assay.testing import TaskContract

from ..models.text.made import question, write_vocabulary

NAMES = ("input_ids", "input_mask", "segment_ids")
INPUTS = [TensorSpec(name, np.dtype(np.int64), (-1, -1)) for name in NAMES]
LOGITS = [TensorSpec(name, np.dtype(np.float32), (-1, -1)) for name in ("output_start_logits", "output_end_logits")]


class Questions(TaskContract):
    """A file of questions whose answers a perfect model points at."""

    def task(self) -> Task:
        return TASK

    def dataset(self, folder: Path) -> Path:
        import json

        texts = ("The river is long.", "King Otto was in the Tower.", "A bridge of stone, and how!", "Who was Beyoncé?")
        answers = ("river", "King Otto", "stone", "Beyoncé")
        paragraphs = [
            {"context": text, "qas": [question(f"q{number}", "What is it?", text, answer)]}
            for number, (text, answer) in enumerate(zip(texts, answers, strict=True))
        ]
        (folder / "dev-v1.1.json").write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}))
        return folder

    def model_specs(self) -> tuple[Sequence[TensorSpec], Sequence[TensorSpec]]:
        return INPUTS, LOGITS

    def right_outputs(self, dataset: Dataset, indices: Sequence[int]) -> Sequence[Array]:
        assert isinstance(dataset, QuestionDataset)
        width = int(dataset.sizes[list(indices)].max())
        start, end = np.zeros((2, len(indices), width), np.float32)
        for row, index in enumerate(indices):
            words = (("river", "river"), ("king", "##o"), ("s", "##e"), ("beyonce", "beyonce"))[index]
            tokens = dataset.features.tokens[dataset.features.offsets[index] : dataset.features.offsets[index + 1]]
            pieces = [dataset.vocabulary.pieces[token] for token in tokens]
            text = int(dataset.features.texts[index])
            start[row, pieces.index(words[0], text)] = 5
            first = pieces.index(words[0], text)
            place = first + 4 if index == 1 else pieces.index(words[1], first)
            end[row, place] = 5
        return [start, end]


class TestQuestions(Questions):
    @pytest.fixture(autouse=True)
    def vocabulary(self, tmp_path: Path) -> None:
        self.recipe: dict[str, Any] = {"vocabulary": str(write_vocabulary(tmp_path))}


class TestTexts(TaskContract):
    """Four texts whose vectors lie as people see them."""

    best_score = 1.0

    @pytest.fixture(autouse=True)
    def vocabulary(self, tmp_path: Path) -> None:
        self.recipe = {"kind": "similarity", "vocabulary": str(write_vocabulary(tmp_path))}

    def task(self) -> Task:
        return TASK

    def dataset(self, folder: Path) -> Path:
        (folder / "lee.cor").write_text("the river\nthe long river\nthe tower\na bridge of stone\n")
        vectors = self.vectors()
        table = vectors @ vectors.T
        (folder / "similarities0-1.txt").write_text("\n".join(" ".join(map(repr, map(float, row))) for row in table))
        return folder

    def vectors(self) -> np.ndarray:
        # Of length 1 and made of powers of two, so that every cosine is exact.
        return np.array([[1, 0, 0, 0], [0.5, 0.5, 0.5, 0.5], [0, 0, 1, 0], [0.5, -0.5, 0.5, 0.5]], np.float64)

    def model_specs(self) -> tuple[Sequence[TensorSpec], Sequence[TensorSpec]]:
        return INPUTS, [TensorSpec("embedding", np.dtype(np.float32), (-1, 4))]

    def right_outputs(self, dataset: Dataset, indices: Sequence[int]) -> Sequence[Array]:
        return [self.vectors()[list(indices)].astype(np.float32)]


def test_memory_grows_with_the_batch() -> None:
    one, eight = (TASK.extra_memory({}, size) for size in (1, 8))
    assert eight == 8 * one
    assert 20 << 20 < one < 60 << 20
    assert TASK.batch_work({}, 8) == 0
