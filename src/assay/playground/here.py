"""What a page knows: who looks, what they may see, and where everything is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from assay.base.settings import Settings
from assay.expressions import Schema
from assay.playground.accounts.viewer import Viewer
from assay.playground.index import Index, utc_text
from assay.playground.markup import Markup
from assay.playground.security.config import ServerConfig
from assay.playground.security.metrics import Metrics as Counters
from assay.playground.security.requests import identify
from assay.results.metrics import Metrics
from assay.results.store import Store

if TYPE_CHECKING:
    from assay.playground.accounts.service import Accounts


@dataclass(frozen=True, slots=True)
class Playground:
    """The parts of a running playground, at ``app.state.playground``.

    Attributes:
        settings: where files are.
        config: how the server is set up.
        index: the results.
        markup: templates.
        accounts: None for a single user.
        counters: the server's own figures.
    """

    settings: Settings
    config: ServerConfig
    index: Index
    markup: Markup
    accounts: Accounts | None = None
    counters: Counters = field(default_factory=Counters)


@dataclass(slots=True)
class Here:
    """A request as pages see it.

    Attributes:
        request: as it came.
        playground: the parts of the server.
        viewer: who looks.
    """

    request: Request
    playground: Playground
    viewer: Viewer
    _store: Store | None = field(default=None, repr=False)

    @property
    def settings(self) -> Settings:
        """Where files are."""
        return self.playground.settings

    @property
    def names(self) -> Schema:
        """Fields, metrics and numbers that expressions may use."""
        return self.playground.index.names

    @property
    def metrics(self) -> Metrics:
        """The derived metrics."""
        return self.playground.index.metrics

    @property
    def now(self) -> datetime:
        """The moment, with its zone."""
        return self.playground.index.clock().astimezone(UTC)

    @property
    def stamp(self) -> str:
        """The moment as rows write it."""
        return utc_text(self.now)

    @property
    def store(self) -> Store:
        """The results that the viewer may see, and no others: the only way of a page to results."""
        if self._store is None:
            self._store = self.playground.index.seen_by(self.viewer.audience)
        return self._store

    def close(self) -> None:
        """Let go of the results."""
        if self._store is not None:
            self._store.close()


def _here(request: Request) -> Iterator[Here]:
    here = Here(request, request.app.state.playground, identify(request))
    try:
        yield here
    finally:
        here.close()


Looking = Annotated[Here, Depends(_here)]
"""The parameter of a page: ``def home(here: Looking) -> HomePage``."""
