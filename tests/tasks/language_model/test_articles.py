from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assay.errors import InvalidInputError, NotFoundError
from assay.tasks.language_model.articles import read_articles, reference_outputs, source_file, text_key

from .conftest import ARTICLES, write_cnn


def test_articles_of_the_reference_in_their_order(cnn: Path) -> None:
    articles, skipped = read_articles(source_file(cnn), limit=None, skip_bad=False)
    assert [article.text for article in articles] == [entry["input"] for entry in ARTICLES]
    assert articles[2].instruction == "Tell me:"
    assert articles[2].target == "Coffee costs more ."
    assert not skipped
    assert len(read_articles(cnn / "cnn_eval.json", limit=2, skip_bad=False)[0]) == 2


def test_texts_without_a_right_answer_are_taken(tmp_path: Path) -> None:
    path = write_cnn(tmp_path, [{"input": "text"}, {"input": "text", "output": None, "more": 1}])
    articles, _ = read_articles(path, limit=None, skip_bad=False)
    assert [(article.instruction, article.target) for article in articles] == [(None, None)] * 2


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"instruction": "S", "input": " \n ", "output": "o"}, "the text is empty"),
        ({"instruction": "S", "output": "o"}, "input is no text"),
        ({"instruction": 3, "input": "text", "output": "o"}, "instruction is no text"),
        ({"instruction": "S", "input": "text", "output": ["o"]}, "output is no text"),
        ({"instruction": "S", "input": "x" * (4 << 20) + "y", "output": "o"}, "longer than"),
        ("text", "no object"),
    ],
    ids=range(6),
)
def test_a_wrong_article_is_told_or_left_out(tmp_path: Path, entry: Any, message: str) -> None:
    path = write_cnn(tmp_path, [ARTICLES[0], entry, ARTICLES[1]])
    with pytest.raises(InvalidInputError, match=f"article 1: .*{message}") as caught:
        read_articles(path, limit=None, skip_bad=False)
    assert caught.value.hint is not None
    assert "--skip-bad" in caught.value.hint
    articles, skipped = read_articles(path, limit=None, skip_bad=True)
    assert len(articles) == 2
    assert [item.name for item in skipped] == ["article 1"]


@pytest.mark.parametrize("content", ["{}", "[]", "nothing", '"text"'], ids=range(4))
def test_another_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "cnn_eval.json"
    path.write_text(content)
    with pytest.raises(InvalidInputError):
        read_articles(path, limit=None, skip_bad=False)


def test_a_folder_without_texts_says_what_belongs_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="no texts"):
        source_file(tmp_path)
    with pytest.raises(NotFoundError):
        source_file(tmp_path / "none")


def test_lee_is_read_as_latin_1_with_the_kept_answers(tmp_path: Path) -> None:
    (tmp_path / "lee.cor").write_bytes("Präsident sprach.\n\nSecond text.\n".encode("latin-1"))
    articles, _ = read_articles(source_file(tmp_path), limit=None, skip_bad=False)
    assert [article.text for article in articles] == ["Präsident sprach.", "Second text."]
    assert articles[0].target is None


def test_the_kept_answers_say_what_made_them() -> None:
    outputs = reference_outputs()
    assert len(outputs) == 50
    assert all(len(key) == 16 and text.strip() for key, text in outputs.items())
    assert text_key(" a \n") == text_key("a") != text_key("b")
    path = Path(read_articles.__code__.co_filename).with_name("lee50_reference.json")
    made = json.loads(path.read_text(encoding="utf-8"))["made_by"]
    assert {"model", "weights_sha256", "model_sha256", "engine", "decoding", "prompt", "texts"} <= set(made)
