from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assay.errors import UsageError
from assay.playground.security.checks import is_loopback, refuse_unsafe, unsafe_settings
from assay.playground.security.config import ServerConfig

SAFE: dict[str, Any] = {
    "host": "0.0.0.0",
    "public": True,
    "base_url": "https://results.example.org",
    "allowed_hosts": ["results.example.org"],
    "trusted_proxies": ["10.0.0.1"],
    "secret": "Rk3v9xQ0mZ7pL2wT8yB5nC1dF6gH4jKs",
    "metrics_token": "nC1dF6gH4jKsRk3v",
    "sign_up": "open",
}


def reasons(**changes: Any) -> str:
    return "\n".join(unsafe_settings(ServerConfig.model_validate({**SAFE, **changes})))


def test_a_safe_server_is_not_refused() -> None:
    assert unsafe_settings(ServerConfig.model_validate(SAFE)) == []
    refuse_unsafe(ServerConfig.model_validate(SAFE))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"single_user": True}, "single_user"),
        ({"base_url": None}, "base_url is missing"),
        ({"base_url": "http://results.example.org", "trusted_proxies": []}, "base_url is http"),
        ({"allowed_hosts": []}, "allowed_hosts is missing"),
        ({"allowed_hosts": ["*.org"]}, "top-level"),
        ({"trusted_proxies": ["0.0.0.0/0"]}, "believes everybody"),
        ({"trusted_proxies": ["::/0"]}, "believes everybody"),
        ({"cookie_secure": False}, "cookie_secure"),
        ({"secret": None}, "secret is missing"),
        ({"secret": "short"}, "secret is too short"),
        ({"secret": "a" * 64}, "too simple"),
        ({"metrics_token": None}, "metrics_token"),
        ({"debug": True}, "debug"),
        ({"limits": {"enabled": False}}, "everybody may sign up"),
        ({"limits": {"enabled": False}, "sign_up": "off"}, "limits are off"),
        ({"limits": {"sign_in": {"per_minute": 600, "burst": 9}}}, "more than once a second"),
    ],
)
def test_what_strangers_may_not_meet(changes: dict[str, Any], words: str) -> None:
    found = reasons(**changes)
    assert words in found
    assert found.count("\n") == 0, "one reason each"


def test_the_database_is_nobody_elses(tmp_path: Path) -> None:
    path = tmp_path / "playground.sqlite"
    config = ServerConfig.model_validate(SAFE)
    assert unsafe_settings(config, path) == [], "it is made private"
    path.touch(0o644)
    path.chmod(0o644)
    (reason,) = unsafe_settings(config, path)
    assert f"chmod 600 {path}" in reason
    named = ServerConfig.model_validate({**SAFE, "database_url": f"sqlite:///{path}"})
    assert unsafe_settings(named) == [reason]
    path.chmod(0o600)
    assert unsafe_settings(config, path) == unsafe_settings(named) == []
    assert unsafe_settings(ServerConfig.model_validate({**SAFE, "database_url": "postgresql://a/b"}), path) == []


def test_every_reason_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        refuse_unsafe(ServerConfig(host="0.0.0.0", public=True, single_user=True))
    for word in ("single_user", "base_url", "allowed_hosts", "secret", "metrics_token"):
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("host", "own"),
    [
        *((host, True) for host in ("127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost")),
        *((host, False) for host in ("0.0.0.0", "::", "192.0.2.1", "results.example.org")),
    ],
)
def test_what_is_reached_from_this_machine_only(host: str, own: bool) -> None:
    assert is_loopback(host) is own
