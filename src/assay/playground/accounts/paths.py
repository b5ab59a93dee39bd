"""Addresses to go on to: those of this server, and no others."""

from __future__ import annotations


def safe_path(path: str) -> str:
    """A path of this server; ``/`` for everything that could lead elsewhere."""
    plain = path.isprintable() and path.startswith("/") and not path.startswith("//") and "\\" not in path
    return path if plain and len(path) <= 2000 else "/"
