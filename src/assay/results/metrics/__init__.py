"""Derived metrics: formulas over the fields of a row, written in YAML, with units, and used like fields in queries.

Public: :func:`load_metrics` gives every metric there is, :func:`load_values` the numbers that the user gave to their
parameters, ``metrics.schema(values)`` the names that an expression may use, :func:`comparable` what ``rank`` and
``baseline`` compare.
"""

from assay.results.metrics.catalogue import BrokenMetric, Metrics, Replaced, load_metrics
from assay.results.metrics.comparing import COMPARABLE, comparable
from assay.results.metrics.model import Better, Metric, ParameterInfo, Scope
from assay.results.metrics.values import NO_VALUES, Values, load_values

__all__ = [
    "COMPARABLE",
    "NO_VALUES",
    "Better",
    "BrokenMetric",
    "Metric",
    "Metrics",
    "ParameterInfo",
    "Replaced",
    "Scope",
    "Values",
    "comparable",
    "load_metrics",
    "load_values",
]
