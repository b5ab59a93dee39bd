"""A text cut into sentences, which ROUGE-Lsum wants on lines of their own.

The reference (language/gpt-j/evaluation.py of mlcommons/inference v3.1) uses nltk's Punkt with parameters that nltk
fetches from its own server. Where they are installed they are used; elsewhere the same algorithm runs with a list of
abbreviations of our own. ROUGE-1, -2 and -L do not depend on it; ROUGE-Lsum, which no rule judges, does a little.
"""

from __future__ import annotations

from collections.abc import Callable

from assay.errors import MissingDependencyError

# fmt: off
_ABBREVIATIONS = frozenset({
    "a.m", "apr", "assn", "aug", "ave", "bros", "ca", "capt", "cf", "cmdr", "co", "col", "corp", "cpl", "dec",
    "dept", "det", "dr", "e.g", "esq", "est", "etc", "feb", "fig", "fla", "fr", "ft", "gen", "gov", "hon", "i.e",
    "inc", "ind", "inst", "jan", "jr", "jul", "jun", "lt", "ltd", "m.d", "maj", "mass", "messrs", "minn", "mo",
    "mr", "mrs", "ms", "msgr", "mt", "nov", "oct", "p.m", "ph.d", "prof", "pvt", "rep", "reps", "rev", "sec", "sen",
    "sens", "sep", "sept", "sgt", "sr", "st", "supt", "tel", "tenn", "u.k", "u.n", "u.s", "univ", "v", "va", "vol",
    "vs",
})
# fmt: on

Splitter = Callable[[str], list[str]]


def sentence_splitter() -> tuple[Splitter, str]:
    """A function from a text to its sentences, and what it is.

    Raises:
        MissingDependencyError: when nltk is not installed.
    """
    try:
        from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer, PunktTokenizer
    except ImportError as error:
        raise MissingDependencyError(f"sentences need nltk: {error}", hint='pip install "assay[llm]"') from error
    try:
        return PunktTokenizer("english").tokenize, "nltk punkt (english)"
    except LookupError:
        parameters = PunktParameters()
        parameters.abbrev_types.update(_ABBREVIATIONS)
        return PunktSentenceTokenizer(parameters).tokenize, "punkt without trained parameters"
