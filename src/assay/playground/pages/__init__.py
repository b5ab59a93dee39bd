"""The pages, one module for each noun."""

from __future__ import annotations

from assay.playground.pages import documents, explorer, health, home, runs

ROUTERS = (explorer.pages.router, home.pages.router, documents.pages.router, health.router, runs.pages.router)
"""Every router of the application."""
