"""The pages, one module for each noun."""

from __future__ import annotations

from assay.playground.pages import (
    api,
    benchmarks,
    compare,
    documents,
    explorer,
    health,
    home,
    organisations,
    results,
    rounds,
    runs,
    search,
    systems,
    views,
)

ROUTERS = (
    explorer.pages.router,
    home.pages.router,
    documents.pages.router,
    health.router,
    runs.pages.router,
    search.pages.router,
    api.pages.router,
    results.pages.router,
    compare.pages.router,
    systems.pages.router,
    organisations.pages.router,
    benchmarks.pages.router,
    rounds.pages.router,
    views.pages.router,
)
"""Every router of the application."""
