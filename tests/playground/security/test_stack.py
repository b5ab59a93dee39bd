from __future__ import annotations

from assay.playground.security.config import ServerConfig
from assay.playground.security.metrics import Metrics
from assay.playground.security.requests import open_gate
from assay.playground.security.stack import guards


def names(config: ServerConfig, **more: object) -> list[str]:
    return [each.cls.__name__ for each in guards(open_gate(config, None), **more)]  # type: ignore[arg-type,attr-defined]


def test_guards_stand_in_order() -> None:
    assert names(ServerConfig(), metrics=Metrics(), write_log=str) == [
        "TrustedProxies",
        "RequestLog",
        "MetricsMiddleware",
        "SecurityHeaders",
        "OneLength",
        "AllowedHosts",
        "RateLimits",
        "BodyLimit",
        "CsrfGuard",
    ]


def test_a_single_user_has_no_limits_and_every_other_guard() -> None:
    found = names(ServerConfig(single_user=True))
    assert "RateLimits" not in found
    assert {"SecurityHeaders", "AllowedHosts", "BodyLimit", "CsrfGuard"} <= set(found)
