from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.responses import JSONResponse, RedirectResponse, Response

from assay.errors import AssayError, MachineError
from assay.playground.accounts.oidc import OidcClient
from assay.playground.accounts.paths import safe_path
from assay.playground.accounts.refusals import SignInError
from assay.playground.accounts.service import Accounts
from assay.playground.accounts.settings import utc_now

from .conftest import ADDRESS, Clock
from .provider import CLIENT, SECRET, Claims, Provider

BACK = "https://results.example.org/sign-in/elsewhere/return"


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    provider = Provider()
    provider.start()
    yield provider
    provider.stop()


@pytest.fixture
def provider(running: Provider) -> Provider:
    running.reset()
    return running


@pytest.fixture
def client(provider: Provider) -> OidcClient:
    return OidcClient(provider.issuer, CLIENT, SECRET, BACK, b"k" * 32)


def refused(client: OidcClient, provider: Provider) -> str:
    """Sign in with a provider that lies; returns what was wrong."""
    start = client.begin()
    with pytest.raises(SignInError) as caught:
        client.finish(provider.authorize(start.url), start.cookie)
    return str(caught.value.found)


def changed(**claims: Any) -> Callable[[Claims], Claims]:
    return lambda good: {name: value for name, value in {**good, **claims}.items() if value is not None}


# ---- all is well


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_there_and_back(client: OidcClient, provider: Provider, method: str) -> None:
    provider.methods = [method]
    start = client.begin("/results?x=1", invitation="code")
    assert SECRET not in start.url and start.cookie not in repr(start)
    arrival = client.finish(provider.authorize(start.url), start.cookie)
    assert (arrival.then, arrival.invitation) == ("/results?x=1", "code")
    identity = arrival.identity
    assert (identity.issuer, identity.subject, identity.name) == (provider.issuer, "42", "grace")
    assert (identity.shown, identity.email) == ("Grace Hopper", "grace@example.org")


def test_from_the_provider_to_a_session(client: OidcClient, provider: Provider, accounts: Accounts) -> None:
    ids = set()
    for _ in range(2):
        start = client.begin()
        arrival = client.finish(provider.authorize(start.url), start.cookie)
        session = accounts.sign_in_elsewhere(arrival.identity, ADDRESS)
        assert session.viewer.name == "grace"
        ids.add(session.viewer.account_id)
    assert len(ids) == 1


def test_every_attempt_is_another(client: OidcClient) -> None:
    one, two = client.begin(), client.begin()
    assert one.url != two.url and one.cookie != two.cookie


def test_an_email_that_nobody_verified_is_not_taken(client: OidcClient, provider: Provider) -> None:
    provider.change = changed(email_verified=None)
    start = client.begin()
    assert client.finish(provider.authorize(start.url), start.cookie).identity.email is None


def test_a_key_that_is_new_is_read(client: OidcClient, provider: Provider) -> None:
    start = client.begin()
    client.finish(provider.authorize(start.url), start.cookie)
    provider.published = ["one", "two"]
    provider.sign = lambda claims: provider.signed(claims, "two")
    assert "unknown key" in refused(client, provider), "not asked for again within half a minute"
    clock = Clock()
    clock.now = utc_now()
    later = OidcClient(provider.issuer, CLIENT, SECRET, BACK, b"k" * 32, clock=clock)
    provider.published, provider.sign = ["one"], provider.signed
    start = later.begin()
    later.finish(provider.authorize(start.url), start.cookie)
    provider.published = ["one", "two"]
    provider.sign = lambda claims: provider.signed(claims, "two")
    clock.turn(seconds=31)
    start = later.begin()
    assert later.finish(provider.authorize(start.url), start.cookie).identity.subject == "42"


def test_keys_are_not_read_each_time(client: OidcClient, provider: Provider) -> None:
    for _ in range(3):
        start = client.begin()
        client.finish(provider.authorize(start.url), start.cookie)
    assert provider.key_reads == 1


