"""The tokens that TEST06 keeps of a performance run: what LoadGen was told of them, and what the responses hold.

Source: compliance/nvidia/TEST06/run_verification.py and README.md of mlcommons/inference v4.0. A response holds int64
tokens, as the reference's do. One thing is stricter: the rule of one end of text at most holds for a response of nothing
else, too, which the script passes over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from assay.base.units import format_count
from assay.loadgen.audit import Audit
from assay.loadgen.compliance import FIXES, SCOPE, Verified, made
from assay.loadgen.logs import DetailLog, Tokens
from assay.loadgen.verdict import Constraint
from assay.rules.model import Round, Scenario

_END = 2
"""Llama 2's token for the end of a text."""
_TOKEN = np.dtype("<i8")


@dataclass(frozen=True, slots=True)
class Kept:
    """What the log of TEST06 holds.

    Attributes:
        entries: responses.
        ends: of these, those that end with more than one end of text.
        lengths: of these, those whose tokens are not as many as LoadGen was told.
        firsts: of these, those whose first token is not the one that LoadGen was told first.
    """

    entries: int
    ends: int
    lengths: int
    firsts: int


def read_tokens(entries: Iterable[Tokens]) -> Kept:
    """Look at every response of the log."""
    count = ends = lengths = firsts = 0
    for entry in entries:
        count += 1
        whole = len(entry.data) - len(entry.data) % _TOKEN.itemsize
        tokens = np.frombuffer(entry.data[:whole], _TOKEN)
        ends += len(tokens) > 1 and bool((tokens[-2:] == _END).all())
        lengths += entry.count is None or len(entry.data) != entry.count * _TOKEN.itemsize
        firsts += not entry.first or not entry.data.startswith(entry.first)
    return Kept(count, ends, lengths, firsts)


def verify_tokens(audit: Audit, kept: Kept, tested: DetailLog, scenario: Scenario, round_: Round) -> Verified:
    """Verify TEST06: the test was made as asked, and the tokens are consistent.

    Args:
        audit: settings of the test.
        kept: what its log holds.
        tested: its detail log.
        scenario: of the run; Offline tells no first token.
        round_: that asks for the test.
    """
    source = f"{audit.test} of round {round_.name}"
    asked = scenario is not Scenario.OFFLINE
    found = dict(_checks(kept, first=asked))
    constraints = [*made(audit, tested, source), _some(kept, source)]
    constraints += [
        Constraint(
            f"TEST06 {name}",
            wrong == 0,
            limit,
            f"{format_count(wrong)} of {format_count(kept.entries)} responses are otherwise",
            source,
            FIXES["TEST06"] if wrong else "",
            SCOPE,
        )
        for name, (wrong, limit) in found.items()
    ]
    there = kept.entries > 0
    lines = [
        f"First token check pass: {there and kept.firsts == 0 if asked else 'Skipped'}",
        f"EOS check pass: {there and kept.ends == 0}",
        f"Sample length check pass: {there and kept.lengths == 0}",
        f"TEST06 verification {'complete' if all(item.met for item in constraints) else 'failed'}",
    ]
    return Verified(tuple(constraints), "\n".join(lines) + "\n")


def _checks(kept: Kept, *, first: bool) -> Iterator[tuple[str, tuple[int, str]]]:
    if first:
        yield "first token", (kept.firsts, "the token that was told first is the response's first")
    yield "end of text", (kept.ends, "a response ends with one end of text at most")
    yield "length", (kept.lengths, "a response has as many int64 tokens as LoadGen was told")


def _some(kept: Kept, source: str) -> Constraint:
    met = kept.entries > 0
    fix = "" if met else "see why LoadGen kept no responses"
    return Constraint("TEST06 responses", met, "at least 1", format_count(kept.entries), source, fix, SCOPE)
