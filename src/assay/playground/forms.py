"""What pages with forms share: who sends them, a mistake in its place, and where to go on to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi.responses import RedirectResponse, Response

from assay.errors import AssayError, NotFoundError
from assay.playground.accounts.actor import Actor
from assay.playground.accounts.paths import safe_path
from assay.playground.accounts.refusals import DeniedError, SignInError, ThrottledError
from assay.playground.accounts.viewer import Scope, Via
from assay.playground.here import Here
from assay.playground.page import PageModel, html
from assay.playground.security.addresses import address_of
from assay.playground.security.answers import headers_of, status_of, wants_json

if TYPE_CHECKING:
    # SQLAlchemy takes 0.3 s to import, which a single user need not wait for.
    from assay.playground.accounts.service import Accounts

_NO_STORE = {"Cache-Control": "no-store"}


class Mistake(PageModel):
    """What is wrong with a form, to be shown beside it.

    Attributes:
        at: which form.
        status: of the answer.
    """

    at: str
    status: int
    what: str
    expected: str | None = None
    found: str | None = None
    hint: str | None = None


class FormPage(PageModel):
    """A page with forms.

    Attributes:
        one_user: there are no accounts here: the playground is a single user's.
        mistake: in the form that was sent.
    """

    one_user: bool = False
    mistake: Mistake | None = None

    @property
    def http_status(self) -> int:
        """That of the mistake, when there is one."""
        return self.mistake.status if self.mistake else 200


def accounts_in(here: Here) -> Accounts:
    """The accounts of the server.

    Raises:
        NotFoundError: when it is a single user's playground.
    """
    if here.playground.accounts is None:
        raise NotFoundError("this playground has one user and no accounts", hint="docs/how-to/run-a-server.md")
    return here.playground.accounts


def actor_of(here: Here) -> Actor:
    """Who sends a request, for the audit log."""
    return Actor(here.viewer.name, address_of(here.request.scope))


def signed_in(here: Here, scope: Scope = Scope.READ) -> str:
    """The name of who is signed in with a browser. A token is not enough: it could give itself more than it has.

    Raises:
        SignInError: when nobody is.
        DeniedError: for a token, or a role that does not allow this.
    """
    if here.viewer.via is Via.TOKEN:
        raise DeniedError("a token cannot do this", hint="sign in with a browser")
    if here.viewer.name is None:
        raise SignInError("nobody is signed in", hint="sign in")
    here.viewer.require(scope)
    return here.viewer.name


def mistake_of(error: AssayError, at: str) -> Mistake:
    """An error as it is shown beside a form."""
    hint = f"try again in {waiting(error.retry_after_s)}" if isinstance(error, ThrottledError) else error.hint
    return Mistake(
        at=at, status=status_of(error), what=error.what, expected=error.expected, found=error.found, hint=hint
    )


def shown(here: Here, template: str, page: FormPage, error: AssayError | None = None, **more: Any) -> Response:
    """A page as the answer to a form, kept by nobody; an error as it is where a program has sent it.

    Raises:
        AssayError: the error, where JSON is asked for.
    """
    if error is not None and wants_json(here.request.scope):
        raise error
    answer = html(here, template, page, **more)
    answer.headers.update(_NO_STORE if error is None else headers_of(error))
    return answer


def go_on(path: str) -> Response:
    """On to a path of this server, with a plain request; anything else leads home."""
    return RedirectResponse(safe_path(path), status_code=303, headers=_NO_STORE)


def waiting(seconds: int) -> str:
    """A wait in words, such as ``2 minutes``, rounded up."""
    for size, word in ((3600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= size:
            count = -(-seconds // size)
            return f"{count} {word}{'' if count == 1 else 's'}"
    return "a moment"