# ---- ID tokens that do not hold


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (changed(nonce="another"), "another attempt"),
        (changed(nonce=None), "another attempt"),
        (changed(aud="somebody-else"), "somebody else"),
        (changed(aud=["somebody-else"]), "somebody else"),
        (changed(aud=[CLIENT, "other"]), "several at once"),
        (changed(azp="other"), "somebody else"),
        (changed(iss="https://evil.example"), "another provider"),
        (changed(exp=1_000_000_000), "expired"),
        (changed(exp=None), "without exp"),
        (changed(exp="9999999999"), "without exp"),
        (changed(exp=float("inf")), "without exp"),
        (changed(exp=10**400), "without exp"),
        (changed(iat=4_000_000_000), "future"),
        (changed(nbf=4_000_000_000), "future"),
        (changed(iat=None), "without iat"),
        (changed(sub=None), "nobody"),
        (changed(sub=""), "nobody"),
        (changed(sub=42), "nobody"),
        (changed(sub="x" * 256), "nobody"),
    ],
)
def test_claims_that_do_not_hold(
    client: OidcClient, provider: Provider, change: Callable[[Claims], Claims], found: str
) -> None:
    provider.change = change
    assert found in refused(client, provider)


def encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def test_a_token_that_nobody_signed(client: OidcClient, provider: Provider) -> None:
    for alg in ("none", "None", "nOnE", ""):
        provider.sign = lambda claims, alg=alg: f"{encoded({'alg': alg})}.{encoded(claims)}."  # type: ignore[misc]
        assert "signed with" in refused(client, provider) or alg == ""


def test_a_token_signed_with_another_key(client: OidcClient, provider: Provider) -> None:
    provider.sign = lambda claims: provider.signed(claims, "two", kid="one")
    assert "signature" in refused(client, provider)
    provider.sign = lambda claims: provider.signed(claims, "two")
    assert "unknown key" in refused(client, provider)


def test_a_token_signed_with_what_everybody_knows(client: OidcClient, provider: Provider) -> None:
    """The public key as a shared secret, and a shared secret that is published."""
    import hmac

    def forged(secret: bytes, kid: str) -> Callable[[Claims], str]:
        def sign(claims: Claims) -> str:
            text = f"{encoded({'alg': 'HS256', 'kid': kid})}.{encoded(claims)}"
            mac = hmac.digest(secret, text.encode(), "sha256")
            return f"{text}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"

        return sign

    provider.sign = forged(provider.keys["one"].as_pem(private=False), "one")
    assert "'HS256'" in refused(client, provider)
    provider.sign = forged(base64.urlsafe_b64decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ=="), "shared")
    assert "'HS256'" in refused(client, provider)


def test_a_token_that_was_changed_afterwards(client: OidcClient, provider: Provider) -> None:
    def tampered(claims: Claims) -> str:
        head, _, signature = provider.signed(claims).split(".")
        return f"{head}.{encoded({**claims, 'sub': 'somebody-else'})}.{signature}"

    provider.sign = tampered
    assert "signature" in refused(client, provider)


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "..", "." * 100, "x" * 70_000, '{"alg":"RS256"}'])
def test_what_is_no_token(client: OidcClient, provider: Provider, text: str) -> None:
    provider.sign = lambda _claims: text
    assert refused(client, provider)


# ---- ways back that do not fit


def test_a_state_of_somebody_else(client: OidcClient, provider: Provider) -> None:
    """Another's code, sent to a victim's browser, signs nobody in."""
    victim, attacker = client.begin(), client.begin()
    back = provider.authorize(attacker.url)
    for query in (back, {"code": back["code"]}, {**back, "state": ""}):
        with pytest.raises(SignInError) as caught:
            client.finish(query, victim.cookie)
        assert caught.value.found == "another state"


def test_a_code_is_good_for_the_attempt_it_was_given_for(client: OidcClient, provider: Provider) -> None:
    victim, attacker = client.begin(), client.begin()
    stolen = provider.authorize(victim.url)["code"]
    state = provider.authorize(attacker.url)["state"]
    with pytest.raises(SignInError, match="does not hold") as caught:
        client.finish({"code": stolen, "state": state}, attacker.cookie)
    assert "does not take" in str(caught.value.found)


