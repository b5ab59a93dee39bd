"""What moves: a run while it goes on, and fifty thousand points under the mouse."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import expect

from assay.base.settings import Settings
from assay.results.plots import MOST_POINTS
from assay.results.store import update

from .conftest import Visit
from .looking import settle
from .sites import Running, Site, serving
from .steps import a_point, drawing, step, total

MORE = 7
"""Scattered copies of each row that is shown without asking for more: 68,000 rows in all."""
FRAME_MS = 250
"""Where others work at the same time; alone it is a tenth."""


def test_a_run_is_followed_until_it_ends(own: Site, visit: Visit) -> None:
    run = Running(own.settings, "20260102-000000-another-offline-performance-0002")
    page = visit(own, f"/runs/{run.name}")
    done, share = page.locator("[data-live=done]"), page.locator("[data-live=share]")
    expect(done).to_have_text("360")
    listed = visit(own, "/runs")
    bar = listed.get_by_label(f"Progress of {run.name}")
    before = share.evaluate("bar => bar.value"), bar.evaluate("bar => bar.value")
    run.look(6)
    expect(done).to_have_text("900")
    expect(page.locator("[data-live=rate]")).to_have_text("190")
    expect(page.locator("[data-live=spark] polyline")).to_have_attribute("points", re.compile(r"\d,\d"))
    listed.wait_for_function("([bar, before]) => bar.value !== before", arg=[bar.element_handle(), before[1]])
    assert share.evaluate("bar => bar.value") > before[0]
    run.end()
    expect(page.locator("#live")).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_contain_text("VALID")
    settle(page)
    expect(bar).to_have_count(0)
    settle(listed)


@pytest.fixture
def crowded(tmp_path: Path) -> Iterator[Site]:
    """A playground over more points than a plot takes."""
    settings = Settings(home=tmp_path / "home")
    path = update(settings)
    figures = ", ".join(
        f"{name} * (0.7 + 0.6 * random()) AS {name}" for name in ("value", "samples_per_second", "watts")
    )
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "INSERT INTO rows BY NAME SELECT r.* EXCLUDE (i) REPLACE (substr(sha256(r.uid || i), 1, 16) AS uid, "
            f"{figures}, location || '/' || i AS location) FROM (SELECT rows.*, i FROM rows, range(1, ?) t(i) "
            "WHERE method = 'measured' AND official) r",
            [MORE + 1],
        )
    with serving(settings, tmp_path, single_user=True) as site:
        yield site


def test_fifty_thousand_points_stay_fluid(crowded: Site, visit: Visit) -> None:
    page = visit(crowded, "/explorer?x=accuracy&y=samples_per_second&ylog=1&color=benchmark")
    before = total(page)
    assert before > MOST_POINTS
    expect(page.locator("#plot-note")).to_contain_text(re.compile("[45]\\d,\\d{3} of 6"))
    a_point(page)
    box = drawing(page)
    took: list[float] = page.evaluate(
        """async ([left, top, width, height]) => {
          const canvas = document.querySelector("#plot .canvas"), took = [];
          for (let i = 0; i < 30; i += 1) {
            const begin = performance.now();
            canvas.dispatchEvent(new PointerEvent("pointermove", {
              bubbles: true, clientX: left + width * (0.2 + i * 0.02), clientY: top + height * (0.3 + (i % 7) * 0.05) }));
            await new Promise(requestAnimationFrame);
            await new Promise(done => setTimeout(done, 0));
            took.push(performance.now() - begin);
          }
          return took;
        }""",
        [box["x"], box["y"], box["width"], box["height"]],
    )
    assert statistics.median(took) < FRAME_MS, took
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.3)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.6, steps=8)
    expect(page.locator("#plot .brush")).to_be_visible()
    step(page, page.mouse.up)
    assert 0 < total(page) < before
