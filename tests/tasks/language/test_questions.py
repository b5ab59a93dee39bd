from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.base.progress import SILENT
from assay.errors import InvalidInputError, NotFoundError, UsageError
from assay.models.text.vocabulary import Vocabulary
from assay.tasks.language import questions
from assay.tasks.language.questions import QuestionDataset, open_questions
from assay.tasks.language.recipe import read_recipe

from ...models.text.made import squad, write_squad, write_vocabulary


def opened(folder: Path, path: Path | None = None, *, skip_bad: bool = False, **recipe: Any) -> QuestionDataset:
    write_vocabulary(folder)
    return open_questions(
        path or write_squad(folder),
        read_recipe(recipe),
        cache=folder / "cache",
        limit=None,
        skip_bad=skip_bad,
        model=folder / "model.onnx",
        progress=SILENT,
    )


def test_a_sample_is_its_tokens_and_their_segments(tmp_path: Path) -> None:
    data = opened(tmp_path)
    assert data.count == 14
    ((tokens, segments),) = data.load([5])
    assert tokens.dtype == segments.dtype == np.int64
    assert len(tokens) == len(segments) == data.sizes[5] == 384
    text = int(data.features.texts[5])
    assert (segments[:text].sum(), segments[text:].sum()) == (0, 384 - text)
    pieces = [data.vocabulary.pieces[token] for token in tokens]
    assert (pieces[0], pieces[text - 1], pieces[-1]) == ("[CLS]", "[SEP]", "[SEP]")


def test_articles_that_were_trained_on_are_left_out(tmp_path: Path) -> None:
    data = opened(tmp_path, first_article=4)
    assert [question.name[:2] for question in data.squad.questions] == ["q4"] * 3 + ["q5"] * 3
    assert data.count == 3
    with pytest.raises(InvalidInputError, match="no questions are left"):
        opened(tmp_path, first_article=6)
    with pytest.raises(InvalidInputError, match="no question has a text"):
        opened(tmp_path, first_article=5)


def test_what_was_made_is_taken_again_unless_it_is_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = opened(tmp_path)
    (kept,) = (tmp_path / "cache" / "language").glob("*.npz")
    calls: list[int] = []
    again = questions.make_features

    def counted(*arguments: Any) -> Any:
        calls.append(1)
        return again(*arguments)

    monkeypatch.setattr(questions, "make_features", counted)
    assert np.array_equal(opened(tmp_path).features.tokens, made.features.tokens)
    assert calls == []
    raw = bytearray(kept.read_bytes())
    for damage in (raw[: len(raw) // 2], b"", bytes(raw).replace(b"tokens", b"takens", 1), _flipped(raw)):
        kept.write_bytes(damage)
        assert np.array_equal(opened(tmp_path).features.tokens, made.features.tokens)
    assert len(calls) == 4


def _flipped(raw: bytearray) -> bytes:
    changed = bytearray(raw)
    changed[len(raw) // 3] ^= 0xFF
    return bytes(changed)


def test_another_vocabulary_makes_other_samples(tmp_path: Path) -> None:
    opened(tmp_path)
    write_vocabulary(tmp_path)
    path = tmp_path / "vocab.txt"
    other = tmp_path / "other.txt"
    other.write_bytes(path.read_bytes().replace(b"\nriver\n", b"\nriven\n"))
    data = opened(tmp_path, vocabulary=str(other))
    assert "riven" in data.vocabulary.ids
    assert isinstance(data.vocabulary, Vocabulary)
    assert len(list((tmp_path / "cache" / "language").glob("*.npz"))) == 2


def test_a_question_that_cannot_be_read_is_left_out_on_purpose_only(tmp_path: Path) -> None:
    raw = squad()
    del raw["data"][1]["paragraphs"][0]["qas"][0]["answers"]
    path = tmp_path / "broken.json"
    path.write_text(json.dumps(raw))
    with pytest.raises(InvalidInputError, match="no answers"):
        opened(tmp_path, path)
    data = opened(tmp_path, path, skip_bad=True)
    assert data.count == 13
    assert [(sample.name, sample.reason) for sample in data.skipped] == [
        ("data[1].paragraphs[0].qas[0]", "a question has no answers")
    ]


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="not there"):
        opened(tmp_path, tmp_path / "none.json")
    with pytest.raises(NotFoundError, match="vocabulary"):
        opened(tmp_path, vocabulary=str(tmp_path / "none.txt"))
    with pytest.raises(InvalidInputError, match="not that of the model"):
        opened(tmp_path, vocabulary_size=30_522)
    with pytest.raises(UsageError, match="at least one sample"):
        open_questions(
            write_squad(tmp_path),
            read_recipe({}),
            cache=tmp_path,
            limit=0,
            skip_bad=False,
            model=tmp_path,
            progress=SILENT,
        )