def test_cookies_that_are_not_ours(client: OidcClient, provider: Provider) -> None:
    start = client.begin()
    back = provider.authorize(start.url)
    text, _, signature = start.cookie.partition(".")
    other = OidcClient(provider.issuer, CLIENT, SECRET, BACK, b"x" * 32)
    for cookie in (None, "", ".", text, f"{text[:-4]}AAAA.{signature}", f"{text}.{'0' * 64}", other.begin().cookie):
        with pytest.raises(SignInError):
            client.finish(back, cookie)


def test_a_sign_in_that_takes_too_long(provider: Provider) -> None:
    clock = Clock()
    client = OidcClient(provider.issuer, CLIENT, SECRET, BACK, b"k" * 32, clock=clock)
    start = client.begin()
    clock.turn(minutes=11)
    with pytest.raises(SignInError) as caught:
        client.finish(provider.authorize(start.url), start.cookie)
    assert "too long" in str(caught.value.found)


def test_the_provider_says_no(client: OidcClient, provider: Provider) -> None:
    start = client.begin()
    back = provider.authorize(start.url)
    for query in ({"state": back["state"], "error": "access_denied"}, {"state": back["state"]}):
        with pytest.raises(SignInError, match="did not let you in"):
            client.finish(query, start.cookie)
    with pytest.raises(SignInError):
        client.finish({**back, "iss": "https://evil.example"}, start.cookie)


@pytest.mark.parametrize(
    "path", ["//evil.example", "/\\evil.example", "https://evil.example", "", "x", "/a\nb", "/" + "x" * 3000]
)
def test_nobody_is_sent_elsewhere_afterwards(path: str) -> None:
    assert safe_path(path) == "/"


def test_paths_of_ours_are_kept() -> None:
    assert safe_path("/explore?x=a%20b&y=//c") == "/explore?x=a%20b&y=//c"


# ---- providers that make no sense


@pytest.mark.parametrize(
    "said",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": None},
        {"jwks_uri": 3},
        {"jwks_uri": "http://evil.example/keys"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"filler": "x" * 300_000},
    ],
)
def test_a_discovery_that_makes_no_sense(client: OidcClient, provider: Provider, said: dict[str, Any]) -> None:
    provider.discovery = said
    with pytest.raises(MachineError, match="no sense"):
        client.begin()


@pytest.mark.parametrize(
    "answer",
    [
        Response("<html>", 200),
        JSONResponse([1], 200),
        Response("[" * 100_000, 200),
        JSONResponse({}, 500),
        Response("x" * 300_000, 200),
        RedirectResponse("http://127.0.0.1:1/"),
    ],
)
def test_answers_that_make_no_sense(client: OidcClient, provider: Provider, answer: Response) -> None:
    provider.answer = answer
    start = client.begin()
    with pytest.raises(MachineError, match="no sense"):
        client.finish(provider.authorize(start.url), start.cookie)


def test_an_answer_without_a_token(client: OidcClient, provider: Provider) -> None:
    provider.answer = JSONResponse({"access_token": "x"})
    assert refused(client, provider) == "no ID token"


def test_a_provider_that_is_not_there() -> None:
    client = OidcClient("http://127.0.0.1:1", CLIENT, SECRET, BACK, b"k" * 32)
    with pytest.raises(MachineError, match="cannot be reached"):
        client.begin()


@pytest.mark.parametrize("issuer", ["http://id.example.org", "ftp://localhost", "id.example.org"])
def test_an_issuer_has_to_be_https(issuer: str) -> None:
    with pytest.raises(MachineError):
        OidcClient(issuer, CLIENT, SECRET, BACK, b"k" * 32)


def test_many_at_once(client: OidcClient, provider: Provider) -> None:
    names: list[str] = []

    def sign_in() -> None:
        start = client.begin()
        try:
            names.append(client.finish(provider.authorize(start.url), start.cookie).identity.subject)
        except AssayError as error:
            names.append(str(error))

    threads = [threading.Thread(target=sign_in) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names == ["42"] * 6
    assert provider.key_reads == 1
