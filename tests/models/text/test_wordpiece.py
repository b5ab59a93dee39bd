from __future__ import annotations

from pathlib import Path

import pytest

from assay.models.text.vocabulary import read_vocabulary
from assay.models.text.wordpiece import Tokeniser, basic_words

from .made import write_vocabulary

# What BertTokenizer of transformers 2.4.0 makes of these texts, with the vocabulary of `made`.
PIECES = {
    "The Towers": ["the", "tower", "##s"],
    "naïve Beyoncé": ["naive", "beyonce"],
    "e\u0301a": ["e", "##a"],
    "a-b.": ["a", "-", "b", "."],
    "$1,0^": ["$", "1", ",", "0", "^"],
    "日本語x": ["日", "本", "語", "x"],
    "ΟΔΟΣ": ["\u03bf", "##δ", "##\u03bf", "##ς"],
    "x\u00a0y\u202fb": ["x", "y", "b"],
    "zero\u200bwidth \x00\ufffd": ["z", "##e", "##r", "##o", "##w", "##i", "##d", "##t", "##h"],
    "\ue000\x1cz": ["z"],
    "a\u2028b": ["a", "b"],
    "[SEP] [CLS]x": ["[SEP]", "[", "c", "##l", "##s", "]", "x"],
    "ﬁ": ["[UNK]"],
    "w" * 100: ["w", *["##w"] * 99],
    "w" * 101: ["[UNK]"],
    "": [],
    " \t\n": [],
}


@pytest.mark.parametrize("text", PIECES, ids=ascii)
def test_pieces_are_those_of_the_reference(tmp_path: Path, text: str) -> None:
    vocabulary = read_vocabulary(write_vocabulary(tmp_path))
    tokeniser = Tokeniser(vocabulary)
    for _ in range(2):  # the second time from what is kept
        assert [vocabulary.pieces[token] for token in tokeniser.ids(text)] == PIECES[text]


def test_case_is_kept_where_the_model_knows_it(tmp_path: Path) -> None:
    vocabulary = read_vocabulary(write_vocabulary(tmp_path))
    assert Tokeniser(vocabulary, lower_case=False).ids("The") == [vocabulary.unknown]


def test_the_accuracy_script_drops_fewer_characters() -> None:
    assert basic_words("a\ue000b\u0378c") == ["abc"]
    assert basic_words("a\ue000b\u200bc", all_controls=False) == ["a\ue000bc"]


def test_words_can_be_left_whole() -> None:
    assert basic_words("A.b C.d", whole={"A.b"}) == ["A.b", "c", ".", "d"]
