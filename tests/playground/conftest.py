"""A playground over the published rounds, for one user, and helpers to read its pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from assay.base.settings import Settings
from assay.playground.app import create_app
from assay.playground.security.config import ServerConfig
from assay.playground.security.requests import Gate

HTML = {"accept": "text/html"}


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
    with local_app(Settings(home=published_home)) as client:
        yield client
