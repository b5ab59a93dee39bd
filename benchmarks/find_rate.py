"""How near the rate that ``assay find-rate`` finds is to the best rate of a fine sweep, on the real LoadGen.

    ASSAY_HOME=... python benchmarks/find_rate.py               mobilenet-v2 on its usual engine, at most 12 minutes
    ASSAY_HOME=... python benchmarks/find_rate.py --fixed       an engine whose work is a sleep of 1 ms, at most 4
    python benchmarks/find_rate.py --full 30 --attempt 8 --step 1 --each-side 5 --minutes 20 --output rate.json

The search is the command's own. The sweep goes over rates around what it found, each as often as ``--passes`` says, at the
length that the search confirms with: up, then down, so that a machine that gets slower or faster moves no rate more than
another. A rate of the sweep passes when the queries of its runs together would: as many of a run's queries late as on the
average, early stopping is met. Said besides are the highest rate at which every run was VALID and the highest at which any was.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.base.progress import SILENT
from assay.base.settings import Settings, load_settings
from assay.campaign.execute import carry_out
from assay.campaign.find_rate import carry_out_search
from assay.campaign.plan import make_plan
from assay.campaign.request import RunRequest
from assay.campaign.search_plan import SearchPlan, plan_search
from assay.loadgen.attempts import Tried
from assay.loadgen.logs import read_detail
from assay.loadgen.measured import measure
from assay.loadgen.names import DETAIL
from assay.loadgen.search import Found
from assay.loadgen.statistics import queries_needed
from assay.rules.model import Scenario

PLUGIN = Path(__file__).parent / "fixed_service"
START_S = 5.0
"""Longest that a run takes besides its length."""


@dataclass(frozen=True)
class Swept:
    """One run of the sweep."""

    number: int
    rate: float
    queries: int
    late: int
    valid: bool
    p99_ms: float
    least_ms: float


@dataclass(frozen=True)
class Rated:
    """All runs of the sweep at one rate."""

    rate: float
    runs: tuple[Swept, ...]
    percentile: float

    @property
    def passes(self) -> bool:
        """Whether a run with as many late queries as these had on the average passes."""
        queries = statistics.mean(run.queries for run in self.runs)
        return queries >= queries_needed(round(statistics.mean(run.late for run in self.runs)), self.percentile)


def main() -> int:
    options = parsed()
    begun = time.perf_counter()
    ends = begun + options.minutes * 60
    settings = load_settings()
    if options.fixed:
        # The engine is a plugin: here and, by the variable, in the worker processes.
        sys.path.insert(0, str(PLUGIN))
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(PLUGIN), os.environ.get("PYTHONPATH"))))
    plan = planned(options, settings)
    print(*plan.lines(), sep="\n", flush=True)
    found = carry_out_search(plan, settings, SILENT, tell).found
    searched_s = time.perf_counter() - begun
    if found.rate is None:
        print("no rate was found")
        return 1
    print(f"\nfound {found.rate:g} queries/s after {len(found.tried)} runs and {searched_s:.0f} s\n", flush=True)
    rated = sweep(found.rate, plan, settings, options, ends)
    report(found, rated, options, searched_s, time.perf_counter() - begun)
    return 0


def parsed() -> argparse.Namespace:
    """The options, with what hangs on the engine filled in."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="mobilenet-v2")
    parser.add_argument("--fixed", action="store_true", help="in place of the model's engine a sleep for each sample")
    parser.add_argument("--ms", type=float, default=1.0, help="length of that sleep")
    parser.add_argument("--threads", type=int, default=0, help="compute threads of the engine")
    parser.add_argument("--bound-ms", type=float, help="latency bound in place of the round's")
    parser.add_argument("--full", type=float, help="seconds of a run of the sweep, and of a confirmation")
    parser.add_argument("--attempt", type=float, help="seconds of the search's first attempts")
    parser.add_argument("--start-qps", type=float, help="first rate of the search")
    parser.add_argument("--tolerance", type=float, default=2.0, help="of the search, in percent")
    parser.add_argument("--step", type=float, default=1.5, help="of the sweep, in percent")
    parser.add_argument("--each-side", type=int, help="rates of the sweep on each side of the found one")
    parser.add_argument("--passes", type=int, default=2, help="runs at each rate of the sweep")
    parser.add_argument("--minutes", type=float, help="no run begins that would end after so many")
    parser.add_argument("--output", type=Path, help="file for the JSON document")
    options = parser.parse_args()
    if options.fixed and options.bound_ms is None:
        options.bound_ms = options.ms * 6
    usual = (10.0, 3.0, 3, 4.0) if options.fixed else (20.0, 6.0, 4, 11.8)
    names = ("full", "attempt", "each_side", "minutes")
    for name, value in zip(names, usual, strict=True):
        if getattr(options, name) is None:
            setattr(options, name, value)
    return options


