"""The documentation as files: which pages there are, where links lead, and that nothing else is ever given."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.errors import NotFoundError
from assay.playground.documents import Documents, address_of, docs_folder, documents, read_documents


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    docs = tmp_path / "docs"
    for name, text in {
        "index.md": "# Start",
        "getting-started.md": "# Getting started",
        "zebra.md": "no heading",
        "tutorials/one.md": "# One",
        "reference/cli.md": "<!-- made -->\n# Commands",
        "reference/schemas/round.json": "{}",
        "images/a.png": "png",
        "images/a.txt": "text",
        "private/x.md": "# Not a section",
        "generate.py": "code",
    }.items():
        (docs / name).parent.mkdir(parents=True, exist_ok=True)
        (docs / name).write_text(text)
    (tmp_path / "secret.md").write_text("# Secret")
    (docs / "tutorials" / "link.md").symlink_to(tmp_path / "secret.md")
    (docs / "images" / "link.png").symlink_to(tmp_path / "secret.md")
    return docs


@pytest.fixture
def library(folder: Path) -> Documents:
    return read_documents(folder)


def test_pages_come_in_reading_order(library: Documents) -> None:
    assert [(page.path, page.title) for page in library.pages] == [
        ("index", "Start"),
        ("getting-started", "Getting started"),
        ("tutorials/one", "One"),
        ("reference/cli", "Commands"),
        ("zebra", "Zebra"),
    ]


def test_only_pictures_and_schemas_are_given_and_no_links_out(library: Documents) -> None:
    assert set(library.files) == {"images/a.png", "reference/schemas/round.json"}


def test_a_page_is_found_by_its_whole_path_alone(library: Documents) -> None:
    assert library.page("tutorials/one").title == "One"
    for path in ("tutorials/link", "../secret", "private/x", "/etc/passwd", "tutorials/one.md", ""):
        with pytest.raises(NotFoundError):
            library.page(path)


def test_pages_have_neighbours(library: Documents) -> None:
    first, last = library.pages[0], library.pages[-1]
    assert library.around(first) == (None, library.pages[1])
    assert library.around(last) == (library.pages[-2], None)


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("../index.md", "/docs"),
        ("../getting-started.md", "/getting-started"),
        ("../reference/cli.md#a-b", "/docs/reference/cli#md-a-b"),
        ("one.md", "/docs/tutorials/one"),
        ("../images/a.png", "/docs/images/a.png"),
        ("../reference/schemas/round.json", "/docs/reference/schemas/round.json"),
        ("../../README.md", None),
        ("../generate.py", None),
        ("link.md", None),
        ("../../secret.md", None),
    ],
)
def test_links_lead_to_pages(library: Documents, given: str, address: str | None) -> None:
    assert library.linked(library.page("tutorials/one"), given) == address


def test_addresses() -> None:
    assert [address_of(each) for each in ("index", "getting-started", "how-to/a b")] == [
        "/docs",
        "/getting-started",
        "/docs/how-to/a%20b",
    ]


def test_this_installation_has_its_documentation() -> None:
    assert docs_folder() is not None
    paths = [page.path for page in documents().pages]
    assert paths[:2] == ["index", "getting-started"]
    assert {"reference/cli", "tutorials/explore-results", "architecture"} <= set(paths)
    assert "images/report.png" in documents().files
