"""Who the daemon says it is: analyzer, version, and whether it is a simulation."""

from __future__ import annotations

import re
from dataclasses import dataclass

SIMULATED = "SIMULATED"
"""Stands in the Identify answer of every simulation, and so in ``server.json`` of whatever was measured with it."""

_VERSION = re.compile(r"version=([^,-]+)")


@dataclass(frozen=True, slots=True)
class Identity:
    """The answer to ``Identify``.

    Attributes:
        analyzer: model, as ``YokogawaWT310``.
        version: of the daemon; empty when it does not say.
        simulated: no analyzer is behind it.
    """

    analyzer: str
    version: str
    simulated: bool

    @classmethod
    def parse(cls, answer: str) -> Identity:
        """Read the answer."""
        version = _VERSION.search(answer)
        return cls(answer.partition(",")[0].strip(), version[1] if version else "", SIMULATED in answer)
