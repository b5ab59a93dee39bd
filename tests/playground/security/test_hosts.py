from __future__ import annotations

from collections.abc import Callable

import pytest

from assay.playground.security.config import LOCAL_NAMES
from assay.playground.security.hosts import AllowedHosts

from .conftest import Site, application


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]:8080", "[::1]", "localhost."])
def test_the_own_machine_has_its_names_only(host: str) -> None:
    assert AllowedHosts(application, LOCAL_NAMES).allows(host)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "", "localhost:x", "localhost@evil", "0.0.0.0"],
)
def test_another_name_that_was_pointed_at_it_is_refused(host: str) -> None:
    assert not AllowedHosts(application, LOCAL_NAMES).allows(host)  # type: ignore[arg-type]


def test_a_pattern_is_for_names_below() -> None:
    hosts = AllowedHosts(application, ("*.example.org", "results.example.com"))  # type: ignore[arg-type]
    assert [hosts.allows(name) for name in ("a.example.org", "a.b.example.org:443", "results.example.com")] == [
        True
    ] * 3
    assert not any(hosts.allows(name) for name in ("example.org", "evilexample.org", "a.results.example.com"))


def test_rebinding_a_name_to_the_own_machine(site: Callable[..., Site]) -> None:
    made = site(single_user=True, base_url=None, allowed_hosts=[], peer="127.0.0.1")
    for host, status in (("localhost:8080", 200), ("evil.example:8080", 400)):
        answer = made.client.get("http://localhost/me", headers={"host": host})
        assert answer.status_code == status
        assert ('"me"' in answer.text) == (status == 200)
    assert made.client.get("http://localhost/healthz", headers={"host": "10.0.0.7"}).status_code == 200


def test_two_hosts_are_none(site: Callable[..., Site]) -> None:
    made = site()
    answer = made.client.get("/me", headers=[("host", "testserver"), ("host", "evil.example")])
    assert answer.status_code == 400
