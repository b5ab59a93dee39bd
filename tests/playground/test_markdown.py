"""Markdown of strangers: what it may say, what it may not do, and how long that may take."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.playground import markdown
from assay.playground.markdown import Heading, render, rendered

ALLOWED = {
    "a", "blockquote", "br", "button", "code", "del", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "img",
    "li", "ol", "p", "pre", "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
ATTRIBUTES = {"href", "title", "rel", "class", "type", "data-copy", "hidden", "tabindex", "start", "id", "src", "alt"}


class Elements(HTMLParser):
    """Every element of a text, as a browser reads it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))


def harmless(html: str) -> None:
    """What may stand in a page: known elements and attributes, and links that lead to pages."""
    for tag, attributes in Elements(html).found:
        assert tag in ALLOWED, tag
        assert set(attributes) <= ATTRIBUTES, (tag, attributes)
        for name in ("href", "src"):
            if name in attributes:
                plain = re.sub(r"[\x00-\x20]", "", attributes[name])
                assert re.match(r"(?:https?://|https?:|mailto:|/(?!/)|#|$)", plain, re.IGNORECASE), plain


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><style>*{}</style></svg>",
    "<a href='javascript:alert(1)'>x</a>",
    "<iframe src=//evil></iframe><object><embed><base href=//evil>",
    "[x](javascript:alert(1))",
    "[x](JAVASCRIPT:alert(1))",
    "[x](java&#115;cript:alert(1))",
    "[x](java&Tab;script:alert(1))",
    "[x](java%0ascript:alert(1))",
    "[x](%6aavascript:alert(1))",
    "[x](&#x6a;avascript&colon;alert(1))",
    "[x](\u200bjavascript:alert(1))",
    "[x](<java\tscript:alert(1)>)",
    "[x](vbscript:x) [x](data:text/html;base64,PHNjcmlwdD4=) [x](file:///etc/passwd) [x](blob:x)",
    "<javascript:alert(1)> <data:text/html,x>",
    "[x]: javascript:alert(1)\n\n[x]",
    "![x](javascript:alert(1)) ![x](data:image/svg+xml,<svg/onload=alert(1)>)",
    '[x](http://a "t\\" onmouseover=alert(1)")',
    "[x](//evil.example/a) [x](\\\\evil) [x](/\\evil) [x](\\/\\/evil)",
    '![" onerror="alert(1)](x.png)',
    '```" onclick=x\n</code></pre><script>alert(1)</script>\n```',
    "`</code><script>alert(1)</script>`",
    "# <script>x</script> \"'><img src=x onerror=y>",
    "|<b onclick=x>a|\n|:-:|\n|[x](javascript:x)|",
    '[a](http://x.example/"><script>alert(1)</script>)',
    "&lt;script&gt; &amp;#x3c;script> \x00 \ufeff \ud800",
    "<!-- --><![CDATA[<script>]]><?php ?>",
    "[x](http://[)",
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("base", ["", "/files"])
def test_a_hostile_text_does_nothing(text: str, base: str) -> None:
    html = str(render(text, base, image=lambda name: f"/pictures/{name}" if name == "x.png" else None))
    harmless(html)
    assert "<script" not in html


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.sampled_from([*HOSTILE, "[", "](", ")", "![", "`", "\n", "> ", "- ", "|", "*", "<", "\\", "&#"]), max_size=8
    )
)
def test_parts_of_hostile_texts_do_nothing_together(parts: list[str]) -> None:
    harmless(str(render("".join(parts), "/files")))


def test_markup_is_shown_as_text() -> None:
    assert "&lt;b&gt;" in render("<b>bold</b>")


def test_what_markdown_is_for() -> None:
    html = render("**a** *b* ~~c~~ `d`\n\n- e\n\n1. f\n\n> g\n\n---\n\n|h|i|\n|-|-:|\n|1|2|")
    for tag in ("strong", "em", "s", "code", "ul", "ol", "blockquote", "hr", "table"):
        assert f"<{tag}" in html
    assert '<td class="number">2</td>' in html
    assert "style=" not in html


