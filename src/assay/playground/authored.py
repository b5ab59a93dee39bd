"""Texts of entries as parts of a page: without a title that the page shows already, headings beginning below the page's."""

from __future__ import annotations

from assay.playground.markdown import Resolve, rendered


def authored(text: str, *titles: str, link: Resolve | None = None) -> str:
    """A Markdown text of a stranger as harmless HTML whose highest headings are those below a page's title.

    Args:
        text: as it was written.
        titles: that the page shows already.
        link: where relative links lead.
    """
    text = without_title(text, *titles)
    once = rendered(text, link=link)
    highest = min((each.level for each in once.headings), default=2)
    return str(once.html if highest == 2 else rendered(text, link=link, lower=3 - highest).html)


def without_title(text: str, *titles: str) -> str:
    """A text without its first heading, where that is a title that the page shows already."""
    head, _, rest = text.lstrip().partition("\n")
    plain = head.lstrip("#").strip().casefold()
    return rest if head.startswith("#") and plain in {each.casefold() for each in titles} else text
