"""Where the words of a challenge lead: experiments and results in the explorer, texts to each other."""

from __future__ import annotations

import re
from dataclasses import dataclass
from posixpath import normpath
from urllib.parse import parse_qs, unquote

from assay.community.challenge import Challenge, Document, ExperimentLink
from assay.playground.markup import query, segment

EXAMPLE = "https://playground.example"
"""What stands in commands for the server that they are shown by."""
_ROUND = re.compile(r"v\d{1,2}\.\d{1,2}")
_SCENARIOS = {each.lower(): each for each in ("Offline", "Server", "SingleStream", "MultiStream")}
_CATEGORIES, _DIVISIONS = ("edge", "datacenter"), ("closed", "open", "network")
_TASKS = frozenset(
    {
        "image-classification", "object-detection", "language-processing", "speech-recognition", "recommendation",
        "3d-segmentation", "medical-imaging", "gpt-j", "text-to-image", "image-generation",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TextLinks:
    """Where relative links of a challenge's text lead.

    Attributes:
        challenge: its name.
        folder: of the text, in the challenge's own.
        documents: names of the texts that there are.
    """

    challenge: str
    folder: str
    documents: tuple[str, ...]

    def __call__(self, given: str) -> str | None:
        """The address of a page, or None for what is not here."""
        path, _, rest = given.partition("?")
        if not path:
            name = parse_qs(rest.partition("#")[0]).get("name", [""])[0]
            return f"/challenges/{segment(name)}" if name else None
        place = normpath(f"{self.folder}/{unquote(path.partition('#')[0])}")
        if place.startswith("../"):
            other = place.removeprefix("../").removesuffix("/README.md").strip("/")
            return f"/challenges/{segment(other)}" if other and "/" not in other and ".." not in other else None
        if place in self.documents:
            return document_address(self.challenge, place)
        return f"/challenges/{segment(self.challenge)}" if place in (".", "README.md") else None


def links_of(challenge: Challenge, document: Document) -> TextLinks:
    """Where the links of one of its texts lead."""
    names = tuple(each.name for each in challenge.documents if each.name.startswith("docs/"))
    return TextLinks(challenge.name, "docs" if document.name.startswith("docs/") else ".", names)


def document_address(challenge: str, name: str) -> str:
    """The address of one of the further texts, ``docs/NAME.md``."""
    return f"/challenges/{segment(challenge)}/docs/{segment(document_name(name))}"


def document_name(name: str) -> str:
    """``docs/NAME.md`` as addresses call it."""
    return name.removeprefix("docs/").removesuffix(".md")


def for_server(text: str, base: str) -> str:
    """A text whose commands push to this server."""
    return text.replace(EXAMPLE, base)


def results_address(challenge: Challenge) -> str:
    """The explorer with the results of a challenge."""
    return f"/explorer{query(challenges=challenge.uid, include='local', sort=_sort(challenge), y=challenge.ranking.metric)}"


def comparable_address(challenge: Challenge) -> str:
    """The explorer with everything that fulfils the challenge's filter, published results too; empty without a filter."""
    if not challenge.filter:
        return ""
    return f"/explorer{query(filter=challenge.filter, include='local', y=challenge.ranking.metric)}"


def experiment_address(link: ExperimentLink) -> str:
    """The explorer with the experiments of a link; empty when its words say nothing about results."""
    words = link.tags.split(",") if link.tags else link.name.split("--")
    chosen: dict[str, list[str]] = {}
    for word in (part.strip() for given in words for part in (given, given.removesuffix("-power"))):
        for name, value in _chosen(word.lower()):
            if value not in chosen.setdefault(name, []):
                chosen[name].append(value)
    if any(word.strip().endswith("power") for word in words):
        chosen["filter"] = ["power == true"]
    return f"/explorer{query(**chosen)}" if chosen else ""


def _chosen(word: str) -> list[tuple[str, str]]:
    if _ROUND.fullmatch(word):
        return [("round", word)]
    if word in _SCENARIOS:
        return [("scenario", _SCENARIOS[word])]
    fields = (("category", _CATEGORIES), ("division", _DIVISIONS), ("task", _TASKS))
    return [(name, word) for name, values in fields if word in values]


def _sort(challenge: Challenge) -> str:
    return f"{'' if challenge.ranking.lowest else '-'}({challenge.ranking.metric})"
