"""Journals of the tests need not outlive the machine."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search waits for the disk a dozen times a trial; a trial of the tests takes no time."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
