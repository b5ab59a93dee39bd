"""The documentation, rendered; the getting-started guide is one of its pages."""

from __future__ import annotations

from functools import cache
from typing import Annotated

from fastapi import Path
from fastapi.responses import Response

from assay.errors import NotFoundError
from assay.playground.documents import Document, Documents, documents
from assay.playground.here import Looking
from assay.playground.markdown import Rendered, rendered
from assay.playground.page import PageModel, Pages

pages = Pages("documentation")

_FOR_AN_HOUR = "public, max-age=3600"


class Place(PageModel):
    """A page that can be gone to."""

    title: str
    address: str


class Section(PageModel):
    """A heading of the navigation with its pages."""

    title: str
    pages: tuple[Place, ...]


class Heading(PageModel):
    """A heading of the page: level from 2, and the address of its place."""

    level: int
    text: str
    id: str


class DocumentPage(PageModel):
    """A page of the documentation."""

    path: str
    title: str
    section: str
    markdown: str
    html: str
    headings: tuple[Heading, ...]
    sections: tuple[Section, ...]
    previous: Place | None
    following: Place | None


@pages.get("/getting-started", template="document.html", kept=True)
def getting_started(here: Looking) -> DocumentPage:
    """The guide: from nothing to a first result, a first question and a first submission."""
    return _page(here, "getting-started")


@pages.get("/docs", template="document.html", kept=True)
def docs(here: Looking) -> DocumentPage:
    """What there is to read."""
    return _page(here, "index")


@pages.get("/docs/{path:path}", template="document.html", kept=True)
def document(here: Looking, path: Annotated[str, Path(max_length=200)]) -> DocumentPage:
    """A page of the documentation, such as ``tutorials/run-a-benchmark``."""
    library = documents()
    # The twin's address has taken the ending of a schema.
    for name in (path, f"{path}.json"):
        if name in library.files:
            kind, content = library.files[name]
            return _file(kind, content)
    return _page(here, path.removesuffix(".md").removesuffix("/"))


def _file(kind: str, content: bytes) -> DocumentPage:
    # A page may answer with something else, which is handed through.
    return Response(content, media_type=kind, headers={"Cache-Control": _FOR_AN_HOUR})  # type: ignore[return-value]


def _page(here: Looking, path: str) -> DocumentPage:
    del here
    library = documents()
    if not library.pages:
        raise NotFoundError("the documentation is not installed", hint="see it in the repository: docs/")
    found = library.page(path)
    text = _rendered(library, found)
    before, after = library.around(found)
    return DocumentPage(
        path=found.path,
        title=found.title,
        section=found.section,
        markdown=found.text,
        html=text.html,
        headings=tuple(
            Heading(level=each.level, text=each.text, id=each.id) for each in text.headings if each.level in (2, 3)
        ),
        sections=_sections(library),
        previous=_place(before),
        following=_place(after),
    )


@cache
def _rendered(library: Documents, document: Document) -> Rendered:
    def link(given: str) -> str | None:
        return library.linked(document, given)

    return rendered(document.text, link=link, image=link, lower=0)


@cache
def _sections(library: Documents) -> tuple[Section, ...]:
    found: dict[str, list[Place]] = {}
    for each in library.pages:
        place = _place(each)
        assert place is not None
        found.setdefault(each.section, []).append(place)
    return tuple(Section(title=title, pages=tuple(places)) for title, places in found.items())


def _place(document: Document | None) -> Place | None:
    if document is None:
        return None
    return Place(title="Documentation" if document.path == "index" else document.title, address=document.address)
