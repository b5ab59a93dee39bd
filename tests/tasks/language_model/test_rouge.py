"""The figures are those of rouge-score 0.1.2 with ``use_stemmer=True``, taken beside it."""

from __future__ import annotations

import sys

import pytest

from assay.errors import MissingDependencyError
from assay.tasks.language_model.rouge import RougeScorer

pytest.importorskip("nltk", reason="the extra llm is not installed")
CASES = [
    ("", "", (0.0, 0.0, 0.0, 0.0)),
    ("a b c", "", (0.0, 0.0, 0.0, 0.0)),
    ("", "a b c", (0.0, 0.0, 0.0, 0.0)),
    ("...", "!!", (0.0, 0.0, 0.0, 0.0)),
    (
        "The cats were running quickly\nskies dying news",
        "the cat runs quick sky die",
        (0.7142857142857143, 0.3333333333333333, 0.7142857142857143, 0.7142857142857143),
    ),
    ("a a a a", "a a", (0.6666666666666666, 0.5, 0.6666666666666666, 0.6666666666666666)),
    ("x y z\nx y z", "z y x\nz y x", (1.0, 0.0, 0.5, 0.3333333333333333)),
    ("one\ntwo three\nfour", "four\nthree two one\n\n", (1.0, 0.0, 0.25, 0.75)),
    ("do n't stop .", "don't stop.", (0.5714285714285715, 0.4, 0.5714285714285715, 0.5714285714285715)),
    (
        "Police killed the gunman\nThe gunman was police",
        "police kill the gunman\nthe gunman kill police",
        (0.875, 0.7142857142857143, 0.875, 0.875),
    ),
    (
        "Harry Potter star Daniel Radcliffe gets £20M fortune as he turns 18 Monday .\nYoung actor says he has no plans to fritter his cash away .",
        "Daniel Radcliffe turns 18 on Monday and gains access to a reported fortune.\nThe actor says he will not waste his money away on fast cars.",
        (0.47058823529411764, 0.16326530612244897, 0.39215686274509803, 0.4313725490196078),
    ),
    (
        "w1 w2 w3 w4 w5",
        "w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5",
        (0.5333333333333333, 0.15384615384615383, 0.5333333333333333, 0.5333333333333333),
    ),
    ("café naïve", "cafe naive", (0.0, 0.0, 0.0, 0.0)),
]


@pytest.mark.parametrize(("target", "prediction", "figures"), CASES, ids=range(len(CASES)))
def test_figures_of_the_reference(target: str, prediction: str, figures: tuple[float, float, float, float]) -> None:
    found = RougeScorer().score(target, prediction)
    assert (found.rouge1, found.rouge2, found.rougel, found.rougelsum) == figures


def test_words_are_lower_case_runs_of_letters_and_digits() -> None:
    assert RougeScorer().words("The U.S. cat's £3.50, naïve_Running DYING") == [
        *("the", "u", "s", "cat", "s", "3", "50", "na", "ve", "run", "die")
    ]


def test_a_scorer_remembers_and_does_not_change() -> None:
    scorer = RougeScorer()
    first = scorer.score("running cats", "the cat runs")
    assert scorer.score("running cats", "the cat runs") == first


def test_without_nltk_the_way_to_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nltk.stem.porter", None)
    with pytest.raises(MissingDependencyError) as caught:
        RougeScorer()
    assert caught.value.hint == 'pip install "assay[llm]"'
