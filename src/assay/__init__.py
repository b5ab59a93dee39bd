"""assay: reproduce, check and improve MLPerf Inference results."""

from __future__ import annotations

__version__ = "0.1.0"
