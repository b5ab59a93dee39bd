"""The engines there are: our own and those of plugins, by name."""

from __future__ import annotations

from assay.backends.protocol import Backend, BackendOptions, Capabilities
from assay.base.plugins import Registry
from assay.errors import AssayError, InvalidInputError


def backends() -> Registry[Backend]:
    """All engines, each imported when it is asked for."""
    return Registry("assay.backends", "backend")


def capabilities_of(name: str, backend: Backend) -> Capabilities:
    """What an engine can do here.

    Raises:
        MissingDependencyError: when the engine's library is not installed.
        InvalidInputError: when a plugin's engine breaks while it is asked.
    """
    try:
        return backend.capabilities()
    except AssayError:
        raise
    except Exception as error:  # the plugin door: a stranger's engine may raise anything
        raise InvalidInputError(
            f"backend {name!r} breaks when it is asked what it can do: {type(error).__name__}: {error}",
            hint="update or uninstall the package it comes from",
        ) from error


def check_options(name: str, backend: Backend, options: BackendOptions) -> None:
    """Have an engine refuse the options that it cannot meet, before there is a model.

    Raises:
        UsageError: for an option that does not exist or cannot be met here.
        MissingDependencyError: when the engine's library is not installed.
        InvalidInputError: when a plugin's engine breaks while it is asked.
    """
    check = getattr(backend, "check_options", None)
    if check is None:  # a plugin that has nothing to say until it opens a model
        return
    try:
        check(options)
    except AssayError:
        raise
    except Exception as error:  # the plugin door: a stranger's engine may raise anything
        raise InvalidInputError(
            f"backend {name!r} breaks when it is asked about options: {type(error).__name__}: {error}",
            hint="update or uninstall the package it comes from",
        ) from error
