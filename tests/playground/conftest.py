"""A playground over the published rounds, for one user or with accounts, and helpers to read its pages and use its forms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from assay.base.settings import Settings
from assay.playground.accounts.audit import CONSOLE
from assay.playground.accounts.service import Accounts
from assay.playground.accounts.settings import Hashing
from assay.playground.accounts.viewer import Role, Scope
from assay.playground.app import create_app
from assay.playground.security.config import ServerConfig
from assay.playground.security.cookies import session_name
from assay.playground.security.requests import Gate, open_gate

HTML = {"accept": "text/html"}
PASSWORD = "correct horse battery"
_CHEAP = Hashing(passes=1, memory_kib=8, lanes=1)


def local_app(settings: Settings) -> TestClient:
    """A client of a single user's playground."""
    config = ServerConfig(single_user=True)
    return TestClient(
        create_app(settings, config, Gate(config, None, None, b"s" * 32)),
        base_url="http://localhost",
        raise_server_exceptions=True,
    )


@pytest.fixture(scope="session")
def published_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with nothing of its own in it: the published rounds, and the challenges that come with assay."""
    return tmp_path_factory.mktemp("published")


@pytest.fixture(scope="session")
def client(published_home: Path) -> Iterator[TestClient]:
    """A single user's playground over the published rounds; for reading only."""
    made = local_app(Settings(home=published_home))
    # Its files never change; and a look at them while another test hides the published rounds would take them away.
    made.app.state.playground.index.every_s = 86_400.0  # type: ignore[attr-defined]
    with made as client:
        yield client


# ---- a server with accounts


def server_app(settings: Settings, **config: Any) -> TestClient:
    """A client of a playground with accounts in SQLite, whose passwords cost nothing; to be used with ``with``.

    Args:
        settings: where files are; accounts are in its home unless ``database_url`` says otherwise.
        config: of the server. Rates are not limited unless ``limits`` says so.
    """
    made = ServerConfig.model_validate({"limits": {"enabled": False}, **config})
    settings.home.mkdir(parents=True, exist_ok=True)
    accounts = Accounts(made.database(settings), replace(made.accounts, hashing=_CHEAP))
    scheme = "https" if made.secure else "http"
    return TestClient(
        create_app(settings, made, open_gate(made, accounts)), base_url=made.base_url or f"{scheme}://localhost"
    )


def accounts_of(client: TestClient) -> Accounts:
    """The accounts of a client's server."""
    accounts = _gate(client).accounts
    assert accounts is not None
    return accounts


def newcomer(client: TestClient) -> TestClient:
    """Another browser at the same server, without any cookie; where that has a loop of its own, it takes part in it."""
    browser = TestClient(client.app, base_url=str(client.base_url))
    browser.portal = client.portal
    return browser


def signed_in(client: TestClient, name: str, role: Role | str = Role.CONTRIBUTOR) -> TestClient:
    """Another browser at the same server, signed in; the account is made when there is none (password PASSWORD)."""
    accounts, config = accounts_of(client), _gate(client).config
    if name.casefold() not in {each.name.casefold() for each in accounts.people.list()}:
        accounts.people.add(name, role=Role(role), password=PASSWORD, by=CONSOLE)
    browser = newcomer(client)
    session = accounts.sign_in(name, PASSWORD, "192.0.2.1")
    browser.cookies.set(session_name(config.secure), session.cookie)
    return browser


def token_of(client: TestClient, name: str, *scopes: Scope | str) -> dict[str, str]:
    """The headers of a program with a token of an account (made as for :func:`signed_in`); READ and PUSH unless told."""
    accounts = accounts_of(client)
    if name.casefold() not in {each.name.casefold() for each in accounts.people.list()}:
        accounts.people.add(name, role=Role.CONTRIBUTOR, password=PASSWORD, by=CONSOLE)
    wanted = [Scope(each) for each in scopes] or [Scope.READ, Scope.PUSH]
    return {"Authorization": f"Bearer {accounts.tokens.create(name, 'test', wanted, by=CONSOLE).text}"}


def csrf_of(browser: TestClient) -> str:
    """The token that forms of a signed-in browser have to carry."""
    cookie = browser.cookies.get(session_name(_gate(browser).config.secure))
    viewer = accounts_of(browser).session(cookie or "")
    assert viewer is not None, "nobody is signed in"
    return viewer.csrf


def _gate(client: TestClient) -> Gate:
    gate = client.app.state.gate  # type: ignore[attr-defined]
    assert isinstance(gate, Gate)
    return gate


# ---- forms


@dataclass(frozen=True)
class Form:
    """A form as it stands on a page: what a browser would send."""

    action: str
    method: str
    fields: dict[str, str]
    words: str

    def send(self, browser: TestClient, **changed: str | list[str]) -> httpx2.Response:
        """Send it, with some fields filled in; a redirect is not followed."""
        answer = browser.request(
            self.method.upper(), self.action, data={**self.fields, **changed}, headers=HTML, follow_redirects=False
        )
        assert isinstance(answer, httpx2.Response)
        return answer


def forms_of(response: httpx2.Response) -> list[Form]:
    """Every form of a page."""
    reader = _FormReader(response.url.path)
    reader.feed(response.text)
    return [
        Form(action, method, fields, " ".join("".join(words).split())) for action, method, fields, words in reader.forms
    ]


def form_of(response: httpx2.Response, action: str = "", **fields: str) -> Form:
    """The form of a page that posts to a path beginning so, and has these fields with these values."""
    forms = forms_of(response)
    for form in forms:
        if form.method == "post" and form.action.startswith(action) and fields.items() <= form.fields.items():
            return form
    raise AssertionError(f"no such form: {action!r} {fields} in {[(each.action, each.fields) for each in forms]}")


class _FormReader(HTMLParser):
    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path
        self.forms: list[tuple[str, str, dict[str, str], list[str]]] = []
        self._open = False
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((has.get("action") or self.path, has.get("method", "get").lower(), {}, []))
            self._open = True
        if not self._open:
            return
        fields, name = self.forms[-1][2], has.get("name", "")
        if tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in has or self._select not in fields):
            fields[self._select] = has.get("value", "")
        elif name and tag in ("input", "textarea"):
            if has.get("type") not in ("checkbox", "radio", "submit") or "checked" in has:
                fields[name] = has.get("value", "on" if has.get("type") == "checkbox" else "")
        elif name and tag == "button" and "value" in has:
            fields.setdefault(name, has["value"])

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = False
        elif tag == "select":
            self._select = ""

    def handle_data(self, data: str) -> None:
        if self._open:
            self.forms[-1][3].append(data)


@pytest.fixture(scope="session")
def shared_app(published_home: Path) -> Any:
    """The application of :func:`server`, whose templates are compiled once."""
    config = ServerConfig.model_validate({"limits": {"enabled": False}, "sign_up": "open"})
    return create_app(Settings(home=published_home), config, open_gate(config, None))


@pytest.fixture
def server(shared_app: Any, tmp_path: Path) -> Iterator[TestClient]:
    """A browser at a playground that anybody may sign up to, over the published rounds, with no accounts yet."""
    state = shared_app.state
    settings = replace(state.gate.config.accounts, hashing=_CHEAP)
    accounts = Accounts(f"sqlite:///{tmp_path / 'accounts.sqlite'}", settings)
    state.gate, state.playground = (replace(each, accounts=accounts) for each in (state.gate, state.playground))
    # Pages about accounts read no results: the index need not be followed.
    yield TestClient(shared_app, base_url="http://localhost")
    accounts.close()
