"""Figures taken beside language/gpt-j/evaluation.py of mlcommons/inference v3.1 with rouge-score 0.1.2, nltk's punkt and the
slow tokenizer of transformers 4.31, on the same log and the same articles."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.base.progress import SILENT
from assay.errors import InvalidInputError
from assay.tasks.language_model.accuracy import cleaned_up, score_log, score_texts
from assay.tasks.language_model.dataset import TextDataset, open_texts
from assay.tasks.language_model.recipe import read_recipe
from assay.testing import write_accuracy_log

from .conftest import ARTICLES, RECIPE, write_cnn

pytest.importorskip("nltk", reason="the extra llm is not installed")
ANSWERS = [
    "A cat sat . It 's thin , is n't it ?  They 're here !",
    "",
    "Coffee costs £4 .\n\nNobody said why .",
    "  They run.\nIt is over  ",
    "the in a<|endoftext|>",
]


def opened(folder: Path, model: Path | None, articles: list[Any] | None = None) -> TextDataset:
    source = write_cnn(folder / "cnn", articles)
    return open_texts(
        source, read_recipe(RECIPE), cache=folder / "cache", limit=None, skip_bad=False, model=model, progress=SILENT
    )


def ids(data: TextDataset, text: str) -> bytes:
    assert data.tokenizer is not None
    return data.tokenizer.encode(text).astype(np.int64).tobytes()


def log(folder: Path, rows: list[tuple[int, bytes]]) -> Path:
    return write_accuracy_log(folder / "mlperf_log_accuracy.json", rows)


PART = "{'rouge1': 52.7778, 'rouge2': 35.4167, 'rougeL': 52.7778, 'rougeLsum': 52.7778, 'gen_len': 65, 'gen_num': 2}"
OFFICIAL = "{'rouge1': 30.0, 'rouge2': 19.881, 'rougeL': 30.0, 'rougeLsum': 30.0, 'gen_len': 106, 'gen_num': 5}"


def test_the_official_dict_with_plain_numbers(tmp_path: Path, model: Path) -> None:
    data = opened(tmp_path, model)
    # Out of order, and again: the first response of a sample holds.
    rows = [(index, ids(data, ANSWERS[index])) for index in (3, 1, 0, 2, 4)] + [(0, ids(data, "else")), (1, b"")]
    accuracy = score_log(log(tmp_path, rows), data, read_recipe({**RECIPE, "clean_up": True}))
    assert accuracy.text == OFFICIAL
    assert accuracy.samples == 5
    values = json.loads(OFFICIAL.replace("'", '"'))
    assert accuracy.metrics == {
        "ROUGE1": values["rouge1"],
        "ROUGE2": values["rouge2"],
        "ROUGEL": values["rougeL"],
        "GEN_LEN": values["gen_len"],
    }
    assert accuracy.details == {"ROUGELSUM": values["rougeLsum"]}
    # Source: tools/submission/submission_checker.py of v3.1, ACC_PATTERN.
    for name in ("rouge1", "rouge2", "rougeL", "gen_len"):
        match = re.match(rf".*'{name}':\s([\d.]+).*", accuracy.text)
        assert match is not None
        assert float(match[1]) == values[name]


def test_a_part_is_scored_as_the_official_script_scores_its_log(tmp_path: Path, model: Path) -> None:
    data = opened(tmp_path, model)
    recipe = read_recipe({**RECIPE, "clean_up": True})
    part = log(tmp_path, [(index, ids(data, ANSWERS[index])) for index in (3, 0)])
    accuracy = score_log(part, data, recipe, part=True)
    assert accuracy.text == PART
    assert accuracy.samples == 2
    with pytest.raises(InvalidInputError, match="one response for each sample"):
        score_log(part, data, recipe)
    for wrong in ([], [(5, b"a")]):
        with pytest.raises(InvalidInputError, match="one response for each sample"):
            score_log(log(tmp_path, wrong), data, recipe, part=True)


def test_texts_score_as_their_ids_do(tmp_path: Path, model: Path) -> None:
    data, remote = opened(tmp_path, model), opened(tmp_path / "remote", None)
    plain = [text.replace("<|endoftext|>", "") for text in ANSWERS]
    by_ids = score_log(log(tmp_path, [(i, ids(data, text)) for i, text in enumerate(plain)]), data, read_recipe(RECIPE))
    by_text = score_log(
        log(tmp_path, [(i, text.encode()) for i, text in enumerate(plain)]), remote, read_recipe(RECIPE)
    )
    assert by_ids == by_text


def test_spaces_before_punctuation_are_taken_out() -> None:
    assert cleaned_up("It 's fine , is n't it ? I 'm  ! We 've , you 're . ' x '") == (
        "It's fine, isn't it? I'm ! We've, you're.'x '"
    )


def test_no_texts_at_all() -> None:
    assert score_texts([]).text == (
        "{'rouge1': 0.0, 'rouge2': 0.0, 'rougeL': 0.0, 'rougeLsum': 0.0, 'gen_len': 0, 'gen_num': 0}"
    )


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(0, b"a")], "one response for each sample"),
        ([(i, b"a") for i in (0, 1, 2, 3, 5)], "one response for each sample"),
        ([(i, b"a") for i in range(6)], "one response for each sample"),
        ([*((i, b"a") for i in range(4)), (4, b"\0a")], "sample 4 is neither"),
        ([*((i, b"a") for i in range(4)), (4, b"\xff")], "sample 4 is neither"),
    ],
    ids=range(5),
)
def test_logs_that_cannot_be_scored(tmp_path: Path, model: Path, rows: list[tuple[int, bytes]], message: str) -> None:
    data = opened(tmp_path, model)
    with pytest.raises(InvalidInputError, match=message):
        score_log(log(tmp_path, rows), data, read_recipe(RECIPE))


def test_ids_need_a_tokenizer(tmp_path: Path) -> None:
    data = opened(tmp_path, None)
    rows = [(i, np.array([5], np.int64).tobytes()) for i in range(5)]
    with pytest.raises(InvalidInputError, match="no tokenizer"):
        score_log(log(tmp_path, rows), data, read_recipe(RECIPE))


def test_texts_without_a_right_answer_cannot_be_scored(tmp_path: Path, model: Path) -> None:
    data = opened(tmp_path, model, [ARTICLES[0], {"input": "text"}])
    with pytest.raises(InvalidInputError, match="1 of 2 texts have no right answer"):
        score_log(log(tmp_path, [(0, b"a"), (1, b"a")]), data, read_recipe(RECIPE))
