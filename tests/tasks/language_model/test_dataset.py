from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.base.progress import SILENT
from assay.errors import InvalidInputError, NotFoundError, UsageError
from assay.tasks.language_model import dataset as module
from assay.tasks.language_model.dataset import TextDataset, open_texts
from assay.tasks.language_model.recipe import read_recipe

from .conftest import ARTICLES, RECIPE, write_cnn


def opened(folder: Path, source: Path, model: Path | None, **options: Any) -> TextDataset:
    recipe = read_recipe({**RECIPE, **options.pop("recipe", {})})
    given = {"limit": None, "skip_bad": False} | options
    return open_texts(source, recipe, cache=folder / "cache", model=model, progress=SILENT, **given)


def test_samples_are_ids_and_text(tmp_path: Path, cnn: Path, model: Path) -> None:
    data = opened(tmp_path, cnn, model)
    assert (data.count, data.cut, data.unscored, data.skipped) == (5, 0, 0, ())
    assert data.tokenizer is not None
    for (ids, text), entry in zip(data.load(range(5)), ARTICLES, strict=True):
        right = f"{entry['instruction']}\n{entry['input']}<|im_end|>"
        assert (ids.dtype, text.dtype) == (np.int32, np.uint8)
        assert text.tobytes().decode() == right
        assert data.tokenizer.decode(ids, special=True) == right
    assert data.sizes.tolist() == [len(ids) for ids, _ in data.load(range(5))]
    assert data.targets.text(2) == "Coffee costs more ."


def test_without_a_tokenizer_there_is_text_alone(tmp_path: Path, cnn: Path) -> None:
    data = opened(tmp_path, cnn, None)
    assert all(len(ids) == 0 and len(text) for ids, text in data.load([0, 4]))
    assert data.sizes.min() > 0


def test_the_recipe_may_name_the_tokenizer(tmp_path: Path, cnn: Path, model: Path) -> None:
    data = opened(tmp_path, cnn, None, recipe={"tokenizer": str(model)})
    assert len(data.load([0])[0][0])
    with pytest.raises(NotFoundError, match="no tokenizer"):
        opened(tmp_path, cnn, None, recipe={"tokenizer": str(tmp_path / "none")})


def test_prompts_are_made_once(tmp_path: Path, cnn: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = opened(tmp_path, cnn, model)

    def refuse(*arguments: Any) -> None:
        raise AssertionError("made again")

    monkeypatch.setattr(module, "_prepare", refuse)
    again = opened(tmp_path, cnn, model)
    assert np.array_equal(first.load([3])[0][0], again.load([3])[0][0])
    with pytest.raises(AssertionError, match="made again"):
        opened(tmp_path, cnn, model, recipe={"max_prompt_tokens": 9})


@pytest.mark.parametrize("name", ["index.json", "tokens.npy", "texts-ends.npy"])
def test_a_damaged_cache_is_made_anew(tmp_path: Path, cnn: Path, model: Path, name: str) -> None:
    opened(tmp_path, cnn, model)
    (path,) = (tmp_path / "cache").rglob(name)
    path.write_bytes(path.read_bytes()[:-7])
    assert opened(tmp_path, cnn, model).count == 5
    path.write_bytes(b"rubbish")
    assert opened(tmp_path, cnn, model).count == 5


def test_empty_texts_are_refused_or_left_out(tmp_path: Path, model: Path) -> None:
    source = write_cnn(tmp_path / "holes", [ARTICLES[0], {**ARTICLES[1], "input": " "}, ARTICLES[2]])
    with pytest.raises(InvalidInputError, match="article 1: the text is empty"):
        opened(tmp_path, source, model)
    data = opened(tmp_path, source, model, skip_bad=True)
    assert [(item.name, item.reason) for item in data.skipped] == [("article 1", "the text is empty")]
    assert data.targets.text(1) == ARTICLES[2]["output"]


def test_a_limit_of_nothing(tmp_path: Path, cnn: Path, model: Path) -> None:
    with pytest.raises(UsageError):
        opened(tmp_path, cnn, model, limit=0)
    assert opened(tmp_path, cnn, model, limit=1).count == 1
