"""Questions about texts, from JSON files of SQuAD v1.1's form: SQuAD itself, XQuAD, or the user's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.base.files import read_json
from assay.errors import InvalidInputError, NotFoundError

_MAX_BYTES = 256 << 20
_FILES = ("dev-v1.1.json", "xquad.en.json")
# What parts the words of a text. Source: create_squad_data.py of language/bert, read_squad_examples.
_GAPS = re.compile("[ \t\r\n\u202f]+")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A question left out: its place in the file, and why."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that people gave: the text, and where it begins in the paragraph (character)."""

    text: str
    start: int


@dataclass(frozen=True, slots=True)
class Question:
    """A question about a paragraph.

    Attributes:
        paragraph: number of the paragraph.
        answers: what people answered; one at least.
    """

    name: str
    text: str
    paragraph: int
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Squad:
    """Paragraphs and the questions about them, in the order of the file.

    Attributes:
        paragraphs: their text.
        articles: article of each paragraph.
        skipped: questions that could not be read.
    """

    paragraphs: tuple[str, ...]
    articles: tuple[int, ...]
    questions: tuple[Question, ...]
    skipped: tuple[Unreadable, ...] = ()

    def words(self, paragraph: int) -> list[str]:
        """A paragraph's words as the reference parts them: at blanks, tabs, line ends and narrow no-break spaces."""
        return [word for word in _GAPS.split(self.paragraphs[paragraph]) if word]

    def part(self, first: int, last: int | None = None) -> Squad:
        """Articles ``first`` (counted from 0) to before ``last``; paragraphs keep their numbers."""
        chosen = range(first, 1 << 62 if last is None else last)
        kept = tuple(question for question in self.questions if self.articles[question.paragraph] in chosen)
        return Squad(self.paragraphs, self.articles, kept, self.skipped)


def find_squad(path: Path) -> Path:
    """The file of a path: itself, or the one of a known name or the only JSON file of a folder.

    Raises:
        NotFoundError: when there is none.
        InvalidInputError: when a folder has several.
    """
    if path.is_file():
        return path
    if not path.is_dir():
        raise NotFoundError("the dataset is not there", where=path)
    known = [path / name for name in _FILES if (path / name).is_file()]
    found = known or sorted(path.glob("*.json"))
    if not found:
        raise NotFoundError("no questions in the folder", where=path, expected="a JSON file of SQuAD's form")
    if len(found) > 1:
        raise InvalidInputError(
            "several JSON files in the folder", where=path, found=", ".join(file.name for file in found[:3])
        )
    return found[0]


def read_squad(path: Path, *, skip_bad: bool = False) -> Squad:
    """Read a file.

    Args:
        path: the file.
        skip_bad: leave out questions that cannot be read instead of stopping.

    Raises:
        NotFoundError: when it is not there.
        InvalidInputError: when it is not of SQuAD's form, with the place in it.
    """
    raw = read_json(path, max_bytes=_MAX_BYTES)
    articles = raw.get("data") if isinstance(raw, dict) else None
    if not isinstance(articles, list):
        raise InvalidInputError("not a file of SQuAD's form", where=path, expected="an object with a list 'data'")
    texts: list[str] = []
    numbers: list[int] = []
    questions: list[Question] = []
    skipped: list[Unreadable] = []
    names: set[str] = set()
    for number, place, paragraph in _paragraphs(articles, path):
        texts.append(paragraph["context"])
        numbers.append(number)
        for index, item in enumerate(paragraph["qas"]):
            try:
                question = _question(item, len(texts) - 1, names, f"{path}: {place}.qas[{index}]")
            except InvalidInputError as error:
                if not skip_bad:
                    raise
                skipped.append(Unreadable(f"{place}.qas[{index}]", error.what))
                continue
            questions.append(question)
            names.add(question.name)
    if not questions:
        raise InvalidInputError("the file has no questions", where=path)
    return Squad(tuple(texts), tuple(numbers), tuple(questions), tuple(skipped))


def _paragraphs(articles: list[Any], path: Path) -> Iterator[tuple[int, str, dict[str, Any]]]:
    for number, article in enumerate(articles):
        paragraphs = article.get("paragraphs") if isinstance(article, dict) else None
        if not isinstance(paragraphs, list):
            raise InvalidInputError(f"data[{number}] has no list of paragraphs", where=path)
        for index, paragraph in enumerate(paragraphs):
            place = f"data[{number}].paragraphs[{index}]"
            fits = isinstance(paragraph, dict) and isinstance(paragraph.get("context"), str)
            if not fits or not isinstance(paragraph.get("qas"), list):
                raise InvalidInputError(f"{place} has no context or no list of qas", where=path)
            yield number, place, paragraph


def _question(item: Any, paragraph: int, names: set[str], where: str) -> Question:
    if not isinstance(item, dict):
        raise InvalidInputError("a question is no object", where=where, found=type(item).__name__)
    for key in ("id", "question"):
        if not isinstance(item.get(key), str):
            raise InvalidInputError(f"a question has no {key}", where=where, found=repr(item.get(key))[:40])
    if item["id"] in names:
        raise InvalidInputError(f"two questions have the id {item['id'][:40]!r}", where=where)
    answers = item.get("answers")
    if not isinstance(answers, list) or not answers:
        raise InvalidInputError("a question has no answers", where=where, found=repr(answers)[:40])
    return Question(item["id"], item["question"], paragraph, tuple(_answer(answer, where) for answer in answers))


def _answer(item: Any, where: str) -> Answer:
    text = item.get("text") if isinstance(item, dict) else None
    start = item.get("answer_start") if isinstance(item, dict) else None
    if not isinstance(text, str) or isinstance(start, bool) or not isinstance(start, int):
        raise InvalidInputError("an answer has no text or no answer_start", where=where, found=repr(item)[:60])
    return Answer(text, start)
