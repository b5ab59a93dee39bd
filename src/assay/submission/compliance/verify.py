"""The ``verify_performance.txt`` and ``verify_accuracy.txt`` of a test, read as claims."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from assay.submission.compliance.reading import read_lines
from assay.submission.compliance.script import MARK

PERFORMANCE, ACCURACY = "verify_performance.txt", "verify_accuracy.txt"
_SCORE = re.compile(r"([A-Za-z0-9-]{1,30} score) = (.{0,200})")
_COUNT = re.compile(r"(num_[a-z_]{1,40}) = (\d{1,18})\s*")


@dataclass(frozen=True, slots=True)
class Claim:
    """What a verify file says.

    Attributes:
        passed: it says ``TEST PASS``.
        figures: what it calls a figure to the figure, as text; of several the last.
        lines: the lines of those, from 1.
    """

    passed: bool
    figures: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)

    def count(self, name: str) -> int | None:
        """A figure of ``verify_accuracy.txt``; None when it is not there."""
        return int(self.figures[name]) if name in self.figures else None


def read_claim(path: str) -> tuple[Claim | None, str]:
    """Read a verify file of at most 8 MiB; None and the problem in words when it cannot be read."""
    lines, problem = read_lines(path)
    if lines is None:
        return None, problem
    figures: dict[str, str] = {}
    places: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        match = _SCORE.fullmatch(line.rstrip()) or _COUNT.fullmatch(line)
        if match:
            figures[match[1]] = match[2].strip()
            places[match[1]] = number
    return Claim(any(MARK in line for line in lines), figures, places), ""
