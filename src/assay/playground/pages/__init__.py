"""The pages, one module for each noun."""

from __future__ import annotations

from assay.playground.pages import (
    account,
    api,
    benchmarks,
    compare,
    documents,
    explorer,
    health,
    home,
    organisations,
    people,
    results,
    rounds,
    runs,
    search,
    server,
    sign_in,
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
    sign_in.pages.router,
    account.pages.router,
    people.pages.router,
    server.router,
)
"""Every router of the application."""
