"""Words of transcripts in the form in which they are compared.

Three forms, from the strictest to the kindest:

* :func:`official_text` for the official manifest, whose transcripts are spelled out in RNN-T's own 28 characters;
* :func:`plain_text` for any other text: lower case, no punctuation, nothing else changed. The word error rate is that of
  this form;
* :func:`kind_text` on top of it: figures and abbreviations as words, which a listener cannot tell apart. Its rate is
  reported beside the other, never in its place.
"""

from __future__ import annotations

import re
import unicodedata

from assay.errors import InvalidInputError

LABELS = " abcdefghijklmnopqrstuvwxyz'"
"""RNN-T's characters by their label (mlcommons/inference v3.1, speech_recognition/rnnt/accuracy_eval.py)."""

BLANK = len(LABELS)
"""The label that writes nothing; also what stands before the first character."""

_NO_WORD = re.compile(r"[^\w' ]|_")
_STRAY_MARK = re.compile(r"(?<!\w)'|'(?!\w)")
_ABBREVIATIONS = {"mr": "mister", "mrs": "missus", "dr": "doctor", "st": "saint"}
_UNITS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES = ((1_000_000_000, "billion"), (1_000_000, "million"), (1_000, "thousand"), (100, "hundred"))
_MOST_DIGITS = 12


def official_text(text: str, where: str) -> str:
    """A transcript of the official manifest: lower case, single spaces.

    Raises:
        InvalidInputError: when it holds anything that RNN-T cannot write. The reference's cleaner would spell out
            figures and drop signs; the published manifest holds neither.
    """
    words = " ".join(text.lower().split())
    strange = sorted(set(words) - set(LABELS))
    if strange:
        raise InvalidInputError(
            "a transcript that is not spelled out",
            where=where,
            expected="the letters a to z, apostrophes and spaces",
            found=" ".join(strange[:8]),
        )
    return words


def plain_text(text: str) -> str:
    """Lower case without punctuation: words of letters, figures and inner apostrophes, single spaces between."""
    bare = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    bare = bare.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").lower()
    return " ".join(_STRAY_MARK.sub(" ", _NO_WORD.sub(" ", bare)).split())


def kind_text(text: str) -> str:
    """Plain text with figures and abbreviations spelled out: ``mr 21`` is ``mister twenty one``."""
    return " ".join(_spelled(word) for word in plain_text(text).split())


def labels_to_text(labels: list[int], where: str) -> str:
    """What a response of RNN-T says.

    Raises:
        InvalidInputError: for a label that stands for no character.
    """
    try:
        if labels and min(labels) < 0:
            raise IndexError
        return "".join([LABELS[label] for label in labels])
    except IndexError as error:
        wrong = next(label for label in labels if not 0 <= label < BLANK)
        raise InvalidInputError(
            "a response holds a label that is no character", where=where, expected=f"0 to {BLANK - 1}", found=str(wrong)
        ) from error


def _spelled(word: str) -> str:
    if word.isascii() and word.isdigit() and len(word) <= _MOST_DIGITS:
        return _number(int(word))
    return _ABBREVIATIONS.get(word, word)


def _number(value: int) -> str:
    if value < len(_UNITS):
        return _UNITS[value]
    if value < 100:
        tens, rest = divmod(value, 10)
        return _TENS[tens - 2] + (f" {_UNITS[rest]}" if rest else "")
    size, name = next((size, name) for size, name in _SCALES if value >= size)
    count, rest = divmod(value, size)
    return f"{_number(count)} {name}" + (f" {_number(rest)}" if rest else "")
