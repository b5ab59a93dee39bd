"""A page as a careful visitor sees it: everything that the browser complains about is kept, and fails the test."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Response

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")


@dataclass
class Watch:
    """What goes wrong in a browser's window.

    Attributes:
        address: of the playground; nothing else may be asked for.
        status: what pages may answer with besides success.
    """

    address: str
    status: tuple[int, ...] = ()
    complaints: list[str] = field(default_factory=list)

    def follow(self, context: BrowserContext) -> None:
        """Listen to every page of a window."""
        context.on("page", self._page)
        context.on("request", self._request)
        context.on("requestfailed", self._failed)
        context.on("response", self._response)

    def _page(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"error on {page.url}: {error}"))

    def _console(self, message: ConsoleMessage) -> None:
        expected = any(f"status of {status}" in message.text for status in self.status)
        if message.type in ("error", "warning", "assert") and not expected:
            self.complaints.append(f"{message.type}: {message.text} ({message.location})")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and f"{parts.scheme}://{parts.netloc}" != self.address:
            self.complaints.append(f"asked elsewhere: {request.url}")

    def _failed(self, request: Request) -> None:
        # Given up by the page itself: whoever types goes on, whoever follows a link leaves.
        if request.failure != "net::ERR_ABORTED":
            self.complaints.append(f"failed: {request.url} {request.failure}")

    def _response(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.status:
            self.complaints.append(f"{response.status}: {response.url}")


def settle(page: Page) -> None:
    """Wait until nothing is asked for any more, and every chart in sight is drawn."""
    page.wait_for_load_state("networkidle")
    page.wait_for_function(
        "() => [...document.querySelectorAll('figure.chart .canvas')].every(each => {"
        "const box = each.getBoundingClientRect();"
        "return box.top > innerHeight || box.bottom < 0 || !box.width || each.closest('figure').dataset.drawn; })"
    )


def barriers(page: Page, *only: str, within: str = "") -> list[str]:
    """What stands in the way of who sees badly, or uses no mouse: violations of WCAG 2.2 A and AA that axe finds.

    Args:
        page: where.
        only: these rules alone.
        within: only below this selector.
    """
    chosen = {"type": "rule", "values": list(only)} if only else {"type": "tag", "values": list(RULES)}
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found: list[dict[str, Any]] = page.evaluate(
        "([within, options]) => axe.run(within || document, options).then(found => found.violations)",
        [within, {"runOnly": chosen, "resultTypes": ["violations"]}],
    )
    return [
        f"{each['id']}: {node['html'][:200]} {' '.join(each['message'] for each in (*node['any'], *node['all']))}"
        for each in found
        for node in each["nodes"][:6]
    ]


def too_wide(page: Page) -> list[str]:
    """What makes a page scroll sideways."""
    found: list[str] = page.evaluate(
        """() => {
          const root = document.documentElement;
          if (root.scrollWidth <= root.clientWidth) return [];
          const wide = [...document.body.querySelectorAll("*")].filter(each => {
            if (each.getBoundingClientRect().right <= root.clientWidth + 1) return false;
            for (let up = each.parentElement; up; up = up.parentElement) if (getComputedStyle(up).overflowX !== "visible") return false;
            return true;
          });
          return [`${root.scrollWidth} > ${root.clientWidth}`, ...wide.slice(0, 4).map(each => each.outerHTML.slice(0, 160))];
        }"""
    )
    return found
