"""Equal issue: LoadGen makes whole sets of what is loaded, so that every sample is issued as often as every other.

However few queries are asked for, a run has those of the whole set; so a short run has to load as many samples as it is to
make. In SingleStream all that is planned for twice the duration is carried out: LoadGen looks for the run's end only then,
and has another set for an engine that is faster than it was expected to be.

Source: mlcommons/inference, loadgen/test_settings_internal.cc (SingleStream) and loadgen.cc (the others), v6.0; SingleStream
and Offline are the same since v2.0.
"""

from __future__ import annotations

import math

from assay.rules.model import Scenario

_SPREAD = 3.0
"""Standard deviations of how many queries arrive in a time; one too many is a whole set more."""


def makes_sets(scenario: Scenario, *, equal_issue: bool) -> bool:
    """Whether a run goes on to the end of a set: MultiStream plans whole ones, and stops when it has lasted long enough."""
    return equal_issue and scenario is not Scenario.MULTI_STREAM


def carries_all_out(scenario: Scenario, *, equal_issue: bool) -> bool:
    """Whether a stream goes on when it has lasted long enough, to the last query that was planned."""
    return equal_issue and scenario is Scenario.SINGLE_STREAM


def stream_plans(duration_s: float, expected_ns: int) -> int:
    """Queries of a single stream for its duration, at the expected latency, before they are made whole sets.

    In LoadGen's order: a whole set hangs on the last bit.
    """
    return int(2.0 * duration_s * (1e9 / max(expected_ns, 1))) + 1


def whole_sets(wanted: int, loaded: int) -> int:
    """What LoadGen makes of so many queries (Offline: samples)."""
    return -(-wanted // loaded) * loaded


def fitting_set(scenario: Scenario, wanted: int, most: int) -> int:
    """Samples to load, so that whole sets of them are what is wanted and hardly more.

    Args:
        scenario: in Server the number that arrives within the duration is random.
        wanted: queries (Offline: samples) of the run.
        most: samples that may be loaded.
    """
    if scenario is Scenario.SERVER:
        wanted = math.ceil(wanted + _SPREAD * math.sqrt(wanted))
    sets = -(-wanted // most)
    return -(-wanted // sets)


def told_count(scenario: Scenario, fewest: int, loaded: int) -> int:
    """The fewest queries as LoadGen has to be told them: SingleStream goes on to the next whole set, from a whole one, too."""
    return fewest - 1 if scenario is Scenario.SINGLE_STREAM and fewest % loaded == 0 else fewest
