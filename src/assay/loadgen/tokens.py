"""What LoadGen says of tokens where it times them: their rate, the time to the first one, and for each after it.

Source of the keys: loadgen/results.cc and test_settings_internal.cc, mlcommons/inference v4.0 to v6.0. With
``use_token_latencies`` Server holds bounds of the two times in place of the one of the latency.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.loadgen.logs import DetailLog
from assay.rules.model import Scenario, TokenLatency

_ON = "requested_use_token_latencies"
_BOUNDS = ("requested_server_ttft_latency", "requested_server_tpot_latency")
_RATES = (
    "result_tokens_per_second",
    "result_completed_tokens_per_second",
    "result_token_throughput_with_loadgen_overhead",
)
_PERCENTILES = {"p50": "50.00", "p90": "90.00", "p97": "97.00", "p99": "99.00", "p99.9": "99.90"}
FIRST, EACH = "first_token", "next_token"
"""The names of both times, which are those of assay's own figures, too."""


@dataclass(frozen=True, slots=True)
class TokenBound:
    """A bound of Server, and what was measured of it.

    Attributes:
        name: of the time, such as ``time to first token``.
        bound_ns: as the run was given it.
        at_percentile_ns: at the percentile that LoadGen holds against the bound; None where the log does not say.
    """

    name: str
    bound_ns: float
    at_percentile_ns: float | None

    @property
    def met(self) -> bool:
        """Whether it was held; a log that does not say is not judged by it."""
        return self.at_percentile_ns is None or self.at_percentile_ns <= self.bound_ns


def timed(detail: DetailLog) -> bool:
    """Whether LoadGen timed tokens."""
    return detail.values.get(_ON) is True


def token_bounds(detail: DetailLog, percentile: float) -> tuple[TokenBound, ...]:
    """The bounds that a run in Server had; empty where tokens were not timed."""
    if not timed(detail):
        return ()
    digits = f"{percentile * 100:.2f}"
    measured = (
        f"result_first_token_{digits}_percentile_latency_ns",
        f"result_time_per_output_token_{digits}_percentile_ns",
    )
    names = ("time to first token", "time per token")
    return tuple(
        TokenBound(name, detail.number(bound) or 0.0, detail.number(key))
        for name, bound, key in zip(names, _BOUNDS, measured, strict=True)
    )


def token_figures(detail: DetailLog) -> dict[str, float]:
    """Everything of tokens that LoadGen measured, by name with the unit; empty where it timed none.

    The names are those of assay's own figures (``first_token_p99_ns``, ``answer_tokens_per_second``).
    """
    return dict(_figures(detail)) if timed(detail) else {}


def _figures(detail: DetailLog) -> Iterator[tuple[str, float]]:
    rate = next((value for key in _RATES if (value := detail.number(key)) is not None), None)
    if rate is not None:
        yield "answer_tokens_per_second", rate
    keys = {f"{FIRST}_{name}_ns": f"result_first_token_{name}_latency_ns" for name in ("mean", "min", "max")}
    keys |= {
        f"{FIRST}_{name}_ns": f"result_first_token_{digits}_percentile_latency_ns"
        for name, digits in _PERCENTILES.items()
    }
    keys |= {f"{EACH}_{name}_ns": f"result_time_to_output_token_{name}" for name in ("mean", "min", "max")}
    keys |= {
        f"{EACH}_{name}_ns": f"result_time_per_output_token_{digits}_percentile_ns"
        for name, digits in _PERCENTILES.items()
    }
    for name, key in keys.items():
        value = detail.number(key)
        if value is not None:
            yield name, value


def weaker_tokens(
    detail: DetailLog, bounds: TokenLatency | None, scenario: Scenario
) -> Iterator[tuple[str, float | None, float]]:
    """Where a run held tokens to less than the round does: what, the round's bound (None for none), and the run's.

    Nothing where the round has no bounds; the first is that tokens were not timed at all.
    """
    if bounds is None:
        return
    if not timed(detail):
        yield "use_token_latencies", None, 0.0
    elif scenario is Scenario.SERVER:
        for key, most in zip(_BOUNDS, (bounds.first_token_ns, bounds.per_token_ns), strict=True):
            used = detail.number(key)
            if used is not None and used > most:
                yield key.removeprefix("requested_server_"), most, used
