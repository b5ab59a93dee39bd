"""Markdown as HTML that can do nothing: the one renderer of documentation, challenges, reports and READMEs.

Raw HTML is text, links lead to addresses only, pictures from elsewhere become links (the pages forbid themselves every
outer source), and what comes out is sanitised once more. The work is bounded however the text is made.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from posixpath import normpath
from urllib.parse import quote, unquote

import markupsafe
import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

LONGEST = 120_000
"""Characters that are shown of a text; the rest is left out, and said so."""
_MOST_LINKS = 5_000
_LONGEST_LINK = 2_000
_SCHEMES = frozenset({"http", "https", "mailto"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
_TAGS = {
    "a", "blockquote", "br", "button", "code", "del", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "img",
    "li", "ol", "p", "pre", "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href", "title", "rel", "class"},
    "button": {"type", "class", "data-copy", "hidden"},
    "code": {"class"},
    "div": {"class", "role", "tabindex", "aria-label"},
    "img": {"src", "alt", "title"},
    "ol": {"start"},
    "pre": {"tabindex"},
    "td": {"class"},
    "th": {"class"},
} | {f"h{level}": {"id"} for level in range(1, 7)}

Resolve = Callable[[str], str | None]
"""Where a relative link leads: an address on this server, or None for what is not there."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: level from 1 as it is shown, text, and the id of its place."""

    level: int
    text: str
    id: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text as HTML, with its headings in their order."""

    html: markupsafe.Markup
    headings: tuple[Heading, ...]
    cut: bool = False


def render(
    text: str,
    base: str = "",
    *,
    link: Resolve | None = None,
    image: Resolve | None = None,
    prefix: str = "md-",
    lower: int = 1,
) -> markupsafe.Markup:
    """Markdown as HTML that is safe to stand in a page.

    Args:
        text: of a stranger.
        base: address that relative links are taken from; without it (and without ``link``) they stay text.
        link: where relative links lead, instead of ``base``.
        image: addresses of relative pictures; without it every picture is a link or its description.
        prefix: begins the ids of headings, so that they meet no others of the page.
        lower: levels that headings are lowered by; 1 puts them under the title of a page.
    """
    return rendered(text, base, link=link, image=image, prefix=prefix, lower=lower).html


@functools.lru_cache(256)
def rendered(
    text: str,
    base: str = "",
    *,
    link: Resolve | None = None,
    image: Resolve | None = None,
    prefix: str = "md-",
    lower: int = 1,
) -> Rendered:
    """As :func:`render`, with the headings."""
    cut = len(text) > LONGEST
    parser = _parser()
    tokens = parser.parse(text[:LONGEST].encode("utf-8", "replace").decode())
    changed = _Changes(base, link, image, prefix, lower)
    changed.apply(tokens)
    html = parser.renderer.render(tokens, parser.options, {})
    if cut:
        html += "<p><em>The text is longer than what is shown here.</em></p>"
    clean = nh3.clean(
        html, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=set(_SCHEMES), link_rel=None, strip_comments=True
    )
    return Rendered(markupsafe.Markup(clean), tuple(changed.headings), cut)  # noqa: S704 - sanitised just now


@dataclass(slots=True)
class _Changes:
    """Walks the tokens of a text and makes its links, pictures and headings those of a page."""

    base: str
    link: Resolve | None
    image: Resolve | None
    prefix: str
    lower: int
    headings: list[Heading] = field(default_factory=list)
    _used: dict[str, int] = field(default_factory=dict)
    _links: int = 0

    def apply(self, tokens: Sequence[Token]) -> None:
        """Change the tokens of a whole text in place."""
        for number, token in enumerate(tokens):
            if token.type == "inline" and token.children:
                token.children = list(self._inline(token.children))
            elif token.type in ("heading_open", "heading_close"):
                self._heading(token, tokens[number + 1] if token.type == "heading_open" else None)
            elif token.type in ("th_open", "td_open"):
                _aligned(token)

    def _heading(self, token: Token, inline: Token | None) -> None:
        level = min(int(token.tag[1:]) + self.lower, 6)
        token.tag = f"h{level}"
        if inline is not None:
            text = "".join(each.content for each in inline.children or () if each.type in ("text", "code_inline"))
            name = self._id(text)
            token.attrSet("id", name)
            self.headings.append(Heading(level, text[:200], name))

    def _id(self, text: str) -> str:
        slug = slug_of(text)
        number = self._used.get(slug, 0)
        self._used[slug] = number + 1
        return f"{self.prefix}{slug}-{number}" if number else f"{self.prefix}{slug}"

    def _inline(self, children: Sequence[Token]) -> Iterator[Token]:
        open_links: list[bool] = []
        for token in children:
            if token.type == "link_open":
                open_links.append(self._opened(token))
                if open_links[-1]:
                    yield token
            elif token.type == "link_close":
                if open_links.pop():
                    yield token
            elif token.type == "image":
                yield from self._picture(token, within=any(open_links))
            else:
                yield token

    def _opened(self, token: Token) -> bool:
        """Make a link ready; whether there is one to be followed."""
        self._links += 1
        title = str(token.attrGet("title") or "")
        address = self._address(str(token.attrGet("href") or ""))
        if address is None or self._links > _MOST_LINKS:
            return False
        token.attrs = {"href": address}
        if title:
            token.attrs["title"] = title[:200]
        if _has_scheme(address):
            token.attrs["rel"] = "nofollow noopener noreferrer"
        return True

    def _picture(self, token: Token, *, within: bool) -> Iterator[Token]:
        """A picture of our own, else a link to it, else its description."""
        source = str(token.attrGet("src") or "")
        description = token.content[:500]
        self._links += 1
        own = self.image(source) if self.image and not _has_scheme(source) and self._links <= _MOST_LINKS else None
        if own is not None:
            token.attrs = {"src": own, "alt": description}
            yield token
            return
        words = Token("text", "", 0, content=description or "picture")
        opening = Token("link_open", "a", 1, attrs={"href": source})
        if within or not _has_scheme(source) or not self._opened(opening):
            yield words
            return
        yield from (opening, words, Token("link_close", "a", -1))

    def _address(self, given: str) -> str | None:
        """Where a link leads; None when nobody may be sent there."""
        if not given or len(given) > _LONGEST_LINK or _CONTROL.search(unquote(given)) or "\\" in unquote(given):
            return None
        if given.startswith("#"):
            return f"#{self.prefix}{quote(unquote(given[1:]), safe='-')}"
        if _has_scheme(given):
            return given if given.partition(":")[0].lower() in _SCHEMES else None
        if given.startswith("//"):
            return None
        if self.link is not None:
            return self.link(given)
        return _joined(self.base, given) if self.base else None


def slug_of(text: str) -> str:
    """A heading as an id, as code hosts make them."""
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", text.strip().lower()))[:100] or "section"


def _has_scheme(address: str) -> bool:
    # A colon before the first slash: what browsers take for a scheme, and whatever they may make of it.
    return ":" in re.split(r"[/?#]", address, maxsplit=1)[0]


def _joined(base: str, given: str) -> str | None:
    """An address of this server: relative ones under a base, never above it."""
    if given.startswith("/"):
        return given
    path = re.split(r"[?#]", given, maxsplit=1)[0]
    rest = given[len(path) :]
    root = base.rstrip("/")
    whole = normpath(f"{root}/{unquote(path)}")
    return f"{quote(whole)}{rest}" if whole == root or whole.startswith(f"{root}/") else None


def _aligned(token: Token) -> None:
    """Alignment as a class: the pages allow no styles in their text."""
    style = str(token.attrGet("style") or "")
    token.attrs = {"class": "number"} if "right" in style else {}


@functools.cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": False, "maxNesting": 20})
    parser.enable(["table", "strikethrough"])
    # Every link is looked at in _Changes, once; here only what is too long for a reference to be repeated.
    parser.validateLink = lambda url: len(url) <= _LONGEST_LINK  # type: ignore[method-assign]
    parser.add_render_rule("fence", _code)
    parser.add_render_rule("code_block", _code)
    parser.add_render_rule("image", _image)
    parser.add_render_rule("table_open", _table_open)
    parser.add_render_rule("table_close", _table_close)
    return parser


def _code(renderer: RendererHTML, tokens: Sequence[Token], number: int, options: OptionsDict, env: EnvType) -> str:
    del renderer, options, env
    token = tokens[number]
    text = token.content
    return (
        f'<div class="command"><pre tabindex="0"><code>{markupsafe.escape(text)}</code></pre>'
        f'<button type="button" class="copy" data-copy="{markupsafe.escape(_to_copy(text))}" hidden>Copy</button></div>\n'
    )


def _to_copy(text: str) -> str:
    """The commands of a terminal's text without its prompts and answers; any other text as it is."""
    if not text.startswith("$ "):
        return text.rstrip("\n")
    kept: list[str] = []
    goes_on = False
    for line in text.splitlines():
        if line.startswith("$ ") or goes_on:
            kept.append(line.removeprefix("$ "))
            goes_on = line.endswith("\\")
    return "\n".join(kept)


def _image(renderer: RendererHTML, tokens: Sequence[Token], number: int, options: OptionsDict, env: EnvType) -> str:
    del renderer, options, env
    token = tokens[number]
    source, alternative = markupsafe.escape(token.attrGet("src")), markupsafe.escape(token.attrGet("alt"))
    return f'<img src="{source}" alt="{alternative}">'


def _table_open(*_: object) -> str:
    return '<div class="scroll"><table>\n'


def _table_close(*_: object) -> str:
    return "</table></div>\n"
