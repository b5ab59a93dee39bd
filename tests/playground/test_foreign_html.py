from __future__ import annotations

import pytest

from assay.playground.foreign_html import harmless


def test_plain_tags_stay_and_headings_go_down() -> None:
    text = '<h1>Hi</h1><p>See <a href="https://x.example">this</a></p><ul><li>a</li></ul><h6>end</h6>'
    assert harmless(text) == (
        '<h2>Hi</h2><p>See <a href="https://x.example" rel="nofollow noopener noreferrer">this</a></p>'
        "<ul><li>a</li></ul><h6>end</h6>"
    )


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '<a href="javascript:alert(1)">x</a>',
        '<a href="//evil.example">x</a>', '<a href="/challenges/x/leave">x</a>', "<iframe src=https://e.example></iframe>",
        '<p style="position:fixed" class="top" id="main" onclick="alert(1)">x</p>', "<form action=/x><input name=csrf>",
        "<!-- <b> --><svg><script>alert(1)</script></svg>", "<h1 id=main>x</h1>", "<math><mtext><style><img src=x>",
    ],
)  # fmt: skip
def test_everything_else_is_taken_out(attack: str) -> None:
    found = harmless(attack)
    for word in (
        "alert",
        "<img",
        "evil",
        "/leave",
        "iframe",
        "style",
        "class",
        "id=",
        "<form",
        "<input",
        "svg",
        "<!--",
    ):
        assert word not in found
