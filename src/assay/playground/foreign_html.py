"""HTML of strangers (``info.html`` of CM's entries) as HTML that can do nothing."""

from __future__ import annotations

import re

import markupsafe
import nh3

from assay.playground.markdown import LONGEST

_TAGS = {
    "a", "b", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "li", "ol", "p", "pre",
    "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_HEADING = re.compile(r"<(/?)h([1-6])>")


def harmless(text: str) -> markupsafe.Markup:
    """A text with nothing but plain tags and links to addresses; headings go one level down, below a page's title."""
    clean = nh3.clean(
        text[:LONGEST],
        tags=_TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto"},
        url_relative="deny",
        link_rel="nofollow noopener noreferrer",
        strip_comments=True,
    )
    lowered = _HEADING.sub(lambda found: f"<{found[1]}h{min(int(found[2]) + 1, 6)}>", clean)
    return markupsafe.Markup(lowered)  # noqa: S704 - sanitised just now
