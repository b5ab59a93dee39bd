"""Taking part: from a challenge to its leaderboard, sending in what holds and what does not, and what stays private."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect
from tests.playground.conftest import PASSWORD
from tests.playground.pages import together
from tests.playground.sending import packed, spoilt_tree

from .conftest import Visit
from .looking import settle
from .sites import Site, tree_of
from .steps import sign_in


def test_from_a_challenge_to_its_leaderboard(team: Site, visit: Visit, tmp_path: Path) -> None:
    team.add("Greta")
    page = visit(team, "/challenges")
    page.get_by_role("link", name="Summer tour").first.click()
    expect(page.get_by_role("link", name="Sign in to join")).to_be_visible()
    sign_in(page, "Greta", PASSWORD)
    page.goto("/challenges/summer")
    page.get_by_role("button", name="Join as Greta").click()
    expect(page.get_by_role("button", name="Leave the challenge")).to_be_visible()
    settle(page)
    upload = team.send(tree_of(tmp_path / "tree", "Greta").root, team.token("Greta"), challenge="summer")
    team.refresh()
    page.goto(upload)
    expect(page.get_by_role("heading", level=1)).to_contain_text("accepted")
    page.goto("/challenges/summer")
    settle(page)
    row = page.locator("table tbody tr", has_text="Greta").first
    expect(row).to_be_visible()
    row.get_by_role("link", name="Greta").click()
    settle(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Greta")


def _send_in(page: Page, archive: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_label("An archive").click()
    chooser.value.set_files(archive)
    expect(page.locator("#chosen")).to_contain_text(archive.name)
    page.get_by_role("button", name="Send in").click()
    page.wait_for_url("**/uploads/*", timeout=60_000)


def test_an_upload_is_accepted(team: Site, visit: Visit, tmp_path: Path) -> None:
    archive = tmp_path / "results.tar.gz"
    archive.write_bytes(packed(tree_of(tmp_path / "tree", "Hans").root))
    page = visit(team, "/submit", who="Hans")
    _send_in(page, archive)
    expect(page.get_by_role("heading", level=1)).to_contain_text("accepted", timeout=60_000)
    settle(page)
    team.refresh()
    page.get_by_role("main").locator("a[href^='/results/']").first.click()
    settle(page)
    expect(page.get_by_role("main")).to_contain_text("unofficial")


def test_a_folder_is_packed_by_the_browser(team: Site, visit: Visit, tmp_path: Path) -> None:
    tree = tree_of(tmp_path / "a folder", "Ida")
    page = visit(team, "/submit", who="Ida")
    page.locator("#folder").set_input_files(tree.root)
    expect(page.locator("#chosen")).to_contain_text("packed when it is sent")
    page.get_by_role("button", name="Send in").click()
    page.wait_for_url("**/uploads/*", timeout=60_000)
    expect(page.get_by_role("heading", level=1)).to_contain_text("accepted", timeout=60_000)
    settle(page)


def test_an_upload_is_rejected_with_its_findings(team: Site, visit: Visit, tmp_path: Path) -> None:
    archive = tmp_path / "spoilt.tar.gz"
    archive.write_bytes(packed(spoilt_tree(tmp_path / "tree").root))
    page = visit(team, "/submit", who="Jo")
    _send_in(page, archive)
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile("refused|partly|accepted"), timeout=60_000)
    settle(page)
    finding = page.locator("li.finding", has_text="INVALID").first
    expect(finding).to_contain_text("mlperf_log_detail.txt")
    finding.locator("a.code").first.click()
    settle(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile("finding", re.IGNORECASE))


def test_what_is_no_archive_is_said_in_place(team: Site, visit: Visit, tmp_path: Path) -> None:
    path = tmp_path / "words.tar.gz"
    path.write_text("no archive")
    page = visit(team, "/submit", who="Jo", status=(400,))
    with page.expect_file_chooser() as chooser:
        page.get_by_label("An archive").click()
    chooser.value.set_files(path)
    page.get_by_role("button", name="Send in").click()
    expect(page.locator("#refused, h1:has-text('refused')").first).to_be_visible(timeout=60_000)


def test_what_is_private_is_there_for_members_only(team: Site, visit: Visit) -> None:
    member = visit(team, "/challenges/hush", who="Mallory")
    expect(member.get_by_role("heading", level=1)).to_have_text("The hush prize")
    assert "hush box" in member.get_by_role("main").inner_text()
    uid = next(each.uid for each in together.ROWS if each.system == "hush box")
    member.goto(f"/results/{uid}")
    settle(member)
    expect(member.get_by_role("main")).to_contain_text("hush box")

    other = visit(team, "/challenges", who="Otto", status=(404,))
    assert "hush" not in other.get_by_role("main").inner_text().casefold()
    for path in ("/challenges/hush", f"/results/{uid}"):
        answer = other.goto(path)
        assert answer is not None
        assert answer.status == 404
    other.goto("/explorer?include=local&origin=local&include=refused&include=inferred")
    settle(other)
    assert "hush" not in other.content()
    other.goto("/search?q=hush+box")
    settle(other)
    expect(other.get_by_role("main")).not_to_contain_text("hush prize")
    expect(other.locator("a[href*='00112233445566bb']")).to_have_count(0)


def test_an_account_is_made_and_makes_a_token(team: Site, visit: Visit) -> None:
    page = visit(team, "/sign-up")
    page.get_by_label("Name", exact=True).fill("newcomer")
    for field in page.locator("main input[type=password]").all():
        field.fill(PASSWORD)
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url(lambda url: not url.endswith("/sign-up"))
    page.goto("/account")
    page.get_by_label("What it is for").fill("laptop")
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_role("heading", name="The new token")).to_be_visible()
    settle(page)
    page.reload()
