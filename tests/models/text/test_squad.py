from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assay.errors import InvalidInputError, NotFoundError
from assay.models.text.squad import find_squad, read_squad

from .made import squad, write_squad


def written(folder: Path, raw: Any) -> Path:
    path = folder / "questions.json"
    path.write_text(json.dumps(raw))
    return path


def one(**changes: Any) -> dict[str, Any]:
    """A file with one question, with some of its keys changed or (None) left out."""
    question = {"id": "q", "question": "What?", "answers": [{"text": "that", "answer_start": 3}], **changes}
    kept = {key: value for key, value in question.items() if value is not None}
    return {"data": [{"paragraphs": [{"context": "is that", "qas": [kept]}]}]}


def test_questions_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    found = read_squad(write_squad(tmp_path))
    assert len(found.questions) == 13
    assert found.questions[2].name == "q1.0.0"
    assert found.questions[0].answers[1].text == "the 12th century"
    assert found.articles == (0, 1, 2, 3, 4, 5, 5)
    assert found.questions[-1].paragraph == 6


def test_words_are_parted_where_the_reference_parts_them(tmp_path: Path) -> None:
    raw = one()
    raw["data"][0]["paragraphs"][0]["context"] = " a\u00a0b\tc\r\nd\u202fe \u2028 f\u200bg "
    assert read_squad(written(tmp_path, raw)).words(0) == ["a\u00a0b", "c", "d", "e", "\u2028", "f\u200bg"]


def test_some_articles_can_be_taken(tmp_path: Path) -> None:
    whole = read_squad(write_squad(tmp_path))
    assert [question.name for question in whole.part(1, 3).questions] == ["q1.0.0", "q1.0.1", "q2.0.0"]
    assert len(whole.part(4).questions) == 6
    assert whole.part(4).words(0) == whole.words(0)


def test_a_folder_is_searched(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no questions"):
        find_squad(tmp_path)
    other = written(tmp_path, squad())
    assert find_squad(tmp_path) == find_squad(other) == other
    (tmp_path / "second.json").write_text("{}")
    with pytest.raises(InvalidInputError, match="several"):
        find_squad(tmp_path)
    assert find_squad(write_squad(tmp_path).parent).name == "dev-v1.1.json"
    with pytest.raises(NotFoundError, match="not there"):
        find_squad(tmp_path / "none")


@pytest.mark.parametrize(
    "raw",
    [
        [],
        {},
        {"data": {}},
        {"data": [7]},
        {"data": [{"paragraphs": [7]}]},
        {"data": [{"paragraphs": [{"qas": []}]}]},
        {"data": [{"paragraphs": [{"context": "c"}]}]},
        {"data": []},
    ],
    ids=["a list", "nothing", "no list", "a number", "no paragraph", "no context", "no qas", "no questions"],
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, raw: Any) -> None:
    path = written(tmp_path, raw)
    with pytest.raises(InvalidInputError) as caught:
        read_squad(path, skip_bad=True)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"id": 3},
        {"question": None},
        {"answers": []},
        {"answers": [{"text": "that"}]},
        {"answers": [{"text": "that", "answer_start": True}]},
        {"answers": ["that"]},
    ],
    ids=["no id", "id a number", "no question", "no answer", "no start", "start a truth", "answer a text"],
)
def test_a_question_that_is_wrong_is_told_or_left_out(tmp_path: Path, changes: dict[str, Any]) -> None:
    raw = one(**changes)
    with pytest.raises(InvalidInputError, match=r"no |object") as caught:
        read_squad(written(tmp_path, raw))
    assert "data[0].paragraphs[0].qas[0]" in str(caught.value)
    raw["data"] += one()["data"]
    found = read_squad(written(tmp_path, raw), skip_bad=True)
    assert [question.name for question in found.questions] == ["q"]
    assert found.skipped[0].place == "data[0].paragraphs[0].qas[0]"


def test_two_questions_of_one_name_are_refused(tmp_path: Path) -> None:
    raw = one()
    raw["data"] *= 2
    with pytest.raises(InvalidInputError, match="two questions have the id 'q'"):
        read_squad(written(tmp_path, raw))
