"""Which results may be compared with each other by ``rank``, ``best`` and ``baseline``."""

from __future__ import annotations

from assay.expressions import Context, Sql

COMPARABLE: tuple[str, ...] = ("round", "benchmark", "scenario", "division", "category")
"""Fields that results have in common before their figures are compared."""


def comparable(baseline: Sql | None = None, fields: tuple[str, ...] = COMPARABLE) -> Context:
    """The context of a query that is not grouped, in which results are compared with those like them.

    Args:
        baseline: condition that the baseline results fulfil; None when none is chosen.
        fields: what results have in common; names of fields, ours and never a user's text.
    """
    return Context(windows=True, partition=tuple(f'"{name}"' for name in fields), baseline=baseline)
