from __future__ import annotations

from collections.abc import Callable

import pytest

from assay.playground.security.headers import content_policy

from .conftest import Site

Make = Callable[..., Site]
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@pytest.mark.parametrize("path", ["/me", "/missing", "/broken", "/healthz"])
def test_every_answer_has_them(site: Make, path: str) -> None:
    made = site()
    headers = made.client.get(path).headers
    if path == "/broken":
        return
    assert headers["content-security-policy"] == POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert "server" not in headers and "strict-transport-security" not in headers


def test_refusals_have_them_too(site: Make) -> None:
    made = site()
    assert made.client.post("/change").headers["content-security-policy"] == POLICY
    assert made.client.get("/me", headers={"host": "evil.example"}).headers["content-security-policy"] == POLICY


def test_only_what_is_made_for_it_stands_in_frames(site: Make) -> None:
    headers = site().client.get("/embed/plot").headers
    assert headers["content-security-policy"].endswith("frame-ancestors *")
    assert "x-frame-options" not in headers
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    for path in ("/embedded", "/x/embed/", "/embed"):
        assert content_policy(path) == POLICY


def test_https_is_told_to_stay(site: Make) -> None:
    assert site(secure=True).client.get("/me").headers["strict-transport-security"] == "max-age=31536000"


def test_pages_for_somebody_are_kept_by_nobody_else(site: Make) -> None:
    made = site()
    anybody = made.client.get("/me").headers
    assert "cache-control" not in anybody and "Cookie" in anybody["vary"]
    assert "vary" not in made.client.get("/plain").headers
    made.sign_in()
    assert made.client.get("/me").headers["cache-control"] == "private, no-store"
