from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from assay.playground.security.addresses import TrustedProxies

from .conftest import Site

Make = Callable[..., Site]


def seen(made: Site, forwarded: str | list[str], **headers: str) -> str:
    lines = [forwarded] if isinstance(forwarded, str) else forwarded
    given = [("x-forwarded-for", line) for line in lines] + list(headers.items())
    return str(made.client.get("/me", headers=given).json()["peer"])


def test_nobody_is_believed_who_is_not_trusted(site: Make) -> None:
    assert seen(site(peer="192.0.2.1"), "203.0.113.5") == "192.0.2.1"


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("1.2.3.4, 203.0.113.5", "203.0.113.5"),
        ("1.2.3.4, 203.0.113.5, 10.0.0.9", "203.0.113.5"),
        (["1.2.3.4", "203.0.113.5, 10.0.0.9"], "203.0.113.5"),
        ("2001:db8::5", "2001:db8::5"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("", "10.0.0.1"),
        ("garbage", "10.0.0.1"),
        ("1.2.3.4, garbage", "10.0.0.1"),
        ("garbage, 203.0.113.5", "203.0.113.5"),
        ("10.0.0.9, 10.0.0.8", "10.0.0.9"),
        (", ".join(["203.0.113.5"] * 1000), "203.0.113.5"),
    ],
)
def test_the_last_address_that_is_no_proxys(site: Make, forwarded: str | list[str], expected: str) -> None:
    assert seen(site(peer="10.0.0.1", trusted_proxies=["10.0.0.0/24"]), forwarded) == expected


def test_a_scheme_is_believed_of_a_trusted_proxy_only(site: Make) -> None:
    for peer, status in (("10.0.0.1", 200), ("192.0.2.1", 403)):
        made = site(peer=peer, trusted_proxies=["10.0.0.1"])
        headers = {
            "x-csrf-token": made.csrf(),
            "x-forwarded-proto": "https",
            "origin": "https://testserver",
        }
        assert made.client.post("/change", headers=headers).status_code == status


def test_a_proxy_on_a_unix_socket() -> None:
    found: list[object] = []

    async def app(scope: object, _receive: object, _send: object) -> None:
        found.append(scope["client"])  # type: ignore[index]

    for trusted in (["unix"], ["10.0.0.1"]):
        scope = {"type": "http", "client": None, "headers": [(b"x-forwarded-for", b"203.0.113.5")]}
        # In a thread of its own: a browser's loop may be at rest in this one.
        with ThreadPoolExecutor(1) as pool:
            pool.submit(asyncio.run, TrustedProxies(app, trusted)(scope, None, None)).result()  # type: ignore[arg-type]
    assert found == [("203.0.113.5", 0), None]
