"""The project's documentation as it is shipped: which pages there are, in what order, and what belongs to them.

An installed package carries the folder beside this module; a checkout has it at its root. Only files that were listed
when the folder was read are ever opened: no address of a visitor becomes a path.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from posixpath import dirname, normpath
from urllib.parse import quote, unquote

from assay.base.files import machine_errors
from assay.errors import unknown

_SECTIONS = {"": "", "tutorials": "Tutorials", "how-to": "How to", "reference": "Reference"}
_FIRST = ("index", "getting-started")
_PICTURES = {".png": "image/png", ".svg": "image/svg+xml", ".webp": "image/webp"}
_LARGEST = 8 << 20


@dataclass(frozen=True, slots=True)
class Document:
    """A page of the documentation.

    Attributes:
        path: address under ``/docs/``, such as ``tutorials/run-a-benchmark``.
        title: its first heading.
        section: heading that it is listed under; empty for those of no section.
        text: Markdown.
    """

    path: str
    title: str
    section: str
    text: str = field(repr=False)

    @property
    def address(self) -> str:
        """Where the playground shows it."""
        return address_of(self.path)


@dataclass(frozen=True, slots=True, eq=False)
class Documents:
    """A folder of documentation, read once.

    Attributes:
        pages: in reading order.
        files: pictures and schemas by address under ``/docs/``: media type and content.
    """

    pages: tuple[Document, ...]
    files: Mapping[str, tuple[str, bytes]] = field(repr=False)

    def page(self, path: str) -> Document:
        """A page.

        Raises:
            NotFoundError: with the closest ones.
        """
        for each in self.pages:
            if each.path == path:
                return each
        raise unknown("page of the documentation", path[:200], [each.path for each in self.pages], hint="see /docs")

    def around(self, document: Document) -> tuple[Document | None, Document | None]:
        """The pages before and after one."""
        place = self.pages.index(document)
        return (
            self.pages[place - 1] if place else None,
            self.pages[place + 1] if place + 1 < len(self.pages) else None,
        )

    def linked(self, document: Document, given: str) -> str | None:
        """Where a relative link of a page leads in the playground; None for what is not part of the documentation."""
        path, _, place = given.partition("#")
        whole = normpath(f"{dirname(document.path)}/{unquote(path)}".lstrip("/"))
        anchor = f"#md-{quote(unquote(place), safe='-')}" if place else ""
        if whole.endswith(".md"):
            name = whole.removesuffix(".md")
            return f"{address_of(name)}{anchor}" if any(each.path == name for each in self.pages) else None
        return f"/docs/{quote(whole)}" if whole in self.files else None


def address_of(path: str) -> str:
    """The address of a page."""
    if path == "index":
        return "/docs"
    return "/getting-started" if path == "getting-started" else f"/docs/{quote(path)}"


def docs_folder() -> Path | None:
    """The folder of the documentation: that of the package, else that of the checkout; None when there is none."""
    here = Path(__file__)
    for folder in (here.with_name("docs"), here.parents[3] / "docs"):
        if (folder / "index.md").is_file():
            return folder
    return None


@cache
def documents() -> Documents:
    """The documentation of this installation."""
    folder = docs_folder()
    return Documents((), {}) if folder is None else read_documents(folder)


def read_documents(folder: Path) -> Documents:
    """Read a folder of documentation; links that leave it are passed over.

    Raises:
        MachineError: when it cannot be read.
    """
    root = folder.resolve()
    pages: list[Document] = []
    files: dict[str, tuple[str, bytes]] = {}
    with machine_errors(folder):
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if not path.is_file() or not path.resolve().is_relative_to(root) or path.stat().st_size > _LARGEST:
                continue
            if path.suffix == ".md" and dirname(name) in _SECTIONS:
                text = path.read_text(encoding="utf-8", errors="replace")
                section = _SECTIONS[dirname(name)]
                pages.append(Document(name.removesuffix(".md"), _title(text, path.stem), section, text))
            elif path.suffix in _PICTURES and dirname(name) == "images":
                files[name] = (_PICTURES[path.suffix], path.read_bytes())
            elif path.suffix == ".json" and dirname(name) == "reference/schemas":
                files[name] = ("application/json", path.read_bytes())
    return Documents(tuple(sorted(pages, key=_order)), files)


def _title(text: str, name: str) -> str:
    for line in text.splitlines()[:40]:
        if line.startswith("# ") and line[2:].strip():
            return line[2:].strip()[:200]
    return name.replace("-", " ").capitalize()


def _order(document: Document) -> tuple[int, int, str]:
    first = _FIRST.index(document.path) if document.path in _FIRST else len(_FIRST)
    section = list(_SECTIONS.values()).index(document.section)
    # What stands in no section and is not read first is read last.
    return (section or (0 if first < len(_FIRST) else len(_SECTIONS))), first, document.path
