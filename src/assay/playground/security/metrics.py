"""Figures for Prometheus: requests by route, latency, uploads, and the age and size of the index."""

from __future__ import annotations

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assay.playground.accounts.hashes import same
from assay.playground.accounts.network import parse
from assay.playground.security.addresses import address_of
from assay.playground.security.config import ServerConfig
from assay.playground.security.requests import bearer_of

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The figures of one application.

    Args:
        index_age_s: seconds since the index was made; None when it is not told.
        index_bytes: size of the index; None when it is not told.
        results: results in the index; None when it is not told.
    """

    def __init__(
        self,
        *,
        index_age_s: Callable[[], float] | None = None,
        index_bytes: Callable[[], float] | None = None,
        results: Callable[[], float] | None = None,
    ) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "assay_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "assay_request_seconds",
            "Seconds from a request to the end of its answer.",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._in_flight = Gauge("assay_requests_in_flight", "Requests being answered.", registry=self.registry)
        self._uploads = Counter(
            "assay_uploads", "Uploads by what became of them.", ("outcome",), registry=self.registry
        )
        for name, words, source in (
            ("assay_index_age_seconds", "Seconds since the index was made.", index_age_s),
            ("assay_index_bytes", "Size of the index in bytes.", index_bytes),
            ("assay_index_results", "Results in the index.", results),
        ):
            if source is not None:
                Gauge(name, words, registry=self.registry).set_function(source)

    def began(self) -> None:
        """A request has come."""
        self._in_flight.inc()

    def ended(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request has been answered."""
        self._in_flight.dec()
        self._requests.labels(method if method in _METHODS else "other", route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def upload(self, outcome: str) -> None:
        """An upload has come to its end."""
        self._uploads.labels(outcome).inc()

    def render(self) -> bytes:
        """All figures in the text form of Prometheus."""
        return generate_latest(self.registry)


def may_read(request: HTTPConnection, config: ServerConfig) -> bool:
    """Whether a request may see the figures: with the configured token, else from this machine of a private server."""
    if config.metrics_token:
        return same(bearer_of(request) or "", config.metrics_token)
    peer = parse(address_of(request.scope))
    return not config.public and peer is not None and peer.is_loopback


def route_of(scope: Scope) -> str:
    """The template of the route that answered, such as ``/results/{uid}``; never what a stranger typed."""
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) and path else "(none)"


class MetricsMiddleware:
    """Counts requests."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start, status = time.perf_counter(), 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._metrics.began()
        try:
            await self.app(scope, receive, sending)
        finally:
            self._metrics.ended(scope["method"], route_of(scope), status, time.perf_counter() - start)
