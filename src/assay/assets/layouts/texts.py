"""Datasets of texts that are one JSON file: SQuAD v1.1 and CNN/DailyMail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from assay.assets.layouts.common import Checked, checked, entries, read_list, read_object
from assay.errors import InvalidInputError

SQUAD_QUESTIONS = 10_570
XQUAD_QUESTIONS = 1_190
CNN_ARTICLES = 13_368
_SQUAD_HINT = "get dev-v1.1.json of SQuAD: assay assets fetch squad-v1.1"
_XQUAD_HINT = "get xquad.en.json of github.com/deepmind/xquad"
_CNN_HINT = "make cnn_eval.json with MLCommons' language/gpt-j/download_cnndm.py (CNN/DailyMail 3.0.0, validation)"


def check_squad(path: Path, partial: bool) -> Checked:
    """SQuAD v1.1: ``dev-v1.1.json`` with 10,570 questions; the file itself or its folder.

    Raises:
        InvalidInputError: for what is missing or wrong.
    """
    file = path / "dev-v1.1.json" if path.is_dir() else path
    found = _questions(file, _SQUAD_HINT)
    return checked(file, found, SQUAD_QUESTIONS, what="questions", where=file, partial=partial, hint=_SQUAD_HINT)


def check_xquad(path: Path, partial: bool) -> Checked:
    """XQuAD in English: ``xquad.en.json`` with 1,190 questions in SQuAD's form; the file itself or its folder.

    Raises:
        InvalidInputError: for what is missing or wrong.
    """
    file = path / "xquad.en.json" if path.is_dir() else path
    found = _questions(file, _XQUAD_HINT)
    return checked(file, found, XQUAD_QUESTIONS, what="questions", where=file, partial=partial, hint=_XQUAD_HINT)


def _questions(file: Path, hint: str) -> int:
    """Questions of a file in SQuAD's form, after checking it."""
    articles = entries(read_object(file, hint).get("data"), "data", {"paragraphs": list}, file)
    questions = 0
    seen: set[str] = set()
    for number, article in enumerate(articles):
        place = f"data[{number}].paragraphs"
        for index, paragraph in enumerate(entries(article["paragraphs"], place, {"context": str, "qas": list}, file)):
            fields: dict[str, type | tuple[type, ...]] = {"id": str, "question": str, "answers": list}
            for question in entries(paragraph["qas"], f"{place}[{index}].qas", fields, file):
                _check_answers(question, paragraph["context"], seen, file)
                questions += 1
    return questions


def _check_answers(question: dict[str, Any], context: str, seen: set[str], file: Path) -> None:
    name = question["id"]
    if name in seen:
        raise InvalidInputError(f"two questions have the id {name[:40]!r}", where=file)
    seen.add(name)
    answers = entries(question["answers"], f"answers of {name[:40]!r}", {"text": str, "answer_start": int}, file)
    if not answers or any(not 0 <= answer["answer_start"] <= len(context) for answer in answers):
        raise InvalidInputError(f"question {name[:40]!r} has no answer, or one outside of its text", where=file)


def check_cnn_dailymail(path: Path, partial: bool) -> Checked:
    """CNN/DailyMail: ``cnn_eval.json``, 13,368 objects with ``instruction``, ``input`` and ``output``.

    Raises:
        InvalidInputError: for what is missing or wrong.
    """
    file = path / "cnn_eval.json" if path.is_dir() else path
    fields: dict[str, type | tuple[type, ...]] = {"instruction": str, "input": str, "output": str}
    articles = entries(read_list(file, _CNN_HINT), "articles", fields, file)
    return checked(file, len(articles), CNN_ARTICLES, what="articles", where=file, partial=partial, hint=_CNN_HINT)