def planned(options: argparse.Namespace, settings: Settings) -> SearchPlan:
    """The search, as the command makes it."""
    engine: dict[str, Any] = {"backend": "fixed", "backend_options": {"ms": f"{options.ms:g}"}} if options.fixed else {}
    request = RunRequest(
        name=options.model,
        scenarios=(Scenario.SERVER,),
        duration_ns=round(options.full * 1e9),
        target_latency_ns=round(options.bound_ms * 1e6) if options.bound_ms else None,
        threads=options.threads,
        trace=False,
        **engine,
    )
    return plan_search(
        request,
        settings,
        start=options.start_qps,
        attempt_ns=round(options.attempt * 1e9),
        tolerance=options.tolerance / 100,
    )


def tell(tried: Tried) -> None:
    """A line of the search."""
    attempt = tried.attempt
    print(
        f"  {tried.step.value:<8} {attempt.rate:8g}/s {attempt.duration_s:5.1f} s {attempt.queries:7,} queries "
        f"{attempt.share:7.2%} late  {tried.judged.value}",
        flush=True,
    )


def sweep(middle: float, plan: SearchPlan, settings: Settings, options: argparse.Namespace, ends: float) -> list[Rated]:
    """Runs at rates around one, up and down in turn, as many as there is time for."""
    places = range(-options.each_side, options.each_side + 1)
    rates = [float(f"{middle * (1 + options.step / 100) ** place:.5g}") for place in places]
    done: list[Swept] = []
    for turn in range(options.passes):
        for rate in rates if turn % 2 == 0 else reversed(rates):
            if time.perf_counter() + options.full + START_S > ends:
                print(f"  no time for {rate:g}/s, pass {turn + 1}", flush=True)
                continue
            swept = run_at(rate, len(done) + 1, plan, settings)
            done.append(swept)
            print(
                f"  sweep {swept.number:2} {rate:8g}/s {swept.queries:7,} queries {swept.late / swept.queries:7.2%} late, "
                f"p99 {swept.p99_ms:.2f} ms, least {swept.least_ms:.2f} ms  {'VALID' if swept.valid else 'INVALID'}",
                flush=True,
            )
    by_rate = {rate: tuple(run for run in done if run.rate == rate) for rate in rates}
    return [Rated(rate, runs, plan.aim.percentile) for rate, runs in by_rate.items() if runs]


def run_at(rate: float, number: int, plan: SearchPlan, settings: Settings) -> Swept:
    """One run of the sweep."""
    request = plan.plan.request.model_copy(update={"target_qps": rate})
    (record,) = carry_out(make_plan(request, settings), settings, SILENT)
    assert record.verdict is not None
    measured = measure(read_detail(settings.runs_dir / record.id / DETAIL), plan.limits, Scenario.SERVER)
    return Swept(
        number=number,
        rate=rate,
        queries=measured.done,
        late=measured.late,
        valid=record.verdict.valid,
        p99_ms=(measured.at_percentile_ns or 0.0) / 1e6,
        least_ms=(measured.fastest_ns or 0.0) / 1e6,
    )


def report(found: Found, rated: list[Rated], options: argparse.Namespace, searched_s: float, seconds: float) -> None:
    """The table, what it comes to, and the same as JSON."""
    assert found.rate is not None
    print("\n     rate  of found  late of each run      verdicts          together")
    for each in rated:
        late = " ".join(f"{run.late / run.queries:.2%}" for run in each.runs)
        verdicts = " ".join("VALID" if run.valid else "INVALID" for run in each.runs)
        word = "passes" if each.passes else "misses"
        print(f"{each.rate:9g} {each.rate / found.rate:9.3f}  {late:<20}  {verdicts:<16}  {word}")
    best = {
        "together": max((each.rate for each in rated if each.passes), default=None),
        "every run": max((each.rate for each in rated if all(run.valid for run in each.runs)), default=None),
        "any run": max((each.rate for each in rated if any(run.valid for run in each.runs)), default=None),
    }
    ratios = {name: found.rate / rate if rate else None for name, rate in best.items()}
    print(
        f"\nfound {found.rate:g} queries/s, {'confirmed' if found.confirmed else 'not confirmed'} at {options.full:g} s"
    )
    for name, rate in best.items():
        print(f"  sweep, {name:<9} {rate or 0:9g}   found / sweep {ratios[name] or 0:.3f}")
    edges = {rated[0].rate, rated[-1].rate} if rated else set()
    if best["together"] is None or best["together"] in edges:
        print("  the sweep's best rate is at its end, so that it is not known: take more rates (--each-side)")
    document = {
        "found": found.rate,
        "confirmed": found.confirmed,
        "missed": found.missed,
        "search_runs": len(found.tried),
        "search_s": round(searched_s, 1),
        "seconds": round(seconds, 1),
        "full_s": options.full,
        "sweep_best": best,
        "ratio": ratios,
        "sweep": [
            {"rate": run.rate, "number": run.number, "queries": run.queries, "late": run.late, "valid": run.valid,
             "p99_ms": round(run.p99_ms, 3), "least_ms": round(run.least_ms, 3)}
            for each in rated for run in each.runs
        ],
    }  # fmt: skip
    print(json.dumps(document))
    if options.output:
        options.output.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
