"""Saved views of the explorer: the list, one of them, and saving."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Form
from fastapi.responses import RedirectResponse, Response

from assay.community.saved_views import SavedView, find_view, load_views, save_view
from assay.playground.accounts.viewer import Scope, Via
from assay.playground.here import Here, Looking
from assay.playground.page import PageModel, Pages
from assay.playground.view import View, read_view

pages = Pages("views")


class ViewLine(PageModel):
    """A saved view."""

    name: str
    title: str
    address: str
    contributor: str
    date: str | None
    private: bool


class ViewsPage(PageModel):
    """Saved views, newest first."""

    views: tuple[ViewLine, ...]


class NewViewPage(PageModel):
    """The form that saves a view."""

    title: str
    query: str
    address: str


@pages.get("/views", template="views.html")
def views(here: Looking) -> ViewsPage:
    """Saved views of the explorer."""
    return ViewsPage(views=tuple(_line(each) for each in load_views(here.settings, here.viewer.audience)))


def _line(saved: SavedView) -> ViewLine:
    return ViewLine(
        name=saved.name,
        title=saved.title,
        address=_address(saved),
        contributor=saved.contributor,
        date=saved.date.isoformat() if saved.date else None,
        private=saved.private,
    )


def _address(saved: SavedView) -> str:
    """Where a view leads; whatever its entry says, into the explorer and nowhere else."""
    return f"/explorer?{saved.query}" if saved.query else "/explorer"


@pages.get("/views/new", template="view_new.html")
def new_view(here: Looking) -> NewViewPage:
    """What would be saved: the parameters are those of the explorer's address."""
    here.viewer.require(Scope.PUSH)
    view = read_view(here.request.query_params.multi_items())
    return NewViewPage(title=view.title, query=_query(view), address=view.address())


def _query(view: View) -> str:
    return view.address().partition("?")[2]


@pages.router.post("/views", include_in_schema=False)
def save(
    here: Looking,
    title: Annotated[str, Form(max_length=200)],
    query: Annotated[str, Form(max_length=8000)],
    private: Annotated[bool, Form()] = False,
) -> Response:
    """Save a view, and show it."""
    viewer = here.viewer.require(Scope.PUSH)
    view = read_view(_parsed(query))
    saved = save_view(
        here.settings,
        title=title,
        query=_query(view) or "mark=scatter",
        contributor=viewer.name or "",
        now=here.now,
        private=private,
        shared=viewer.via is not Via.LOCAL,
        display_name=viewer.shown or "",
    )
    return RedirectResponse(f"/views/{saved.name}", status_code=303)


def _parsed(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True)


@pages.router.get("/views/{name}.json", summary="A saved view")
def view_data(here: Looking, name: str) -> ViewLine:
    """Where a saved view leads."""
    return _line(find_view(here.settings, name, here.viewer.audience))


@pages.router.get("/views/{name}", include_in_schema=False)
def view_page(here: Looking, name: str) -> Response:
    """To the explorer, with the view."""
    return RedirectResponse(_titled(here, name), status_code=302)


def _titled(here: Here, name: str) -> str:
    saved = find_view(here.settings, name, here.viewer.audience)
    view = read_view(_parsed(saved.query))
    return view.address(title=saved.title, page=view.page)
