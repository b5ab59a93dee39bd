"""A browser, two playgrounds that listen, and windows whose complaints fail the test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from playwright.sync_api import Browser, Page, sync_playwright

from assay.playground.accounts.viewer import Role

from .looking import Watch, settle
from .sites import Site, make_home, own_site, team_site

WIDE, PHONE = {"width": 1360, "height": 900}, {"width": 390, "height": 844}
Visit = Callable[..., Page]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The system's browser: never skipped under CI."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    if os.environ.get("CI"):
        raise AssertionError("there is no Chromium, and browser tests are never skipped under CI")
    pytest.skip("there is no Chromium (apt-get install chromium)")


# Of the package and not of the session: while it runs, nothing else in the process may run a loop of its own.
@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Browser]:
    """One browser for the tests of this folder."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that is copied for each server; made once for all test processes."""
    root = tmp_path_factory.getbasetemp()
    root = (root.parent if os.environ.get("PYTEST_XDIST_WORKER") else root) / "playground-home"
    with FileLock(f"{root}.lock"):
        if not (root / "made").exists():
            shutil.rmtree(root, ignore_errors=True)
            make_home(root)
            (root / "made").touch()
    return root / "home"


@pytest.fixture(scope="package")
def own(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The playground of one user."""
    with own_site(template, tmp_path_factory.mktemp("own")) as site:
        yield site


@pytest.fixture(scope="package")
def team(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A playground of several, with accounts."""
    with team_site(template, tmp_path_factory.mktemp("team")) as site:
        yield site


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Open an address in a new window; at the end of the test no window may have had anything to complain about."""
    contexts, watches = [], []

    def open_window(
        site: Site,
        path: str = "/",
        *,
        who: str = "",
        role: Role = Role.CONTRIBUTOR,
        phone: bool = False,
        status: tuple[int, ...] = (),
        **options: Any,
    ) -> Page:
        given = {"viewport": PHONE if phone else WIDE, "color_scheme": "light", "reduced_motion": "reduce", **options}
        context = browser.new_context(base_url=site.address, **given)
        context.set_default_timeout(20_000)
        if who:
            context.add_cookies([site.cookie(who, role)])  # type: ignore[list-item]
        watch = Watch(site.address, status)
        watch.follow(context)
        contexts.append(context)
        watches.append(watch)
        page = context.new_page()
        page.goto(path)
        if options.get("java_script_enabled", True):
            settle(page)
        return page

    yield open_window
    for context in contexts:
        context.close()
    assert [each for watch in watches for each in watch.complaints] == []
