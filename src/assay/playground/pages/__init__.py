"""The pages, one module for each noun."""

from __future__ import annotations

from assay.playground.pages import api, documents, explorer, health, home, runs, search

ROUTERS = (
    explorer.pages.router,
    home.pages.router,
    documents.pages.router,
    health.router,
    runs.pages.router,
    search.pages.router,
    api.pages.router,
)
"""Every router of the application."""
