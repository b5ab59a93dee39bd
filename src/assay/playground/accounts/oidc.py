"""Signing in elsewhere: OpenID Connect, authorization code with PKCE, state and nonce.

What is kept between the way there and the way back stands in a signed cookie, not on the server. The only thing that is
believed is an ID token that the provider signed for this server and for this attempt.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import secrets
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from assay.errors import MachineError
from assay.playground.accounts.hashes import same, sign
from assay.playground.accounts.idtoken import Expected, IdToken, verify
from assay.playground.accounts.paths import safe_path
from assay.playground.accounts.refusals import SignInError
from assay.playground.accounts.service import Identity
from assay.playground.accounts.settings import Clock, utc_now

if TYPE_CHECKING:
    import httpx2

FLOW_S = 600
"""Seconds that somebody has to sign in elsewhere."""
_LARGEST = 256 << 10
_TIMEOUT_S = 10.0
_KEPT = timedelta(hours=1)
_RETRY = timedelta(seconds=30)
_LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Start:
    """The way to the provider.

    Attributes:
        url: where the browser has to go.
        cookie: what it has to bring back; good for ten minutes.
    """

    url: str
    cookie: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody who came back.

    Attributes:
        identity: who it is.
        then: the path of this server to go on to.
        invitation: the code that was given on the way there.
    """

    identity: Identity
    then: str
    invitation: str | None


@dataclass(frozen=True, slots=True)
class _Provider:
    """What a provider says of itself."""

    authorization: str
    token: str
    jwks: str
    post: bool
    read: datetime


