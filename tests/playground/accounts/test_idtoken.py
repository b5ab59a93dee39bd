from __future__ import annotations

from typing import Any

import pytest
from joserfc import jwk, jwt

from assay.playground.accounts.idtoken import ALGORITHMS, Expected, verify
from assay.playground.accounts.refusals import SignInError

NOW = 1_800_000_000
EXPECTED = Expected("https://id.example.org", "assay", "nonce", NOW)
CLAIMS: dict[str, Any] = {
    "iss": EXPECTED.issuer,
    "aud": ["assay"],
    "sub": "42",
    "nonce": "nonce",
    "iat": NOW,
    "exp": NOW + 60,
}
RSA = jwk.RSAKey.generate_key(2048, {"kid": "rsa"})
EC = jwk.ECKey.generate_key("P-256", {"kid": "ec"})
KEYS = {"keys": [RSA.as_dict(private=False), EC.as_dict(private=False)]}


def signed(key: Any = RSA, alg: str = "RS256", header: dict[str, Any] | None = None, **claims: Any) -> str:
    return jwt.encode({"alg": alg, **(header or {})}, {**CLAIMS, **claims}, key, algorithms=[alg])


def test_only_signatures_with_a_private_key_are_known() -> None:
    assert all(name[:2] in ("RS", "PS", "ES") for name in ALGORITHMS)


@pytest.mark.parametrize(("key", "alg"), [(RSA, "RS256"), (RSA, "PS256"), (RSA, "RS512"), (EC, "ES256")])
@pytest.mark.parametrize("named", [True, False])
def test_signatures_of_either_kind_with_a_named_key_or_without(key: Any, alg: str, named: bool) -> None:
    header = {"kid": key.kid} if named else {}
    assert verify(signed(key, alg, header), KEYS, EXPECTED).subject == "42"


def test_the_named_key_has_to_be_there_and_fit() -> None:
    for keys in ({}, {"keys": None}, {"keys": [3, {}]}, {"keys": [EC.as_dict(private=False)]}):
        with pytest.raises(KeyError):
            verify(signed(header={"kid": "rsa"}), keys, EXPECTED)
    encryption = {"keys": [{**RSA.as_dict(private=False), "use": "enc"}]}
    with pytest.raises(KeyError):
        verify(signed(), encryption, EXPECTED)


def test_a_key_that_is_broken_is_no_crash() -> None:
    with pytest.raises(SignInError):
        verify(signed(), {"keys": [{"kty": "RSA", "n": "!", "e": "AQAB"}]}, EXPECTED)


@pytest.mark.parametrize(("seconds", "holds"), [(-59, True), (-60, False), (0, True)])
def test_clocks_may_differ_by_a_minute(seconds: int, holds: bool) -> None:
    raw = signed(exp=NOW + seconds)
    if holds:
        verify(raw, KEYS, EXPECTED)
        return
    with pytest.raises(SignInError):
        verify(raw, KEYS, EXPECTED)


def test_texts_are_cut_and_cleaned() -> None:
    token = verify(signed(name="Gr\u202eace\n" + "x" * 500, preferred_username=7, nickname="g"), KEYS, EXPECTED)
    assert token.shown is not None and len(token.shown) == 60 and token.shown.startswith("Gracex")
    assert (token.name, token.email) == ("g", None)
