from __future__ import annotations

import pytest

from assay.errors import InvalidInputError
from assay.tasks.speech_recognition.text import BLANK, LABELS, kind_text, labels_to_text, official_text, plain_text


def test_labels_are_the_references() -> None:
    assert (len(LABELS), LABELS[0], LABELS[1], LABELS[26], LABELS[27], BLANK) == (28, " ", "a", "z", "'", 28)


def test_official_transcripts_stay_as_they_are() -> None:
    assert official_text("his wife's action", "here") == "his wife's action"
    assert official_text("  HE was\tIN ", "here") == "he was in"


@pytest.mark.parametrize("text", ["at 8 pm", "mr. smith", "caf\u00e9", "a-b"])
def test_what_rnnt_cannot_write_is_no_official_transcript(text: str) -> None:
    with pytest.raises(InvalidInputError, match="not spelled out") as caught:
        official_text(text, "list: [3]")
    assert caught.value.where == "list: [3]"


@pytest.mark.parametrize(
    ("text", "plain", "kind"),
    [
        (" And Mr. John Dashwood,", "and mr john dashwood", "and mister john dashwood"),
        ("ill-disposed", "ill disposed", "ill disposed"),
        ("It's 'quoted' dogs'", "it's quoted dogs", "it's quoted dogs"),
        ("don\u2019t", "don't", "don't"),
        ("Caf\u00e9 \u2013 na\u00efve", "cafe naive", "cafe naive"),
        ("21 men, 1.005 and 0", "21 men 1 005 and 0", "twenty one men one five and zero"),
        ("1900 or 342", "1900 or 342", "one thousand nine hundred or three hundred forty two"),
        ("2000000017", "2000000017", "two billion seventeen"),
        ("1234567890123", "1234567890123", "1234567890123"),
        ("snake_case", "snake case", "snake case"),
        ("", "", ""),
        (" ... ", "", ""),
    ],
)
def test_texts_are_compared_without_case_and_punctuation(text: str, plain: str, kind: str) -> None:
    assert plain_text(text) == plain
    assert kind_text(text) == kind
    assert plain_text(plain) == plain
    assert kind_text(kind) == kind


def test_labels_are_read() -> None:
    assert labels_to_text([8, 9, 0, 1, 27], "log") == "hi a'"
    assert labels_to_text([], "log") == ""


@pytest.mark.parametrize("wrong", [28, 29, -1, 2**40])
def test_a_label_that_is_no_character_is_refused(wrong: int) -> None:
    with pytest.raises(InvalidInputError) as caught:
        labels_to_text([1, wrong, 2], "log")
    assert (caught.value.where, caught.value.found) == ("log", str(wrong))
