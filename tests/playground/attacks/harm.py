"""What no answer may do, whatever was asked: fail, run, lead elsewhere, tell how it is made, or go without its guards."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import httpx2
from fastapi.routing import APIRoute

from assay.playground.pages import ROUTERS

MARK = "zqxmark"
"""A word that stands in every attack and nowhere else."""
SCRIPTS = (
    f"<script>{MARK}()</script>",
    f"<img src=x onerror={MARK}()>",
    f'"><svg/onload={MARK}()>',
    f"' onfocus={MARK}() autofocus x='",
    f"javascript:{MARK}()",
    f"</title></textarea></script><script src=//evil.example/{MARK}></script>",
    f"{{{{ {MARK} }}}}{{% {MARK} %}}${{{MARK}}}",
    f"<{MARK} {MARK}={MARK}>",
    f"&lt;script&gt;{MARK}()&lt;/script&gt;",
    f"`\u2028{MARK}\u2029\u202e\ufeff",
)
_WITH_ADDRESS = frozenset({"href", "src", "action", "formaction", "poster", "data", "xlink:href", "cite", "background"})
_FORBIDDEN = frozenset({"iframe", "object", "embed", "base", "applet", "frame", "frameset", "style"})
_NO_SCRIPTS = frozenset({"application/json", "application/ld+json"})
_TRACES = ("Traceback (most recent", 'File "/', "site-packages", "starlette.", "sqlalchemy.", "duckdb.")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.wrong: list[str] = []
        self._script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if MARK in tag or tag in _FORBIDDEN:
            self.wrong.append(f"an element <{tag}>")
        for name, value in has.items():
            if MARK in name:
                self.wrong.append(f"an attribute {name} of <{tag}>")
            if name.startswith("on") or name in ("style", "srcdoc"):
                self.wrong.append(f"{name}={value[:80]!r} of <{tag}>")
            if name in _WITH_ADDRESS and not _harmless(tag, name, value):
                self.wrong.append(f"{name}={value[:80]!r} of <{tag}>")
        if tag == "meta" and has.get("http-equiv", "").lower() == "refresh":
            self.wrong.append("a refresh")
        self._script = tag == "script" and has.get("type", "") not in _NO_SCRIPTS
        if self._script and (not has.get("src", "").startswith("/static/")):
            self.wrong.append(f"a script {has}")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        self._script = self._script and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._script and data.strip():
            self.wrong.append(f"a script {data[:80]!r}")


def _harmless(tag: str, name: str, value: str) -> bool:
    """Whether an address loads nothing from elsewhere, and runs nothing when it is followed."""
    plain = re.sub(r"[\x00-\x20]", "", value).lower()
    scheme = re.match(r"[^/?#:]*:", plain)
    if tag == "a" and name == "href":
        return scheme is None or scheme[0] in ("http:", "https:", "mailto:")
    if tag == "link" and name == "href":
        return scheme is None and not plain.startswith("//")
    return (scheme is None and not plain.startswith(("//", "\\"))) or plain.startswith("data:image/")


def harm_in(text: str) -> list[str]:
    """What a page would load or run that is not the playground's own."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader.wrong


def sound(answer: httpx2.Response) -> httpx2.Response:
    """The answer, when it is one that a stranger may get for whatever was asked."""
    where = f"{answer.request.method} {str(answer.request.url)[:300]}"
    assert answer.status_code < 500, f"{where}: {answer.status_code} {answer.text[:500]}"
    headers = answer.headers
    assert headers["x-content-type-options"] == "nosniff", where
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy, where
    assert "unsafe" not in policy, where
    embedded = answer.request.url.path.startswith("/embed/")
    assert ("frame-ancestors 'none'" in policy) != embedded, where
    assert (headers.get("x-frame-options") == "DENY") != embedded, where
    assert headers["referrer-policy"] == "same-origin", where
    assert "server" not in headers, where
    if "location" in headers:
        own = f"{answer.request.url.scheme}://{answer.request.url.netloc.decode()}"
        target = headers["location"].removeprefix(own)
        assert target.startswith("/"), f"{where} leads to {target}"
        assert not target.startswith(("//", "/\\")), f"{where} leads to {target}"
    if answer.request.method == "HEAD":
        assert answer.content == b"", where
        return answer
    kind = headers.get("content-type", "").partition(";")[0]
    if kind == "text/html":
        assert harm_in(answer.text) == [], where
    elif kind == "application/json":
        json.loads(answer.content)
    elif kind == "image/svg+xml":
        assert harm_in(answer.text.replace(' style="', ' data-style="')) == [], where
    else:
        assert answer.status_code < 300 or not answer.content or kind == "text/plain", (where, kind)
    if kind in ("text/html", "application/json", "text/plain"):
        for word in _TRACES:
            assert word not in answer.text, f"{where} tells {word!r}"
    return answer


def routes(*methods: str) -> Iterator[APIRoute]:
    """Every route of the pages with one of these methods."""
    for router in ROUTERS:
        for route in router.routes:
            if isinstance(route, APIRoute) and route.methods & set(methods):
                yield route
