"""LoadGen's targets from a short probe of the engine, where the user gave none.

LoadGen plans how many queries to make from the expected rate or latency; a wrong guess ends a run too early or without
enough queries, so it is measured and not guessed.
"""

from __future__ import annotations

import math

from assay.harness.outcome import Probe
from assay.loadgen.settings import Overrides
from assay.loadgen.whole_sets import carries_all_out
from assay.rules.model import Limits, Scenario

OFFLINE_MARGIN = 1.15
"""LoadGen makes samples for 1.1 times the duration at the expected rate; more covers a run faster than the one measured.

On a virtual machine runs of one setting differ by a tenth: a run that is too fast for its samples is INVALID as a whole.
"""

_STREAM_MARGIN = 0.5
"""LoadGen makes queries for twice the duration at the expected latency; half of it covers an engine that speeds up.

Of the probe the fastest query is taken, not the median: where something else kept the machine busy meanwhile, the median
is many times the latency of the run, whose queries would be used up before its time. Queries too many cost nothing.
"""

_EQUAL_ISSUE_MARGIN = 1.5
"""With equal issue a single stream carries out all of these queries, so that they are those of a third more than the duration
and not of four times it. An engine that is faster still has another set of them.
"""

_SERVER_SHARE = 0.35
"""Share of the batch-1 rate that Server is sent at: random arrivals need room, or the queue grows without end."""


def targets_from(probe: Probe, scenario: Scenario, limits: Limits) -> Overrides:
    """The target of a scenario with the round's limits, from what the engine did in the probe."""
    if scenario is Scenario.OFFLINE:
        return Overrides(target_qps=probe.rate * OFFLINE_MARGIN)
    if scenario is Scenario.SERVER:
        return Overrides(target_qps=max(1e9 / probe.latency_ns * _SERVER_SHARE, 0.01))
    if scenario is Scenario.MULTI_STREAM:
        batches = math.ceil((limits.samples_per_query or 1) / probe.batch_size)
        return Overrides(target_latency_ns=max(round(probe.fastest_batch_ns * batches * _STREAM_MARGIN), 1))
    all_of_them = carries_all_out(scenario, equal_issue=limits.equal_issue)
    margin = _EQUAL_ISSUE_MARGIN if all_of_them else _STREAM_MARGIN
    return Overrides(target_latency_ns=max(round(probe.fastest_ns * margin), 1))
