from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path

import pytest

from assay.rules.findings import finding_kind
from assay.rules.submission import Level
from assay.submission.check import check
from assay.submission.report import write
from assay.submission.report.html import render

from ..smalltree import build, change_log
from .made import RESULT, SYSTEM, finding, refused, report, result

_WHEN = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
_VOID = {"meta", "wbr", "br"}


class Page(HTMLParser):
    """A page as lists of tags and text; fails on tags that are not nested well."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.text))


def page(made: object) -> Page:
    return Page(render(made, written=_WHEN))  # type: ignore[arg-type]


def test_both_verdicts_results_and_findings_are_told() -> None:
    found = page(refused())
    assert "Official verdict refused submission_checker.py v3.0 2 results taken 2 places refused" in found.words
    assert "Strict verdict refused the written rules of v3.0 1 result taken 2 places refused" in found.words
    assert re.search(r"resnet50\s*resnet\s*Offline\s*1,234 samples/s", found.words)
    assert "1,234 samples/s" in found.words
    assert "76.014" in found.words
    assert "76.01400000000001" not in found.words
    kind = finding_kind("seed-wrong")
    for text in (kind.explain, "Use the seeds of the round.", "inference_rules.adoc, seeds", "10003631887983097364"):
        assert text in found.words
    assert f"{RESULT}/performance/run_1/mlperf_log_detail.txt:12" in found.words
    assert "2026-01-02 03:04 UTC" in found.words


def test_the_page_needs_nothing_else() -> None:
    source = render(refused(), written=_WHEN)
    found = Page(source)
    assert not {"script", "link", "img", "iframe", "form"} & {tag for tag, _ in found.tags}
    for _, attributes in found.tags:
        assert not any(name.startswith("on") or name in ("src", "style") for name in attributes)
        assert (attributes.get("href") or "#").startswith("#")
    assert "url(" not in source
    assert "@import" not in source
    policy = next(each["content"] for each in found.all("meta") if "http-equiv" in each)
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")


def test_links_lead_to_places_inside_what_they_open() -> None:
    """A browser opens the ``details`` around a target, not one that is the target itself."""
    found = page(refused())
    places = [attributes["id"] for _, attributes in found.tags if attributes.get("id")]
    assert len(places) == len(set(places))
    links = {(each["href"] or "")[1:] for each in found.all("a")}
    assert links <= set(places)
    assert {"code-seed-wrong", "submitter-1"} <= links
    assert not any("id" in each for each in found.all("details"))


def test_tables_say_what_they_are() -> None:
    found = page(refused())
    tables = len(found.all("table"))
    assert tables == len(found.all("caption")) == 7
    assert all(each.get("scope") in ("col", "row", "rowgroup") for each in found.all("th"))
    scrolling = [each for each in found.all("div") if each.get("class") == "scroll"]
    assert len(scrolling) == tables
    assert all(
        each.get("tabindex") == "0" and (each.get("aria-label") or each.get("aria-labelledby")) for each in scrolling
    )
    assert [each for tag, each in found.tags if tag == "html"] == [{"lang": "en"}]
    assert len(found.all("h1")) == len(found.all("main")) == 1


def test_an_empty_tree() -> None:
    found = page(report([], []))
    assert "Nothing: no rule has anything to say" in found.words
    assert "No result is in the tree." in found.words
    assert "Official verdict accepted" in found.words


def test_columns_without_a_word_are_left_out() -> None:
    headings = page(report([finding(detail="why")])).words
    assert "Place Remark" in headings.replace("PlaceRemark", "Place Remark")
    assert "Expected" not in headings


def test_levels_that_differ_are_told_apart() -> None:
    found = page(report([finding(), finding(official=Level.NOTE), finding(official=Level.NOTE)]))
    assert "1 of 3" in found.words
    assert "the gravest first." in found.words


def test_ten_thousand_findings_stay_usable() -> None:
    findings = [finding(line=number + 1, field=f"key-{number}", found="x" * 60) for number in range(10_000)]
    results = [result(f"{SYSTEM}/model-{number}/Offline", strict=number != 999) for number in range(1000)]
    source = render(report(findings, results), written=_WHEN)
    assert len(source) < 500_000
    found = Page(source)
    assert "The first 100 of 10,000 places with seed-wrong" in found.words
    assert "9,900 more places not listed here; assay check --all lists every one" in found.words
    assert (
        "700 more results not listed here (0 refused by the official verdict, 0 refused by the strict verdict)"
        in found.words
    )
    assert "model-999" in found.words  # what is refused is listed first
    assert all("open" not in each for each in found.all("details"))


def test_long_lists_of_refused_places_end() -> None:
    places = tuple(f"{SYSTEM}/m{number}" for number in range(5000))
    found = page(report([], official=places))
    assert "5,000 places refused" in found.words
    assert "4,900 more places; assay check --json lists all of them" in found.words


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    evil = "\"><script>alert(1)</script>\udcff\x00\u202e'{{7*7}}</style>&lt;"
    name = evil.replace("/", "|")
    path = f"closed/{name}/results/{name}/{name}/{name}"
    one = finding(
        path=path, result=path, title=evil, fix=evil, field=evil, found=evil, expected=evil, detail=evil, source=evil
    )
    made = report(
        [one],
        [result(path, official=False, system_name=evil, accuracy=evil, unit=evil, benchmark=evil)],
        official=(path, evil),
        root=f"/{evil}",
        tool=evil,
        round=evil,
    )
    target = tmp_path / "page.html"
    write("html", made, target)
    found = Page(target.read_text(encoding="utf-8"))
    assert not found.all("script")
    assert len(found.all("style")) == 1
    assert evil.replace("\udcff\x00\u202e", "\ufffd" * 3) in "".join(found.text)
    assert list(tmp_path.iterdir()) == [target]


def test_a_real_tree(tmp_path: Path) -> None:
    tree = build(tmp_path / "tree", "v3.0")
    change_log(tree.run_log("Offline"), result_validity="INVALID")
    made = check(tmp_path / "tree", "v3.0", jobs=1)
    found = page(made)
    assert "2 results taken" in found.words
    assert any("open" in each for each in found.all("details"))
    assert {f"code-{each.code}" for each in made.findings} <= {each.get("id") for each in found.all("div")}


# ---- colours


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, two: str) -> float:
    light, dark = sorted((luminance(one), luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_contrast_is_enough(scheme: int) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1 for text."""
    style = resources.files("assay.submission.report").joinpath("templates", "check.css").read_text(encoding="utf-8")
    colours = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6})", style.split(":root")[scheme + 1].partition("}")[0]))
    on_card = [(name, "card") for name in ("ink", "ink-2", "quiet", "link")]
    on_paper = [(name, "paper") for name in ("ink", "ink-2", "quiet", "link")]
    chips = [(name, f"{name}-2") for name in ("good", "bad", "warn")]
    for text, ground in (*on_card, *on_paper, *chips, ("ink-2", "line")):
        assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
