"""The pages, one module for each noun."""

from __future__ import annotations

from assay.playground.pages import documents, explorer, health, home

ROUTERS = (explorer.pages.router, home.pages.router, documents.pages.router, health.router)
"""Every router of the application."""
