"""What visitors do over and over."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from playwright.sync_api import FloatRect, Page, expect

from .looking import settle


def total(page: Page) -> int:
    """Results of the explorer's view."""
    return int(page.locator("#total").inner_text().replace(",", ""))


def step(page: Page, action: Callable[[], object]) -> None:
    """Do something that leads to another view of the explorer, and wait for it."""
    before = page.url
    action()
    page.wait_for_function("before => location.href !== before", arg=before)
    page.wait_for_function("() => !document.getElementById('explorer')?.hasAttribute('aria-busy')")
    settle(page)


def tick(page: Page, facet: str, value: str) -> None:
    """Choose a value of a facet."""
    box = page.locator(f"#facet-{facet}").get_by_role("checkbox", name=re.compile(rf"^{re.escape(value)}\b"))
    step(page, box.check)


def write(page: Page, label: str, text: str) -> None:
    """Write an expression into a field, and go on with Enter."""
    field = page.get_by_label(label, exact=True)
    field.fill(text)
    step(page, lambda: field.press("Enter"))


def drawing(page: Page) -> FloatRect:
    """Where the plot is."""
    canvas = page.locator("#plot canvas")
    expect(canvas).to_be_visible()
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    return box


def pixels(page: Page) -> str:
    """The plot as it is drawn."""
    return str(page.locator("#plot canvas").evaluate("canvas => canvas.toDataURL()"))


def a_point(page: Page) -> tuple[float, float]:
    """Find a point with the mouse; the mouse rests on it, and its tooltip shows."""
    tooltip = page.locator("#plot .tooltip")
    for x, y in _places(drawing(page)):
        page.mouse.move(x, y)
        if tooltip.is_visible():
            return x, y
    raise AssertionError("no point of the plot has a tooltip")


def _places(box: FloatRect) -> Iterator[tuple[float, float]]:
    for row in range(12):
        for column in range(16):
            yield box["x"] + box["width"] * (0.1 + column * 0.04), box["y"] + box["height"] * (0.15 + row * 0.06)


def sign_in(page: Page, name: str, password: str) -> None:
    """Sign in by the form."""
    page.goto("/sign-in")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
