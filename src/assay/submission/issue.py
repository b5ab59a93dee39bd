"""An issue: something seen in a submission tree, before any rule set has said how grave it is.

Checks observe and say what they saw; how grave it is under the official tool of a round and under its written
rules is looked up afterwards (:mod:`assay.rules.findings`). So a check never asks for the round's name.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing seen.

    Attributes:
        code: stable code of the finding catalogue, such as ``seed-wrong``.
        path: the file or folder it is about, relative to the root of the tree, with ``/``.
        detail: one sentence on this very case, without a full stop; empty when field, found and expected say it all.
        field: key inside the file, such as ``effective_qsl_rng_seed``.
        found: what stands there, shortened to something readable.
        expected: what should stand there.
        line: line of the file, from 1.
    """

    code: str
    path: str
    detail: str = ""
    field: str = ""
    found: str = ""
    expected: str = ""
    line: int | None = None
