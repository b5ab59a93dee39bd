from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from assay.base.progress import SILENT
from assay.models.text.features import Features, WindowForm, make_features, owners, spans
from assay.models.text.squad import read_squad
from assay.models.text.vocabulary import read_vocabulary
from assay.models.text.wordpiece import Tokeniser

from .made import write_squad, write_vocabulary

# Windows of language/bert of mlcommons/inference v3.1 with transformers 2.4.0 on the same file: question, ids, segments,
# words, the tokens with most context, and where the paragraph begins.
REFERENCE = "91120fd1bd41397930307b3bd640bd385b2a7be35915056fd6084ed0bac6df73"
LENGTHS = [56, 48, 51, 109, 11, 384, 384, 326, 384, 384, 327, 58, 58, 51]


def made(folder: Path, form: WindowForm) -> Features:
    tokeniser = Tokeniser(read_vocabulary(write_vocabulary(folder)))
    return make_features(read_squad(write_squad(folder)), tokeniser, form, SILENT)


def test_windows_are_those_of_the_reference(tmp_path: Path) -> None:
    features = made(tmp_path, WindowForm())
    digest = hashlib.sha256()
    for window in range(features.count):
        begin, end = features.offsets[window : window + 2]
        text = int(features.texts[window])
        size = int(end - begin)
        inside = slice(begin + text, end - 1)
        parts = [
            int(features.questions[window]),
            features.tokens[begin:end].tolist(),
            [0] * text + [1] * (size - text),
            features.words[inside].tolist(),
            features.central[inside].astype(int).tolist(),
            text,
        ]
        digest.update(json.dumps(parts).encode())
        assert features.words[begin : begin + text].tolist() == [-1] * text
        assert features.words[end - 1] == -1
    assert features.lengths.tolist() == LENGTHS
    assert digest.hexdigest() == REFERENCE


def test_a_question_about_nothing_has_no_window(tmp_path: Path) -> None:
    features = made(tmp_path, WindowForm())
    assert set(features.questions.tolist()) == set(range(10))  # the last three are about empty paragraphs


def test_no_window_is_longer_than_allowed_and_every_token_is_central_once(tmp_path: Path) -> None:
    features = made(tmp_path, WindowForm(max_length=40, max_query=12, stride=9))
    assert features.lengths.max() == 40
    for question in range(10):
        places = []
        tokens = 0
        for window in np.flatnonzero(features.questions == question):
            begin, end = features.offsets[window : window + 2]
            text = features.texts[window]
            assert text <= 12 + 2
            central = features.central[begin:end]
            assert not central[:text].any()
            assert not central[-1]
            places += features.words[begin:end][central].tolist()
            tokens += int(central.sum())
        assert places == sorted(places)
        assert tokens > 0


def test_the_first_windows_can_be_taken(tmp_path: Path) -> None:
    whole = made(tmp_path, WindowForm())
    few = whole.first(3)
    assert few.count == 3
    assert few.lengths.tolist() == LENGTHS[:3]
    assert np.array_equal(few.tokens, whole.tokens[: sum(LENGTHS[:3])])


@pytest.mark.parametrize(
    ("tokens", "room", "stride", "expected"),
    [
        (0, 10, 4, []),
        (10, 10, 4, [(0, 10)]),
        (11, 10, 4, [(0, 10), (4, 7)]),
        (25, 10, 4, [(0, 10), (4, 10), (8, 10), (12, 10), (16, 9)]),
        (25, 3, 100, [(0, 3), (3, 3), (6, 3), (9, 3), (12, 3), (15, 3), (18, 3), (21, 3), (24, 1)]),
    ],
    ids=["none", "fits", "one more", "many", "gapless"],
)
def test_a_text_is_cut_into_windows(tokens: int, room: int, stride: int, expected: list[tuple[int, int]]) -> None:
    assert spans(tokens, room, stride) == expected


def test_a_token_belongs_where_most_text_is_around_it() -> None:
    assert owners([(0, 10), (4, 10)], 14).tolist() == [0] * 7 + [1] * 7
    assert owners([(0, 4), (4, 2)], 6).tolist() == [0, 0, 0, 0, 1, 1]