def test_links_out_say_so() -> None:
    assert render("[x](https://a.example/b?c=d&e)") == (
        '<p><a href="https://a.example/b?c=d&amp;e" rel="nofollow noopener noreferrer">x</a></p>\n'
    )
    assert 'href="mailto:a@b.example"' in render("<mailto:a@b.example>")


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("other.md", "/files/other.md"),
        ("docs/a b.md", None),
        ("docs/a%20b.md?x=1#y", "/files/docs/a%20b.md?x=1#y"),
        ("./a/../b", "/files/b"),
        ("../secret", None),
        ("a/../../secret", None),
        ("%2e%2e/secret", None),
        ("/rounds", "/rounds"),
        ("//evil", None),
        ("?name=x", "/files?name=x"),
    ],
)
def test_relative_links_stay_below_their_base(given: str, address: str | None) -> None:
    links = [each["href"] for tag, each in Elements(str(render(f"[x]({given})", "/files"))).found if tag == "a"]
    assert links == ([address] if address else [])


def test_without_a_base_relative_links_are_text() -> None:
    assert render("[x](a.md)") == "<p>x</p>\n"


def test_the_caller_says_where_links_and_pictures_are() -> None:
    html = render("[x](a.md) ![y](b.png) ![z](c.png)", link=lambda name: f"/l/{name}", image={"b.png": "/p/b"}.get)
    assert html == '<p><a href="/l/a.md">x</a> <img src="/p/b" alt="y"> z</p>\n'


def test_pictures_from_elsewhere_are_links() -> None:
    assert render("![a chart](https://x.example/y.png)") == (
        '<p><a href="https://x.example/y.png" rel="nofollow noopener noreferrer">a chart</a></p>\n'
    )
    inside = render("[![a badge](https://x.example/y.png)](https://z.example)")
    assert inside.count("<a ") == 1
    assert "<img" not in inside


def test_headings_have_places_of_their_own() -> None:
    text = rendered("# A `b` c!\n\n## Same\n\n## Same\n\n[go](#same)", prefix="p-")
    assert text.headings == (
        Heading(2, "A b c!", "p-a-b-c"),
        Heading(3, "Same", "p-same"),
        Heading(3, "Same", "p-same-1"),
    )
    assert '<h2 id="p-a-b-c">' in text.html
    assert 'href="#p-same"' in text.html
    assert "<h6" in render("###### deep", lower=3)


def test_commands_are_copied_without_their_prompts() -> None:
    html = render("```console\n$ assay a \\\n    --b\nan answer\n$ assay c\n```")
    assert 'data-copy="assay a \\\n    --b\nassay c"' in html
    assert 'data-copy="x = 1"' in render("```python\nx = 1\n```")


BOMBS = {
    "brackets": "[" * 200_000,
    "pictures": "![" * 100_000,
    "emphasis": "*a_" * 66_000,
    "quotes": "> " * 100_000,
    "lists": "- " * 100_000,
    "nested list": "\n".join(" " * number + "- a" for number in range(600)),
    "open links": "[a](" * 50_000,
    "nested links": "[" * 30_000 + "a" + "](u)" * 30_000,
    "references": "[a]: /" + "x" * 1900 + "\n\n" + "[a] " * 40_000,
    "titles": '[a]: /x "' + "y" * 100_000 + '"\n\n' + "[a] " * 20_000,
    "table": "|" * 400 + "\n" + "|-" * 400 + "|\n" + "|\n" * 20_000,
    "ticks": "".join("a" + "`" * number for number in range(600)),
    "entities": "&amp;" * 40_000,
    "headings": "# a\n" * 40_000,
    "backslashes": "\\" * 200_000,
    "angles": "<a " * 60_000,
    "megabytes": "a" * 5_000_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_the_work_is_bounded(name: str) -> None:
    begin = time.process_time()
    html = render(BOMBS[name], "/files")
    assert time.process_time() - begin < 15
    assert len(html) < 30 << 20


def test_a_long_text_is_cut_and_says_so() -> None:
    text = rendered("word " * 30_000)
    assert text.cut
    assert text.html.endswith("<p><em>The text is longer than what is shown here.</em></p>")
    assert len(text.html) < markdown.LONGEST + 200
