"""ID tokens of OpenID Connect: what is believed of one, and only after everything was looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jwk, jws, jwt
from joserfc.errors import JoseError

from assay.playground.accounts.hashes import same
from assay.playground.accounts.refusals import SignInError

ALGORITHMS = ("RS256", "PS256", "ES256", "RS384", "ES384", "RS512")
"""What a provider may sign with: its own private key, never a shared secret, never nothing."""
_LEEWAY_S = 60
_LONGEST = 64 << 10
_MOST_KEYS = 100


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token has to say.

    Attributes:
        issuer: who made it.
        client_id: whom for.
        nonce: of which attempt.
        now: seconds since 1970.
    """

    issuer: str
    client_id: str
    nonce: str
    now: int


@dataclass(frozen=True, slots=True)
class IdToken:
    """What a token says of somebody.

    Attributes:
        subject: the provider's name of the account, never given to another.
        name: a short name.
        shown: a name for people.
        email: only when the provider has verified it.
    """

    subject: str
    name: str | None
    shown: str | None
    email: str | None


def verify(raw: str, keys: Mapping[str, Any], expected: Expected) -> IdToken:
    """What a token says, when its signature and every claim hold.

    Args:
        raw: the token.
        keys: the provider's, as a JSON Web Key Set.
        expected: what it has to say.

    Raises:
        KeyError: when none of the keys is the one that it names.
        SignInError: when anything is wrong; ``found`` says what.
    """
    if len(raw) > _LONGEST:
        raise _wrong("an ID token that is too long")
    try:
        header = jws.extract_compact(raw.encode()).headers()
    except (JoseError, ValueError) as error:
        raise _wrong("something that is no ID token") from error
    algorithm = header.get("alg")
    if algorithm not in ALGORITHMS:
        raise _wrong(f"an ID token signed with {str(algorithm)[:20]!r}")
    claims = _signed(raw, str(algorithm), _candidates(keys, header.get("kid"), str(algorithm)))
    _check(claims, expected)
    return IdToken(
        str(claims["sub"]),
        _text(claims, "preferred_username") or _text(claims, "nickname"),
        _text(claims, "name"),
        _text(claims, "email") if claims.get("email_verified") is True else None,
    )


def _candidates(keys: Mapping[str, Any], kid: object, algorithm: str) -> list[dict[str, Any]]:
    """The keys that could have made a signature: of the right kind and name, for signatures."""
    kind = "EC" if algorithm.startswith("ES") else "RSA"
    found = [
        key
        for key in list(keys.get("keys") or [])[:_MOST_KEYS]
        if isinstance(key, dict)
        and key.get("kty") == kind
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and (kid is None or key.get("kid") == kid)
    ]
    if not found:
        raise KeyError(str(kid))
    return found


def _signed(raw: str, algorithm: str, keys: list[dict[str, Any]]) -> dict[str, Any]:
    reason: Exception | None = None
    for key in keys:
        try:
            return dict(jwt.decode(raw, jwk.import_key(key), algorithms=[algorithm]).claims)
        except (JoseError, ValueError) as error:
            reason = error
    raise _wrong("a signature that does not hold") from reason


def _check(claims: Mapping[str, Any], expected: Expected) -> None:
    audience = claims.get("aud")
    several = audience if isinstance(audience, list) else [audience]
    if claims.get("iss") != expected.issuer:
        raise _wrong("an ID token of another provider")
    if expected.client_id not in several or claims.get("azp", expected.client_id) != expected.client_id:
        raise _wrong("an ID token for somebody else")
    if len(several) > 1 and "azp" not in claims:
        raise _wrong("an ID token for several at once")
    if _seconds(claims, "exp") <= expected.now - _LEEWAY_S:
        raise _wrong("an ID token that has expired")
    begins = [_seconds(claims, name) for name in ("iat", "nbf") if name == "iat" or name in claims]
    if max(begins) > expected.now + _LEEWAY_S:
        raise _wrong("an ID token of the future")
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not same(nonce, expected.nonce):
        raise _wrong("an ID token of another attempt")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise _wrong("an ID token of nobody")


def _seconds(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12:
        raise _wrong(f"an ID token without {name}")
    return value


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    value = claims.get(name)
    if not isinstance(value, str):
        return None
    return "".join(character for character in value if character.isprintable()).strip()[:60] or None


def _wrong(found: str) -> SignInError:
    return SignInError("this sign-in does not hold", found=found, hint="begin again")
