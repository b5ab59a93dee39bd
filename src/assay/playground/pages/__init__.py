"""The pages, one module for each noun."""

from __future__ import annotations

from assay.playground.pages import home

ROUTERS = (home.pages.router,)
"""Every router of the application."""
