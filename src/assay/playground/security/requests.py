"""Who sends a request: the gate that an application has, and the viewer that it lets in.

The application puts a :class:`Gate` at ``app.state.gate``. An anonymous request never touches the database; a session
or a token is one query.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.requests import HTTPConnection

from assay.playground.accounts.viewer import Viewer
from assay.playground.security.config import ServerConfig

if TYPE_CHECKING:
    from assay.playground.accounts.service import Accounts
    from assay.playground.security.limits import RateLimiter


@dataclass(frozen=True, slots=True)
class Gate:
    """What has to be known to let a request in.

    Attributes:
        config: of the server.
        accounts: None where there are none (single user).
        limiter: None where rates are not limited.
        secret: signs cookies of visitors without an account.
        local_name: the single user's name.
    """

    config: ServerConfig
    accounts: Accounts | None
    limiter: RateLimiter | None
    secret: bytes = field(repr=False)
    local_name: str = "me"


def identify(request: HTTPConnection) -> Viewer:
    """Who sends a request; looked up once a request.

    Raises:
        SignInError: for a bearer token that does not hold.
        ThrottledError: when the account asks too often.
    """
    raise NotImplementedError
