from __future__ import annotations

from pathlib import Path

import pytest

from assay.models.text.answers import answer_words, make_examples
from assay.models.text.features import WindowForm
from assay.models.text.squad import Answer, read_squad
from assay.models.text.vocabulary import read_vocabulary
from assay.models.text.wordpiece import Tokeniser

from .made import write_squad, write_vocabulary


def test_the_tokens_of_an_answer_spell_it(tmp_path: Path) -> None:
    vocabulary = read_vocabulary(write_vocabulary(tmp_path))
    squad = read_squad(write_squad(tmp_path))
    examples, lost = make_examples(squad.part(0, 4), Tokeniser(vocabulary), WindowForm())
    assert lost == 0
    texts = [
        "".join(vocabulary.pieces[token] for token in example.tokens[example.first : example.last + 1]).replace(
            "##", ""
        )
        for example in examples
        if example.first
    ]
    # The answer to the last question lies in the windows of its text's end only.
    assert texts[:7] == ["12thcentury", "kingottoii", "$1,000", "ofstone", "yes", "21m", "406mlong"]
    assert all(example.text <= example.first <= example.last for example in examples if example.first)


def test_a_window_without_the_answer_points_at_its_beginning(tmp_path: Path) -> None:
    tokeniser = Tokeniser(read_vocabulary(write_vocabulary(tmp_path)))
    examples, _ = make_examples(read_squad(write_squad(tmp_path)).part(3, 4), tokeniser, WindowForm())
    assert len(examples) == 6
    assert [bool(example.first) for example in examples] == [True, False, False, False, False, True]


def test_answers_that_are_not_in_the_text_are_left_out(tmp_path: Path) -> None:
    tokeniser = Tokeniser(read_vocabulary(write_vocabulary(tmp_path)))
    examples, lost = make_examples(read_squad(write_squad(tmp_path)).part(4), tokeniser, WindowForm())
    assert lost == 4
    assert len(examples) == 2


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer("King Otto", 4), (1, 2)),
        (Answer("tto", 10), (2, 2)),
        (Answer("King Otto", 0), None),
        (Answer("King", -1), None),
        (Answer("Otto II", 9), None),
        (Answer("  ", 3), None),
        (Answer("x", 10**9), None),
    ],
    ids=["words", "inside", "elsewhere", "before", "beyond", "blank", "far beyond"],
)
def test_words_of_an_answer(answer: Answer, expected: tuple[int, int] | None) -> None:
    context = "The King Otto I"
    assert answer_words(context, context.split(), answer) == expected
