"""Every page: nothing to complain about, no barrier in light, dark or on a phone, one heading, landmarks, a title."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page

from .conftest import PHONE, Visit
from .looking import barriers, settle, too_wide
from .sites import LIVE, LONG, Site

EDGE = "/explorer?per=25&round=v3.0&benchmark=resnet&category=edge"
OWN = {
    "home": "/",
    "explorer": "/explorer",
    "explorer points": f"{EDGE}&x=watts&y=samples_per_second&color=accelerator&xlog=1&ylog=1&pareto=1",
    "explorer bars": f"{EDGE}&scenario=Offline&y=samples_per_joule&mark=bar&best=1",
    "explorer lines": "/explorer?per=25&benchmark=resnet&mark=line&color=category",
    "explorer boxes": "/explorer?per=25&benchmark=bert-99&mark=box&x=round&ylog=1",
    "explorer heat": "/explorer?per=25&round=v3.0&mark=heat&x=benchmark&y=scenario",
    "explorer small plots": "/explorer?per=25&benchmark=resnet&facet=scenario&x=watts&color=round",
    "explorer mistake": f"{EDGE}&filter=watts+%3C%3C+4&y=wats",
    "explorer nothing": f"{EDGE}&filter=watts+%3E+1e12",
    "explorer unofficial": "/explorer?include=local&include=inferred&origin=local",
    "embed": f"/embed{EDGE}&x=watts",
    "result": "result",
    "result unofficial": f"/results/{LONG.uid}",
    "compare": "compare",
    "compare nothing": "/compare",
    "systems": "/systems",
    "system": "/systems/Qualcomm/gloria_highend-qaic-v1.8.3.7-aic100",
    "organisations": "/organisations",
    "organisation": "/organisations/NVIDIA",
    "benchmarks": "/benchmarks",
    "benchmark": "/benchmarks/resnet",
    "rounds": "/rounds",
    "round": "/rounds/v3.0",
    "runs": "/runs",
    "run": "run",
    "run live": f"/runs/{LIVE}",
    "challenges": "/challenges",
    "challenge": "/challenges/summer",
    "challenge shipped": "/challenges/optimize-mlperf-inference-v3.1",
    "challenge document": "/challenges/summer/docs/more",
    "contributors": "/contributors",
    "contributor": "/contributors/ada",
    "reports": "/reports",
    "report": "/reports/again",
    "report form": "/reports/new?result={best}",
    "submit": "/submit",
    "uploads": "/uploads",
    "upload accepted": "accepted",
    "upload refused": "refused",
    "search": "/search?q=orin",
    "search nothing": "/search?q=zzzz",
    "getting started": "/getting-started",
    "documentation": "/docs",
    "document": "/docs/reference/expressions",
    "api": "/api",
    "views": "/views",
    "view": f"/views/new{EDGE.removeprefix('/explorer')}",
    "sign in of one": "/sign-in",
}
TEAM = {
    "anybody's home": ("", "/"),
    "sign in": ("", "/sign-in"),
    "sign up": ("", "/sign-up"),
    "account": ("ada", "/account"),
    "submit": ("ada", "/submit"),
    "submit for anybody": ("", "/submit"),
    "people": ("Maria", "/people"),
    "audit": ("Maria", "/people/audit"),
    "private challenge": ("Maria", "/challenges/hush"),
}
FAILURES = {404: "/no-such-page", 400: "/compare?result=0&result=0", 422: "/systems?page=0"}


def address(site: Site, path: str) -> str:
    if not path.startswith("/"):
        return site.place(path)
    best = site.place("result").removeprefix("/results/") if "{best}" in path else ""
    return path.replace("{best}", best)


def check(page: Page, within: str = "") -> None:
    """In light, in dark, and on a phone; barriers are looked for below a selector, or everywhere."""
    assert page.locator("h1").count() == 1 or "/embed/" in page.url
    assert page.title().strip()
    assert page.get_by_role("main").count() == 1
    if "/embed/" not in page.url:
        assert page.get_by_role("banner").count() == page.get_by_role("contentinfo").count() == 1
        assert page.get_by_role("navigation", name="Main").count() == 1
    assert barriers(page, within=within) == []
    assert too_wide(page) == []
    page.emulate_media(color_scheme="dark")
    settle(page)
    assert barriers(page, "color-contrast", "link-in-text-block", within=within) == [], "in the dark"
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    settle(page)
    assert too_wide(page) == [], "on a phone"
    assert barriers(page, "target-size", "scrollable-region-focusable", within=within) == [], "on a phone"


@pytest.mark.parametrize("name", OWN)
def test_a_page(own: Site, visit: Visit, name: str) -> None:
    page = visit(own, address(own, OWN[name]), status=(400,) if "mistake" in name else ())
    # The facets are the same in all of them, and many.
    check(page, ".content" if name.startswith("explorer ") else "")


@pytest.mark.parametrize("name", TEAM)
def test_a_page_of_a_server_with_accounts(team: Site, visit: Visit, name: str) -> None:
    who, path = TEAM[name]
    check(visit(team, path, who=who))


@pytest.mark.parametrize("status", FAILURES)
def test_a_page_that_says_what_is_wrong(own: Site, visit: Visit, status: int) -> None:
    page = visit(own, FAILURES[status], status=(status,))
    assert re.search(r"\S", page.get_by_role("heading", level=1).inner_text())
    check(page)
