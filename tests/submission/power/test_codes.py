"""The power working group's codes are findings of the catalogue, and all of its power findings but those of the figure."""

from __future__ import annotations

from assay.rules.findings import catalogue
from assay.submission.power.codes import WG_CODES

_OWN = {"power-document-missing", "power-files", "power-log-unreadable", "power-no-sample"}


def test_every_code_can_be_explained() -> None:
    assert set(catalogue()) >= WG_CODES


def test_no_power_finding_is_forgotten() -> None:
    power = {code for code in catalogue() if code.startswith("power-")}
    assert power - WG_CODES == _OWN
