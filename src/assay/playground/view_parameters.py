"""The parameters of the explorer's address as its description (OpenAPI) tells them."""

from __future__ import annotations

from typing import Any

from assay.playground.view import INCLUDE, MORE_FACETS, PER_PAGE
from assay.results.facets import FACETS
from assay.results.fields import by_name
from assay.results.plots import Mark

_TEXT: dict[str, Any] = {"type": "string", "maxLength": 4000}
_FLAG: dict[str, Any] = {"type": "string", "enum": ["1", "0"]}
_PLAIN = {
    "filter": "condition in the language of expressions",
    "x": "expression of the plot's first axis",
    "y": "expression of the plot's second axis",
    "color": "expression or field that colours points",
    "size": "expression of the size of points",
    "facet": "field that gives each of its values a plot",
    "sort": "expressions with commas between; - before one turns its order",
    "title": "what the view is called",
}
_FLAGS = {
    "xlog": "logarithmic first axis",
    "ylog": "logarithmic second axis",
    "best": "only the best result of each system",
    "pareto": "mark the front",
    "spans": "mark how far results that were measured again lie apart",
}
_LISTS = {
    "metric": "own metric: NAME=EXPRESSION",
    "columns": "columns of the table: expressions with commas between",
    "xlines": "values that lines are drawn at, with commas between",
    "ylines": "values that lines are drawn at, with commas between",
}


def _one(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def _many(name: str, description: str, items: dict[str, Any]) -> dict[str, Any]:
    return _one(name, description, {"type": "array", "items": items, "maxItems": 200})


def _described() -> list[dict[str, Any]]:
    fields = by_name()
    return [
        *(_many(name, fields[name].description if name in fields else name, _TEXT) for name in FACETS + MORE_FACETS),
        _many("include", "what is shown beside measured results", {"type": "string", "enum": list(INCLUDE)}),
        *(_one(name, text, _TEXT) for name, text in _PLAIN.items()),
        *(_many(name, text, _TEXT) for name, text in _LISTS.items()),
        _one("mark", "kind of plot", {"type": "string", "enum": [each.value for each in Mark]}),
        *(_one(name, text, _FLAG) for name, text in _FLAGS.items()),
        *(
            _one(name, "which end of the axis is better", {"type": "string", "enum": ["most", "least"]})
            for name in ("xbest", "ybest")
        ),
        _one("per", "rows on a page", {"type": "integer", "enum": list(PER_PAGE)}),
        _one("page", "of the table", {"type": "integer", "minimum": 1, "maximum": 9_999_999}),
    ]


PARAMETERS = tuple(_described())
"""One for each parameter, in the form of OpenAPI; those that may be repeated are arrays."""
