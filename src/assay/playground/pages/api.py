"""The JSON interface, documented from its own description."""

from __future__ import annotations

from assay.playground.accounts.viewer import Scope
from assay.playground.api_description import Tag, tags_of
from assay.playground.here import Looking
from assay.playground.page import PageModel, Pages

pages = Pages("about")

_SCOPES = {
    Scope.READ: "look at everything that the account may see, also what is not public",
    Scope.PUSH: "upload runs and submissions, take part in challenges, write reports",
    Scope.ADMIN: "look after the server: accounts, invitations, the audit log",
}


class ScopeLine(PageModel):
    """What a token may do."""

    name: str
    meaning: str


class ApiPage(PageModel):
    """Everything that programs can ask for."""

    address: str
    accounts: bool
    scopes: tuple[ScopeLine, ...]
    tags: tuple[Tag, ...]


@pages.get("/api", template="api.html", kept=True)
def api(here: Looking) -> ApiPage:
    """What programs can ask for, how, and what they get."""
    address = (here.playground.config.base_url or str(here.request.base_url)).rstrip("/")
    return ApiPage(
        address=address,
        accounts=here.playground.accounts is not None,
        scopes=tuple(ScopeLine(name=str(scope), meaning=meaning) for scope, meaning in _SCOPES.items()),
        tags=tags_of(here.request.app.openapi(), address),
    )
