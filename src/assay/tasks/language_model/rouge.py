"""ROUGE-1, -2, -L and -Lsum with stemming, as MLPerf's GPT-J reference has it scored.

Source: Lin, ROUGE: A Package for Automatic Evaluation of Summaries, ACL 2004; the particulars (words are runs of a-z and
0-9, words of more than three letters are stemmed, the summary-level LCS counts each word once) are those of the package
rouge-score 0.1.2 with ``use_stemmer=True``, which language/gpt-j/evaluation.py of mlcommons/inference v3.1 calls.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assay.errors import MissingDependencyError

NAMES = ("rouge1", "rouge2", "rougeL", "rougeLsum")
_NO_WORD = re.compile(r"[^a-z0-9]+")
_UNSTEMMED = 3


@dataclass(frozen=True, slots=True)
class Rouge:
    """F-measures of one prediction, 0 to 1."""

    rouge1: float
    rouge2: float
    rougel: float
    rougelsum: float


class RougeScorer:
    """Scores predictions; remembers the stems of words it has met."""

    def __init__(self) -> None:
        self._stem = _porter()
        self._stems: dict[str, str] = {}

    def score(self, target: str, prediction: str) -> Rouge:
        """ROUGE of a prediction.

        Args:
            target: the right text, sentences on lines of their own.
            prediction: the text to judge, in the same form.
        """
        right, made = self.words(target), self.words(prediction)
        return Rouge(
            rouge1=_overlap(right, made, 1),
            rouge2=_overlap(right, made, 2),
            rougel=_f_measure(_lcs_length(right, made), len(made), len(right)),
            rougelsum=_summary_level(self._lines(target), self._lines(prediction)),
        )

    def words(self, text: str) -> list[str]:
        """Stemmed words of a text."""
        return [self._stemmed(word) for word in _NO_WORD.sub(" ", text.lower()).split()]

    def _lines(self, text: str) -> list[list[str]]:
        return [self.words(line) for line in text.split("\n") if line]

    def _stemmed(self, word: str) -> str:
        if len(word) <= _UNSTEMMED:
            return word
        known = self._stems.get(word)
        if known is None:
            known = self._stems[word] = self._stem(word)
        return known


def _porter() -> Callable[[str], str]:
    try:
        from nltk.stem.porter import PorterStemmer
    except ImportError as error:
        raise MissingDependencyError(
            f"ROUGE needs the Porter stemmer of nltk: {error}", hint='pip install "assay[llm]"'
        ) from error
    stem: Callable[[str], str] = PorterStemmer().stem
    return stem


def _f_measure(hits: int, made: int, right: int) -> float:
    precision, recall = hits / max(made, 1), hits / max(right, 1)
    return 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0


def _overlap(right: Sequence[str], made: Sequence[str], n: int) -> float:
    wanted, found = _grams(right, n), _grams(made, n)
    hits = sum(min(count, found[gram]) for gram, count in wanted.items())
    return _f_measure(hits, found.total(), wanted.total())


def _grams(words: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def _lcs_length(one: Sequence[str], other: Sequence[str]) -> int:
    """Length of the longest common subsequence, a row of the table at a time in the bits of one number.

    Source: Hyyrö, Bit-Parallel LCS-length Computation Revisited, 2004.
    """
    places: dict[str, int] = {}
    for i, word in enumerate(one):
        places[word] = places.get(word, 0) | (1 << i)
    mask = (1 << len(one)) - 1
    row = mask
    for word in other:
        match = row & places.get(word, 0)
        row = ((row + match) | (row - match)) & mask
    return len(one) - row.bit_count()


def _summary_level(right: Sequence[Sequence[str]], made: Sequence[Sequence[str]]) -> float:
    """F-measure of the union of longest common subsequences of each right sentence with all that were made."""
    total_right, total_made = sum(map(len, right)), sum(map(len, made))
    if not total_right or not total_made:
        return 0.0
    left_right = Counter(word for sentence in right for word in sentence)
    left_made = Counter(word for sentence in made for word in sentence)
    hits = 0
    for sentence in right:
        union = sorted({place for other in made for place in _lcs_places(sentence, other)})
        for place in union:
            word = sentence[place]
            if left_right[word] > 0 and left_made[word] > 0:
                left_right[word] -= 1
                left_made[word] -= 1
                hits += 1
    return _f_measure(hits, total_made, total_right)


def _lcs_places(right: Sequence[str], made: Sequence[str]) -> list[int]:
    """Places in ``right`` of one longest common subsequence; of several the one that the reference finds."""
    table = [[0] * (len(made) + 1)]
    for word in right:
        above, row = table[-1], [0]
        for j, other in enumerate(made):
            row.append(above[j] + 1 if word == other else max(above[j + 1], row[j]))
        table.append(row)
    places = []
    i, j = len(right), len(made)
    while i > 0 and j > 0:
        if right[i - 1] == made[j - 1]:
            i, j = i - 1, j - 1
            places.append(i)
        elif table[i][j - 1] > table[i - 1][j]:
            j -= 1
        else:
            i -= 1
    return places
