"""Text to word pieces, character for character as the reference does it.

Sources of the rules: language/bert of mlcommons/inference v3.1, whose Dockerfile pins transformers 2.4.0 (for the
model's inputs) and whose accuracy script takes NVIDIA's TensorFlow ``tokenization.py`` (to find an answer in the text
again). The two differ in what they call a control character and in that only the first keeps special tokens whole.
Python's own tables of Unicode decide in both, which is why no other library does it here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Container, Iterable
from functools import lru_cache

from assay.models.text.vocabulary import CLS, MASK, PAD, SEP, UNK, Vocabulary

_LONGEST_WORD = 100
_SPECIAL = frozenset({UNK, SEP, PAD, CLS, MASK})
_CJK = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)
# Signs of ASCII that Unicode calls symbols, such as $ and ^, split words as punctuation does.
_ASCII_SIGNS = frozenset(map(chr, (*range(33, 48), *range(58, 65), *range(91, 97), *range(123, 127))))


class Tokeniser:
    """Splits text into the word pieces of a vocabulary; pieces of words seen before are kept.

    Args:
        vocabulary: the word pieces.
        lower_case: lower-case the text and strip its accents.
    """

    def __init__(self, vocabulary: Vocabulary, *, lower_case: bool = True) -> None:
        self.vocabulary = vocabulary
        self._lower_case = lower_case
        self._known: dict[str, tuple[int, ...]] = {}

    def ids(self, text: str) -> list[int]:
        """Ids of a text's word pieces; a word that is a special token, such as ``[SEP]``, stays whole."""
        found: list[int] = []
        for word in basic_words(text, lower_case=self._lower_case, whole=_SPECIAL):
            pieces = self._known.get(word)
            if pieces is None:
                known = word in _SPECIAL and word in self.vocabulary.ids
                pieces = self._known[word] = (self.vocabulary.ids[word],) if known else self._split(word)
            found += pieces
        return found

    def _split(self, word: str) -> tuple[int, ...]:
        """The longest piece first, then the longest of what is left; unknown as a whole when it does not come out."""
        ids, unknown = self.vocabulary.ids, (self.vocabulary.unknown,)
        if len(word) > _LONGEST_WORD:
            return unknown
        pieces: list[int] = []
        start = 0
        while start < len(word):
            prefix = "##" if start else ""
            for end in range(len(word), start, -1):
                piece = ids.get(prefix + word[start:end])
                if piece is not None:
                    pieces.append(piece)
                    start = end
                    break
            else:
                return unknown
        return tuple(pieces)


def basic_words(
    text: str, *, lower_case: bool = True, all_controls: bool = True, whole: Container[str] = ()
) -> list[str]:
    """Words and punctuation marks of a text, in order.

    Args:
        text: any text.
        lower_case: lower-case them and strip their accents.
        all_controls: drop also surrogates, private and unassigned characters, not only control and format ones.
        whole: words that are left as they are.
    """
    plain = text.isascii()
    cleaned = "".join(map(_clean_all if all_controls else _clean_few, text))
    split: list[str] = []
    for word in cleaned.split():
        if word in whole:
            split.append(word)
        else:
            split += _at_punctuation(_plain(word, ascii_only=plain) if lower_case else word)
    return " ".join(split).split()


def _plain(word: str, *, ascii_only: bool) -> str:
    lowered = word.lower()
    if ascii_only:
        return lowered
    return "".join(letter for letter in unicodedata.normalize("NFD", lowered) if unicodedata.category(letter) != "Mn")


def _at_punctuation(word: str) -> Iterable[str]:
    parts: list[str] = []
    new = True
    for letter in word:
        if _is_punctuation(letter):
            parts.append(letter)
            new = True
        elif new:
            parts.append(letter)
            new = False
        else:
            parts[-1] += letter
    return parts


@lru_cache(maxsize=1 << 16)
def _is_punctuation(letter: str) -> bool:
    return letter in _ASCII_SIGNS or unicodedata.category(letter).startswith("P")


@lru_cache(maxsize=1 << 16)
def _clean_all(letter: str) -> str:
    return _clean(letter, unicodedata.category(letter).startswith("C"))


@lru_cache(maxsize=1 << 16)
def _clean_few(letter: str) -> str:
    return _clean(letter, unicodedata.category(letter) in ("Cc", "Cf"))


def _clean(letter: str, control: bool) -> str:
    """What a character becomes: itself, a space, nothing, or (an ideograph) a word of its own."""
    if letter in " \t\n\r":
        return " "
    if letter in "\0\ufffd" or control:
        return ""
    if unicodedata.category(letter) == "Zs":
        return " "
    code = ord(letter)
    return f" {letter} " if any(first <= code <= last for first, last in _CJK) else letter
