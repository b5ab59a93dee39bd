"""The engines there are: our own and those of plugins, by name."""

from __future__ import annotations

from assay.backends.protocol import Backend
from assay.base.plugins import Registry


def backends() -> Registry[Backend]:
    """All engines, each imported when it is asked for."""
    return Registry("assay.backends", "backend")
