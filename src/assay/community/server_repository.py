"""The server's own CM repository, ``<home>/repos/playground``: kept in git, written as commits by contributors."""

from __future__ import annotations

from assay.base.settings import Settings
from assay.cm.repository import Repository

ALIAS = "playground"


def server_repository(settings: Settings) -> Repository:
    """The repository, made and registered on first use; what a killed process left half-done is taken back.

    Raises:
        MissingDependencyError: when it has to be made and git is not installed.
    """
    raise NotImplementedError
