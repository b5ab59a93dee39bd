"""All guards in their order, from the network inwards."""

from __future__ import annotations

from starlette.middleware import Middleware

from assay.playground.security.requests import Gate


def guards(gate: Gate) -> list[Middleware]:
    """The middlewares of an application, the outermost first."""
    raise NotImplementedError
