"""Pages and their twins: one function, one model, shown as HTML at ``/path`` and as JSON at ``/path.json``.

::

    pages = Pages("systems")

    @pages.get("/systems/{name}", template="system.html")
    def system(here: Looking, name: str) -> SystemPage: ...

The template gets the model as ``page``. ``/path`` answers with JSON, too, when that is what ``Accept`` asks for.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, get_type_hints

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel, ConfigDict

from assay.playground.accounts.viewer import Via
from assay.playground.here import Here
from assay.playground.security.answers import wants_json

PageFunction = Callable[..., Any]


class PageModel(BaseModel):
    """What a page says; its JSON twin is this model."""

    model_config = ConfigDict(frozen=True)

    @property
    def http_status(self) -> int:
        """Status of the answer; a page that shows the visitor's own mistake in place says 400."""
        return 200


class Pages:
    """Pages of one kind, to be put into the application.

    Args:
        tag: heading in the description of the interface.
    """

    def __init__(self, tag: str) -> None:
        self.router = APIRouter(tags=[tag])

    def get(
        self,
        path: str,
        *,
        template: str,
        twin: str | None = None,
        kept: bool = False,
        lasting: bool = False,
        more: Callable[[Here], dict[str, Any]] | None = None,
    ) -> Callable[[PageFunction], PageFunction]:
        """Register a page and its twin.

        Args:
            path: of the page.
            template: file in ``templates/``.
            twin: path of the JSON; ``path`` with ``.json`` unless given.
            kept: the same for everybody until the index changes (or a minute has gone), so that it may be kept.
            lasting: what is kept hangs on the index alone: it need not be made anew each minute.
            more: other names for the template.
        """
        json_path = twin or ("/home.json" if path == "/" else f"{path}.json")

        def register(function: PageFunction) -> PageFunction:
            hints = get_type_hints(function, include_extras=True)
            here_name = next(name for name in inspect.signature(function).parameters)
            summary = (inspect.getdoc(function) or "").partition("\n")[0].rstrip(".")

            @functools.wraps(function)
            def data(**given: Any) -> Any:
                return _marked(given[here_name], answer_json(function(**given)), kept, lasting)

            @functools.wraps(function)
            def shown(**given: Any) -> Response:
                here: Here = given[here_name]
                model = function(**given)
                if isinstance(model, Response):
                    return model
                answer = (
                    answer_json(model)
                    if wants_json(here.request.scope)
                    else html(here, template, model, **(more(here) if more else {}))
                )
                return _marked(here, answer, kept, lasting)

            signature = inspect.signature(function).replace(
                parameters=[
                    each.replace(annotation=hints[each.name])
                    for each in inspect.signature(function).parameters.values()
                ]
            )
            for wrapper in (data, shown):
                vars(wrapper)["__signature__"] = signature
            model = hints["return"]
            self.router.add_api_route(
                json_path,
                data,
                response_model=model,
                responses={400: {"model": model}} if _shows_mistakes(model) else None,
                summary=summary,
                name=f"{function.__name__}.json",
            )
            self.router.add_api_route(path, shown, response_model=None, include_in_schema=False, name=function.__name__)
            return function

        return register


def _shows_mistakes(model: Any) -> bool:
    """Whether pages of a kind show the visitor's mistakes in place, with a status of their own."""
    own = isinstance(model, type) and issubclass(model, PageModel)
    return own and vars(PageModel)["http_status"] is not inspect.getattr_static(model, "http_status")


def _marked(here: Here, answer: Response, may_be_kept: bool, lasting: bool) -> Response:
    if "cache-control" in answer.headers:
        return answer
    if may_be_kept:
        return kept_answer(here, answer, lasting=lasting)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def kept_answer(here: Here, answer: Response, *, lasting: bool = False) -> Response:
    """An answer that is the same until the index changes: browsers ask each time, and are told when it still is.

    Args:
        here: the request.
        answer: what it is answered with.
        lasting: it hangs on the index alone, and on no clock and no other file.
    """
    if lasting:
        here.request.state.lasting = True
    shared = here.viewer.via in (Via.ANONYMOUS, Via.LOCAL)
    answer.headers["Cache-Control"] = f"{'public' if shared else 'private'}, no-cache"
    return answer


def answer_json(model: Any) -> Response:
    """A model as JSON, with the status that it has."""
    if isinstance(model, Response):
        return model
    if isinstance(model, PageModel):
        return Response(model.model_dump_json(), status_code=model.http_status, media_type="application/json")
    return JSONResponse(model)


def html(here: Here, template: str, page: Any, *, status: int | None = None, **more: Any) -> HTMLResponse:
    """A template as an answer.

    Args:
        here: the request.
        template: file in ``templates/``.
        page: what the template shows.
        status: of the answer; that of the model unless given.
        more: other names for the template.
    """
    code = status or (page.http_status if isinstance(page, PageModel) else 200)
    text = here.playground.markup.render(
        template, page=page, here=here, viewer=here.viewer, request=here.request, status=code, **more
    )
    return HTMLResponse(text, status_code=code)


__all__ = ["Here", "PageModel", "Pages", "Request", "answer_json", "html", "kept_answer"]
