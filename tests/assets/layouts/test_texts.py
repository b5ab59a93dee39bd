from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assay.assets.layouts import check_layout, texts
from assay.errors import InvalidInputError

QUESTION: dict[str, Any] = {"id": "q1", "question": "Who?", "answers": [{"text": "He", "answer_start": 0}]}
ARTICLE = {"instruction": "Summarize the following news article:", "input": "text", "output": "summary"}


def squad(folder: Path, *questions: dict[str, Any]) -> Path:
    document = {"data": [{"title": "t", "paragraphs": [{"context": "He did.", "qas": list(questions)}]}]}
    path = folder / "dev-v1.1.json"
    path.write_text(json.dumps(document))
    return path


def test_squad_is_its_file_given_as_such_or_by_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = squad(tmp_path, QUESTION, QUESTION | {"id": "q2"})
    for given in (path, tmp_path):
        found = check_layout("squad-v1.1", given, partial=True)
        assert (found.path, found.samples, found.partial) == (path, 2, True)
    monkeypatch.setattr(texts, "SQUAD_QUESTIONS", 2)
    assert not check_layout("squad-v1.1", path).partial


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"answers": []}, "has no answer"),
        ({"answers": [{"text": "x", "answer_start": 99}]}, "outside of its text"),
        ({"answers": [{"text": "x", "answer_start": -1}]}, "outside of its text"),
        ({"answers": [{"text": "x"}]}, r"answers of 'q1'\[0\]\.answer_start is wrong"),
        ({"question": None}, r"qas\[0\]\.question is wrong"),
        ({"id": 7}, r"qas\[0\]\.id is wrong"),
    ],
    ids=str,
)
def test_a_wrong_question_is_told(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        check_layout("squad-v1.1", squad(tmp_path, QUESTION | change), partial=True)


def test_a_question_twice_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="two questions have the id 'q1'"):
        check_layout("squad-v1.1", squad(tmp_path, QUESTION, QUESTION), partial=True)


@pytest.mark.parametrize("layout", ["squad-v1.1", "cnn-dailymail"])
def test_a_file_that_is_missing_says_how_to_get_it(tmp_path: Path, layout: str) -> None:
    with pytest.raises(InvalidInputError, match="is missing") as caught:
        check_layout(layout, tmp_path)
    assert caught.value.hint


def test_cnn_dailymail_is_a_list_of_articles(tmp_path: Path) -> None:
    path = tmp_path / "cnn_eval.json"
    path.write_text(json.dumps([ARTICLE] * 3))
    found = check_layout("cnn-dailymail", tmp_path, partial=True)
    assert (found.path, found.samples, found.partial) == (path, 3, True)
    with pytest.raises(InvalidInputError, match="expected 13,368; found 3"):
        check_layout("cnn-dailymail", path)
    path.write_text(json.dumps([ARTICLE, ARTICLE | {"output": None}]))
    with pytest.raises(InvalidInputError, match=r"articles\[1\]\.output is wrong"):
        check_layout("cnn-dailymail", path, partial=True)
    path.write_text("{}")
    with pytest.raises(InvalidInputError, match="not a JSON list"):
        check_layout("cnn-dailymail", path, partial=True)
