"""Where the answers lie: windows of tokens with the first and last token of the answer, to train on.

Source of the rules: mlcommons/inference v3.1, language/bert/create_squad_data.py with ``is_training`` (a question has
the first of its answers; one that cannot be found in the text again is left out; the tokens of whole words are narrowed
to those that spell the answer; a window without the answer has both at ``[CLS]``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from assay.base.progress import SILENT
from assay.models.text.features import Numbers, TokenisedParagraph, WindowForm, make_features, tokenise_paragraph
from assay.models.text.squad import Answer, Squad
from assay.models.text.wordpiece import Tokeniser


@dataclass(frozen=True, slots=True)
class Example:
    """A window and its answer.

    Attributes:
        tokens: ids, ``(length,)``.
        text: where the paragraph begins.
        first: first token of the answer, 0 when it is not in this window.
        last: last token of it.
    """

    tokens: Numbers
    text: int
    first: int
    last: int


def make_examples(squad: Squad, tokeniser: Tokeniser, form: WindowForm) -> tuple[list[Example], int]:
    """Examples of some questions, and how many questions were left out because their answer is not in the text."""
    found: list[Example] = []
    lost = 0
    for question in squad.questions:
        words = squad.words(question.paragraph)
        place = answer_words(squad.paragraphs[question.paragraph], words, question.answers[0])
        if place is None:
            lost += 1
            continue
        paragraph = tokenise_paragraph(words, tokeniser)
        first, last = answer_tokens(paragraph, place, question.answers[0].text, tokeniser)
        found += _examples(replace(squad, questions=(question,)), (first, last), tokeniser, form)
    return found, lost


def answer_words(context: str, words: list[str], answer: Answer) -> tuple[int, int] | None:
    """First and last word of the paragraph that an answer is in; None when it is not where it should be."""
    end = answer.start + len(answer.text)
    if answer.start < 0 or not answer.text.strip() or end > len(context):
        return None
    numbers = _word_of_each(context)
    first, last = numbers[answer.start], numbers[end - 1]
    if first < 0 or " ".join(answer.text.split()) not in " ".join(words[first : last + 1]):
        return None
    return first, last


def answer_tokens(
    paragraph: TokenisedParagraph, words: tuple[int, int], answer: str, tokeniser: Tokeniser
) -> tuple[int, int]:
    """First and last token that spell the answer; those of the whole words when none do."""
    starts = paragraph.starts
    begin = starts[words[0]]
    end = (starts[words[1] + 1] if words[1] + 1 < len(starts) else len(paragraph.tokens)) - 1
    wanted = tokeniser.ids(answer)
    size = len(wanted)
    for first in range(begin, end - size + 2):
        if size and paragraph.tokens[first : first + size].tolist() == wanted:
            return first, first + size - 1
    return begin, end


def _examples(one: Squad, place: tuple[int, int], tokeniser: Tokeniser, form: WindowForm) -> list[Example]:
    windows = make_features(one, tokeniser, form, SILENT)
    found: list[Example] = []
    starts = _starts(windows.lengths - windows.texts - 1, form.stride)
    for number, start in enumerate(starts):
        begin, end = windows.offsets[number : number + 2]
        text = int(windows.texts[number])
        first, last = place[0] - start + text, place[1] - start + text
        inside = place[0] >= start and last < end - begin - 1
        found.append(
            Example(windows.tokens[begin:end], text, first if inside else 0, last if inside else 0),
        )
    return found


def _starts(lengths: NDArray[np.int64], stride: int) -> list[int]:
    """Where each window begins in the paragraph."""
    starts: list[int] = []
    place = 0
    for length in lengths.tolist():
        starts.append(place)
        place += min(int(length), stride)
    return starts


def _word_of_each(context: str) -> list[int]:
    """Number of the word that each character is in, of the last one for gaps; -1 before the first."""
    numbers: list[int] = []
    word, gap = -1, True
    for letter in context:
        blank = letter in " \t\r\n\u202f"
        word += gap and not blank
        gap = blank
        numbers.append(word)
    return numbers
