"""The server's own figures, for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from assay.playground.accounts.refusals import DeniedError, SignInError
from assay.playground.here import Playground
from assay.playground.security.metrics import CONTENT_TYPE, may_read

router = APIRouter(include_in_schema=False)


@router.get("/metrics")
def metrics(request: Request) -> Response:
    """Requests, latencies, uploads and the index, for who has the token, or asks from this machine.

    Raises:
        SignInError: for a token that is not the configured one.
        DeniedError: from elsewhere, when none is configured.
    """
    playground: Playground = request.app.state.playground
    if not may_read(request, playground.config):
        if playground.config.metrics_token:
            raise SignInError("the figures of this server need its token", hint="Authorization: Bearer TOKEN")
        raise DeniedError("the figures of this server are not for everybody", hint="metrics_token in server.yaml")
    return Response(playground.counters.render(), headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"})
