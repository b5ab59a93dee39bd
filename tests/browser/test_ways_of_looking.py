"""Other ways to use it: in the dark, on a phone, with the keyboard alone, without scripts."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect
from tests.playground.conftest import PASSWORD
from tests.playground.sending import packed

from .conftest import Visit
from .looking import settle
from .sites import Site, tree_of
from .steps import a_point, drawing, sign_in, total

EDGE = "/explorer?round=v3.0&benchmark=resnet&category=edge&division=closed&x=watts"


def _ground(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))


def test_the_side_that_was_chosen_stays(own: Site, visit: Visit) -> None:
    page = visit(own, EDGE)
    light, drawn = _ground(page), page.locator("#plot canvas").evaluate("canvas => canvas.toDataURL()")
    page.get_by_role("button", name="Change between light and dark").click()
    dark = _ground(page)
    assert dark != light
    page.wait_for_function("drawn => document.querySelector('#plot canvas')?.toDataURL() !== drawn", arg=drawn)
    for path in ("/", "/rounds/v3.0", own.place("result")):
        page.goto(path)
        assert _ground(page) == dark, path
        settle(page)
    page.get_by_role("button", name="Change between light and dark").click()
    page.goto("/")
    assert _ground(page) == light
    system = visit(own, "/", color_scheme="dark")
    assert _ground(system) == dark


def test_on_a_phone(own: Site, visit: Visit) -> None:
    page = visit(own, "/", phone=True, has_touch=True)
    menu = page.get_by_role("navigation", name="Main")
    expect(menu).not_to_be_visible()
    page.get_by_label("Menu", exact=True).tap()
    expect(menu).to_be_visible()
    menu.get_by_role("link", name="Explorer").tap()
    page.wait_for_url("**/explorer")
    settle(page)
    facets = page.locator("#facets > summary")
    expect(page.locator("#facet-round")).not_to_be_visible()
    facets.tap()
    page.locator("#facet-round").get_by_role("checkbox", name="v3.0").tap()
    page.wait_for_url("**round=v3.0**")
    settle(page)
    assert drawing(page)["width"] <= 390
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def _focused(page: Page) -> str:
    return str(
        page.evaluate(
            "() => { const each = document.activeElement; const style = getComputedStyle(each);"
            "return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 ? 'seen' : each.outerHTML.slice(0, 120); }"
        )
    )


def _tab_to(page: Page, selector: str, most: int = 60) -> None:
    """Press Tab until something has the focus; wherever the focus is on the way, it is seen."""
    for _each in range(most):
        page.keyboard.press("Tab")
        assert _focused(page) == "seen"
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"the keyboard does not come to {selector}")


def test_with_the_keyboard_alone(own: Site, visit: Visit) -> None:
    page = visit(own, "/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    _tab_to(page, "nav a[href='/explorer']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/explorer")
    settle(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    _tab_to(page, "input[name=round][value='v3.0']")
    page.keyboard.press("Space")
    page.wait_for_url("**round=v3.0**")
    page.wait_for_function("() => !document.getElementById('explorer').hasAttribute('aria-busy')")
    settle(page)
    before = total(page)
    # The page was changed in place, and the keyboard is where it was.
    assert page.evaluate("document.activeElement.matches(\"input[name=round][value='v3.0']\")")
    _tab_to(page, "#e-filter", 200)
    page.keyboard.type("accel")
    expect(page.get_by_role("option").first).to_have_text(re.compile(r"accelerator\b"))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.type('== "Jetson AGX Orin"')
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    page.wait_for_url("**filter=**")
    page.wait_for_function("() => !document.getElementById('explorer').hasAttribute('aria-busy')")
    settle(page)
    assert total(page) < before
    _tab_to(page, "#results tbody a[href^='/results/']", 60)
    page.keyboard.press("Enter")
    page.wait_for_url("**/results/*")
    settle(page)


def test_without_scripts(own: Site, team: Site, visit: Visit, tmp_path: Path) -> None:
    page = visit(own, "/", java_script_enabled=False)
    page.get_by_label("Figure").select_option("samples_per_joule")
    page.get_by_role("form", name="Find the best system").get_by_role("button", name="Show").click()
    expect(page.locator("#results tbody tr").first).to_contain_text("gloria_highend")
    picture = page.get_by_role("img", name="Plot of the results")
    expect(picture).to_be_visible()
    assert page.request.get(own.address + str(picture.get_attribute("src"))).ok
    page.locator("#facet-accelerator > summary").click()
    page.locator("#facet-accelerator").get_by_role("checkbox", name="Jetson AGX Orin").check()
    page.locator("aside").get_by_role("button", name="Show").click()
    expect(page.locator("#results tbody tr").first).to_contain_text("NVIDIA")
    page.locator("#results tbody a", has_text="open").first.click()
    expect(page.get_by_role("main")).to_contain_text("Orin_TRT_MaxQ of NVIDIA")

    team.add("Kim")
    page = visit(team, "/", java_script_enabled=False)
    sign_in(page, "Kim", PASSWORD)
    page.goto("/submit")
    archive = tmp_path / "plain.tar.gz"
    archive.write_bytes(packed(tree_of(tmp_path / "tree", "Kim").root))
    page.get_by_label("An archive").set_input_files(archive)
    page.get_by_role("button", name="Send in").click()
    page.wait_for_url("**/uploads/*")
    assert team.app.state.uploads.drained(60)
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_contain_text("accepted")


def test_the_plot_is_found_with_the_mouse_in_an_embedded_view(own: Site, visit: Visit) -> None:
    page = visit(own, f"/embed{EDGE}")
    a_point(page)
