from __future__ import annotations

import os
from pathlib import Path

from assay.community.documents import read_texts, stamp_of, title_of


def test_the_readme_goes_first_then_docs_by_name(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    for name in ("docs/b.md", "docs/a.md", "docs/.hidden.md", "docs/x.txt", "README.md", "info.html"):
        (tmp_path / name).write_text(f"# {name}\n")
    texts, wrong = read_texts(tmp_path)
    assert [each.name for each in texts] == ["README.md", "docs/a.md", "docs/b.md"]
    assert not wrong


def test_without_a_readme_there_is_info_html(tmp_path: Path) -> None:
    (tmp_path / "info.html").write_text("<p>")
    assert [each.name for each in read_texts(tmp_path)[0]] == ["info.html"]


def test_what_is_too_large_no_text_or_elsewhere_is_told_and_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "entry"
    (folder / "docs").mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    (folder / "README.md").symlink_to(tmp_path / "secret")
    (folder / "docs" / "large.md").write_bytes(b"x" * ((1 << 20) + 1))
    (folder / "docs" / "binary.md").write_bytes(b"\xff\xfe")
    os.mkfifo(folder / "docs" / "pipe.md")
    texts, wrong = read_texts(folder)
    assert texts == []
    assert len(wrong) == 4
    assert "link that leaves" in wrong[0]


def test_docs_that_are_a_link_are_not_looked_into(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.md").write_text("a")
    (tmp_path / "entry").mkdir()
    (tmp_path / "entry" / "docs").symlink_to(tmp_path / "elsewhere")
    assert read_texts(tmp_path / "entry") == ([], [])


def test_another_content_is_another_stamp(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("one")
    before = stamp_of(tmp_path)
    (tmp_path / "docs" / "a.md").write_text("other")
    assert stamp_of(tmp_path) != before


def test_titles() -> None:
    assert title_of("\n## A title \ntext", "docs/x.md") == "A title"
    assert title_of("text", "docs/some-name.md") == "some-name"
