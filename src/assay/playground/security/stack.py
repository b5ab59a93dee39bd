"""All guards in their order, from the network inwards."""

from __future__ import annotations

from collections.abc import Callable

from starlette.middleware import Middleware

from assay.playground.security.addresses import TrustedProxies
from assay.playground.security.answers import Answer, plain_answer
from assay.playground.security.csrf import CsrfGuard
from assay.playground.security.framing import OneLength
from assay.playground.security.headers import SecurityHeaders
from assay.playground.security.hosts import AllowedHosts
from assay.playground.security.limits import BodyLimit, RateLimits
from assay.playground.security.logging import RequestLog
from assay.playground.security.metrics import Metrics, MetricsMiddleware
from assay.playground.security.requests import Gate


def guards(
    gate: Gate,
    *,
    metrics: Metrics | None = None,
    write_log: Callable[[str], None] | None = None,
    answer: Answer = plain_answer,
) -> list[Middleware]:
    """The middlewares of an application, the outermost first.

    Args:
        gate: what the application has at ``app.state.gate``.
        metrics: counts requests; None for no figures.
        write_log: takes a line for each request; None for no log.
        answer: makes refusals.
    """
    config = gate.config
    stack = [Middleware(TrustedProxies, config.trusted_proxies)]
    if write_log is not None:
        stack.append(Middleware(RequestLog, write_log, form=config.log_format))
    if metrics is not None:
        stack.append(Middleware(MetricsMiddleware, metrics))
    stack += [
        Middleware(SecurityHeaders, https=config.secure),
        Middleware(OneLength, answer=answer),
        Middleware(AllowedHosts, config.hosts, answer=answer),
    ]
    if gate.limiter is not None:
        stack.append(Middleware(RateLimits, gate.limiter, answer=answer))
    stack += [
        Middleware(BodyLimit, most=config.limits.body, uploads=config.upload.max_bytes, answer=answer),
        Middleware(CsrfGuard, answer=answer),
    ]
    return stack
