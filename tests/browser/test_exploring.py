"""Ways through the explorer: a first answer, a question put together by hand, comparing, and what helps on the way."""

from __future__ import annotations

import re
import time

from playwright.sync_api import Page, expect

from .conftest import Visit
from .looking import settle
from .sites import Site
from .steps import a_point, drawing, pixels, step, tick, total, write

EDGE = "/explorer?round=v3.0&benchmark=resnet&category=edge&division=closed"


def test_first_visit_to_a_plotted_answer(own: Site, visit: Visit) -> None:
    page = visit(own)
    question = page.get_by_role("form", name="Find the best system")
    for label, value in (
        ("Benchmark", "resnet"),
        ("Category", "edge"),
        ("Scenario", "Offline"),
        ("Figure", "samples_per_joule"),
        ("Round", "v3.0"),
    ):
        question.get_by_label(label).select_option(value)
    begin = time.monotonic()
    question.get_by_role("button", name="Show").click()
    page.wait_for_selector("#plot[data-drawn=yes]")
    assert time.monotonic() - begin < 20
    settle(page)
    first = page.locator("#results tbody tr").first
    expect(first).to_contain_text("Qualcomm")
    expect(first).to_contain_text("gloria_highend")
    expect(first).to_contain_text("315.5")
    bars = own.json(page.locator("#plot").get_attribute("data-view") or "")
    assert round(bars["points"]["y"][0], 1) == 315.5
    # The bar tells the same, and opens the result.
    a_point(page)
    expect(page.locator("#plot .tooltip")).to_contain_text("samples_per_joule")


def test_power_efficiency_of_the_edge_with_a_pareto_front(own: Site, visit: Visit) -> None:
    page = visit(own, "/explorer")
    everything = total(page)
    for facet, value in (("round", "v3.0"), ("category", "edge"), ("benchmark", "resnet"), ("division", "closed")):
        tick(page, facet, value)
    write(page, "Against (x)", "watts")
    write(page, "Colour", "accelerator")
    for switch in ("Pareto front", "log x", "log y"):
        step(page, page.get_by_role("checkbox", name=switch).check)
    assert 0 < total(page) < everything
    before, address = total(page), page.url

    a_point(page)
    expect(page.locator("#plot .tooltip")).to_contain_text("watts")
    other = visit(own, address.removeprefix(own.address))
    page.mouse.move(0, 0)
    assert other.locator("#results").inner_text() == page.locator("#results").inner_text()
    assert pixels(other) == pixels(page)

    box = drawing(page)
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5, steps=4)
    expect(page.locator("#plot .brush")).to_be_visible()
    step(page, page.mouse.up)
    assert re.search(r"watts\) >= .*watts\) <= ", page.get_by_label("Filter", exact=True).input_value())
    assert 0 < total(page) < before
    step(page, page.go_back)
    assert page.url == address
    assert total(page) == before
    assert page.get_by_label("Filter", exact=True).input_value() == ""

    x, y = a_point(page)
    system = page.locator("#plot .tooltip strong").inner_text().rpartition(" · ")[2]
    page.mouse.click(x, y)
    page.wait_for_url("**/results/*")
    expect(page.get_by_role("main")).to_contain_text(system)
    settle(page)
    page.go_back()
    page.wait_for_url(address)
    settle(page)
    assert total(page) == before


def test_compare_two(own: Site, visit: Visit) -> None:
    page = visit(own, own.place("result"))
    page.get_by_role("link", name="Compare", exact=True).click()
    settle(page)
    uid = own.place("compare").rpartition("=")[2]
    page.goto(own.place("compare"))
    settle(page)
    table = page.get_by_role("region", name="Results beside each other")
    expect(table).to_contain_text("gloria_highend")
    expect(table).to_contain_text("watts")
    rows = table.locator("tbody tr").count()
    page.get_by_role("link", name="Show only what differs").click()
    settle(page)
    assert 0 < table.locator("tbody tr").count() < rows
    page.get_by_role("link", name="take away A").click()
    settle(page)
    assert page.url.endswith(uid) or f"{uid}&" in page.url


def test_completion_with_the_keyboard_and_a_mistake_at_its_character(own: Site, visit: Visit) -> None:
    page = visit(own, EDGE, status=(400,))
    field = page.get_by_label("Filter", exact=True)
    field.focus()
    page.keyboard.type("wat")
    options = page.get_by_role("listbox", name="Suggestions").get_by_role("option")
    expect(options.first).to_contain_text("watts")
    page.keyboard.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    assert field.input_value().startswith("watts")
    field.fill("watts << 4")
    step(page, lambda: page.keyboard.press("Enter"))
    expect(field).to_have_attribute("aria-invalid", "true")
    alert = page.get_by_role("alert")
    expect(alert.locator("pre")).to_contain_text("watts << 4")
    assert alert.locator("mark").inner_text().startswith("<")
    write(page, "Filter", "watts < 4")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_suggestion_taken_while_the_next_are_under_way(own: Site, visit: Visit) -> None:
    page = visit(own, EDGE)
    page.get_by_label("Filter", exact=True).focus()
    page.keyboard.type("acc")
    first = page.get_by_role("listbox", name="Suggestions").get_by_role("option").first
    expect(first).to_be_visible()
    told = str(first.locator("code").text_content())
    page.route("**/complete.json*", lambda _each: None)
    page.keyboard.type(told[3:5])
    page.wait_for_timeout(200)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.get_by_label("Filter", exact=True).input_value() == told + " "
    page.unroute_all()


def test_suggestions_of_the_search(own: Site, visit: Visit) -> None:
    page = visit(own)
    page.keyboard.press("/")
    page.keyboard.type("gloria")
    options = page.get_by_role("option")
    expect(options.first).to_be_visible()
    page.keyboard.press("ArrowDown")
    told = options.first.inner_text()
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: url != own.address + "/")
    settle(page)
    assert "gloria" in told
    expect(page.get_by_role("main")).to_contain_text("gloria")


def test_a_view_is_saved_and_comes_back(own: Site, visit: Visit) -> None:
    page = visit(own, f"{EDGE}&x=watts&pareto=1")
    before = total(page)
    page.get_by_role("link", name="save", exact=True).click()
    page.get_by_label("Title").fill("Edge and its watts")
    page.get_by_role("button", name="Save").click()
    settle(page)
    _again(page, before)
    page.goto("/views")
    page.get_by_role("link", name="Edge and its watts").click()
    settle(page)
    _again(page, before)


def _again(page: Page, before: int) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("Edge and its watts")
    assert total(page) == before
    expect(page.get_by_role("checkbox", name="Pareto front")).to_be_checked()
