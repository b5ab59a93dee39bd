from __future__ import annotations

import pytest

from assay.playground.authored import authored, without_title


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("# The Title\n\nx", "\nx"),
        ("# Other\nx", "# Other\nx"),
        ("The Title\nx", "The Title\nx"),
        ("# The Title", ""),
        ("", ""),
    ],
)
def test_a_title_that_the_page_shows_is_not_shown_twice(text: str, left: str) -> None:
    assert without_title(text, "The Title") == left


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("# T\n\n## a\n\n### b\n", ["h2", "h3"]),
        ("# a\n\n## b\n", ["h2", "h3"]),
        ("### a\n\n#### b\n", ["h2", "h3"]),
        ("no heading", []),
    ],
)
def test_headings_begin_below_the_pages_title(text: str, tags: list[str]) -> None:
    html = authored(text, "T")
    assert [tag for tag in ("h1", "h2", "h3", "h4", "h5") if f"<{tag} " in html] == tags


def test_nothing_of_it_can_do_anything() -> None:
    html = authored(
        "# T\n<script>alert(1)</script> [x](javascript:alert(1)) [y](a.md)", link=lambda given: f"/to/{given}"
    )
    assert "<script" not in html
    assert "javascript:alert(1)" not in html.replace("&lt;", "") or 'href="javascript' not in html
    assert 'href="/to/a.md"' in html