class OidcClient:
    """One provider.

    Args:
        issuer: its address, https except on localhost.
        client_id: what it calls this server.
        client_secret: shared with it; None for a public client.
        redirect_uri: where browsers come back to.
        secret: signs the cookie.
        clock: tells the time.
    """

    def __init__(
        self,
        issuer: str,
        client_id: str,
        client_secret: str | None,
        redirect_uri: str,
        secret: bytes,
        *,
        clock: Clock = utc_now,
    ) -> None:
        self.issuer = issuer
        self._client_id, self._client_secret = client_id, client_secret
        self._redirect_uri, self._secret, self._clock = redirect_uri, secret, clock
        self._lock = threading.Lock()
        self._provider: _Provider | None = None
        self._keys: tuple[datetime, dict[str, Any]] | None = None
        _check_address(issuer, issuer)

    def begin(self, then: str = "/", *, invitation: str | None = None) -> Start:
        """Send somebody to the provider.

        Args:
            then: the path of this server to go on to afterwards; another address is ignored.
            invitation: a code to sign up with.

        Raises:
            MachineError: when the provider cannot be reached, or its answer makes no sense.
        """
        provider = self._discover()
        flow = {
            "state": secrets.token_urlsafe(24),
            "nonce": secrets.token_urlsafe(24),
            "verifier": secrets.token_urlsafe(48),
            "then": safe_path(then),
            "invitation": (invitation or "")[:200],
            "until": int(self._clock().timestamp()) + FLOW_S,
        }
        challenge = hashlib.sha256(str(flow["verifier"]).encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._redirect_uri,
            "scope": "openid profile email",
            "state": flow["state"],
            "nonce": flow["nonce"],
            "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        joint = "&" if urlsplit(provider.authorization).query else "?"
        return Start(f"{provider.authorization}{joint}{urlencode(query)}", self._seal(flow))

    def finish(self, query: Mapping[str, str], cookie: str | None) -> Arrival:
        """Take somebody back.

        Args:
            query: of the address that the browser came back to.
            cookie: that of :meth:`begin`.

        Raises:
            SignInError: when anything does not fit: state, code, or the ID token; ``found`` says what.
            MachineError: when the provider cannot be reached, or its answer makes no sense.
        """
        flow = self._open(cookie)
        if not same(query.get("state", ""), str(flow["state"])):
            raise _refused("another state")
        if query.get("iss", self.issuer) != self.issuer:
            raise _refused("the answer of another provider")
        if "error" in query or not query.get("code"):
            raise SignInError("the provider did not let you in", found=query.get("error", "no code")[:80])
        provider = self._discover()
        raw = self._redeem(provider, query["code"], str(flow["verifier"]))
        expected = Expected(self.issuer, self._client_id, str(flow["nonce"]), int(self._clock().timestamp()))
        token = self._verified(raw, provider, expected)
        identity = Identity(self.issuer, token.subject, token.name, token.shown, token.email)
        return Arrival(identity, safe_path(str(flow["then"])), str(flow["invitation"]) or None)

    # ---- the cookie

    def _seal(self, flow: Mapping[str, object]) -> str:
        text = base64.urlsafe_b64encode(json.dumps(flow).encode()).decode()
        return f"{text}.{sign(self._secret, 'oidc flow', text)}"

    def _open(self, cookie: str | None) -> dict[str, object]:
        text, _, signature = (cookie or "")[:4096].partition(".")
        if not text or not same(signature, sign(self._secret, "oidc flow", text)):
            raise _refused("no sign-in that began here")
        flow: dict[str, object] = json.loads(base64.urlsafe_b64decode(text))
        if int(str(flow["until"])) < self._clock().timestamp():
            raise _refused("a sign-in that took too long")
        return flow

    # ---- the provider

    def _discover(self) -> _Provider:
        with self._lock:
            if self._provider is None or self._clock() - self._provider.read > _KEPT:
                self._provider = self._read_provider()
            return self._provider

    def _read_provider(self) -> _Provider:
        where = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        said = self._json("GET", where)
        if said.get("issuer") != self.issuer:
            raise _senseless(where, f"issuer {self.issuer}", str(said.get("issuer"))[:200])
        addresses = []
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            address = said.get(name)
            if not isinstance(address, str):
                raise _senseless(where, name, "nothing")
            addresses.append(_check_address(address, self.issuer))
        methods = said.get("token_endpoint_auth_methods_supported")
        post = isinstance(methods, list) and "client_secret_basic" not in methods and "client_secret_post" in methods
        return _Provider(addresses[0], addresses[1], addresses[2], post, self._clock())

    def _redeem(self, provider: _Provider, code: str, verifier: str) -> str:
        """The ID token for a code."""
        form = {
            "grant_type": "authorization_code",
            "code": code[:4096],
            "redirect_uri": self._redirect_uri,
            "code_verifier": verifier,
            "client_id": self._client_id,
        }
        headers = {}
        if self._client_secret is not None and provider.post:
            form["client_secret"] = self._client_secret
        elif self._client_secret is not None:
            pair = f"{quote(self._client_id, safe='')}:{quote(self._client_secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        said = self._json("POST", provider.token, form, headers)
        token = said.get("id_token")
        if not isinstance(token, str):
            raise _refused("no ID token")
        return token

    def _verified(self, raw: str, provider: _Provider, expected: Expected) -> IdToken:
        """What an ID token says; the keys are read again when none of those that are known fits."""
        keys, fresh = self._known_keys(provider, at_least=None)
        try:
            return verify(raw, keys, expected)
        except KeyError as error:
            if fresh:
                raise _refused("a signature with an unknown key") from error
        keys, _ = self._known_keys(provider, at_least=self._clock() - _RETRY)
        try:
            return verify(raw, keys, expected)
        except KeyError as error:
            raise _refused("a signature with an unknown key") from error

    def _known_keys(self, provider: _Provider, *, at_least: datetime | None) -> tuple[dict[str, Any], bool]:
        """The provider's keys, read at this moment or not too long ago, and whether they were read now."""
        with self._lock:
            now = self._clock()
            oldest = now - _KEPT if at_least is None else at_least
            if self._keys is not None and self._keys[0] >= oldest:
                return self._keys[1], False
            self._keys = (now, self._json("GET", provider.jwks))
            return self._keys[1], True

    @functools.cached_property
    def _certificates(self) -> ssl.SSLContext:
        """Authorities that are believed; reading them takes longer than a request."""
        import httpx2

        return httpx2.create_ssl_context()

    def _json(
        self,
        method: str,
        url: str,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """The JSON object that an address answers with; bounded in time and size, no redirects."""
        # httpx2 takes 0.2 s to import, which only a sign-in elsewhere should cost.
        import httpx2

        try:
            with (
                httpx2.Client(timeout=_TIMEOUT_S, follow_redirects=False, verify=self._certificates) as client,
                client.stream(
                    method,
                    url,
                    data=dict(form) if form is not None else None,
                    headers={"Accept": "application/json", **(headers or {})},
                ) as response,
            ):
                data = _bounded(response, url)
                status = response.status_code
        except httpx2.HTTPError as error:
            raise MachineError(
                "the provider of sign-ins cannot be reached", where=_host(url), found=type(error).__name__
            ) from error
        if status in (400, 401) and method == "POST":
            raise _refused("a code that the provider does not take")
        if status != 200:
            raise _senseless(url, "status 200", f"status {status}")
        try:
            value = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise _senseless(url, "JSON", "something else") from error
        if not isinstance(value, dict):
            raise _senseless(url, "a JSON object", type(value).__name__)
        return value


def _bounded(response: httpx2.Response, url: str) -> bytes:
    data = b""
    for chunk in response.iter_bytes():
        data += chunk
        if len(data) > _LARGEST:
            raise _senseless(url, f"at most {_LARGEST} bytes", "more")
    return data


def _check_address(address: str, issuer: str) -> str:
    """An address that is https; http only where provider and address are this machine."""
    parts = urlsplit(address)
    local = parts.hostname in _LOCAL and urlsplit(issuer).hostname in _LOCAL
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise _senseless(issuer, "https", address[:200])
    return address


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _refused(found: str) -> SignInError:
    return SignInError("this sign-in does not hold", found=found, hint="begin again")


def _senseless(url: str, expected: str, found: str) -> MachineError:
    return MachineError(
        "the provider of sign-ins gave an answer that makes no sense", where=_host(url), expected=expected, found=found
    )
