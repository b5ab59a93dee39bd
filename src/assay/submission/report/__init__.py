"""A check report in the forms that people and programs read."""

from __future__ import annotations

import importlib
from pathlib import Path

from assay.submission.model import CheckReport


def write(form: str, report: CheckReport, path: Path) -> None:
    """Write a report as ``sarif``, ``junit``, ``html`` or ``xlsx``.

    Raises:
        MissingDependencyError: when the library for the form is not installed.
    """
    importlib.import_module(f"assay.submission.report.{_MODULES[form]}").write(report, path)


def encoded(form: str, report: CheckReport) -> bytes:
    """A report as the content of a ``sarif``, ``junit`` or ``html`` file."""
    content: bytes = importlib.import_module(f"assay.submission.report.{_MODULES[form]}").encoded(report)
    return content


_MODULES = {"sarif": "sarif", "junit": "junit", "html": "html", "xlsx": "workbook"}
