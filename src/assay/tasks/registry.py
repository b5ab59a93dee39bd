"""The tasks there are: our own and those of plugins, by name."""

from __future__ import annotations

from assay.base.plugins import Registry
from assay.tasks.protocol import Task


def tasks() -> Registry[Task]:
    """All tasks, each imported when it is asked for."""
    return Registry("assay.tasks", "task")
