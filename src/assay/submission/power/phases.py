"""Check of times: the two clocks, LoadGen's window within the session, and how both runs compare.

Source: ``phases_check`` of the power working group's checker. Rounds differ in how far clocks may be apart and in
what is asked of the ranging run beside the testing run (:class:`assay.rules.power.TimingFacts`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from assay.loadgen.names import DETAIL
from assay.rules.power import PowerFacts, TimingFacts
from assay.submission.checks.context import shown
from assay.submission.issue import Issue
from assay.submission.power import spl
from assay.submission.power.evidence import RANGING, SPL, TESTING, Evidence
from assay.submission.power.record import MalformedError, Session
from assay.submission.power.window import LoadWindow

_PHASES = ((RANGING, "ranging"), (TESTING, "testing"))
_START, _STOP = 1, 2
_DIGITS = 5


def check_phases(evidence: Evidence, client: Session, server: Session, facts: PowerFacts) -> Iterator[Issue]:
    """Clocks agree, LoadGen ran between start and stop of its phase, and testing is like ranging.

    Since v3.1 the official checker looks no further when testing was much shorter; what it would have found after
    that has a code of its own.
    """
    for _, phase in _PHASES:
        yield from _clocks(client, server, phase, facts.timing)
    windows = {run: evidence.window(run) for run, _ in _PHASES}
    for run, phase in _PHASES:
        yield from _within(evidence, client, windows[run], run, phase, facts.timing)
    ranging, testing = (windows[run].end - windows[run].begin for run in (RANGING, TESTING))
    durations = list(_durations(evidence, ranging, testing, facts.timing))
    yield from durations
    if facts.timing.average_drop_percent is not None:
        unseen = "-unseen" if durations else ""
        yield from _averages(evidence, windows, facts, unseen)


def _clocks(client: Session, server: Session, phase: str, timing: TimingFacts) -> Iterator[Issue]:
    counts = [session.count("phases", phase) for session in (client, server)]
    if counts[0] != counts[1]:
        expected = f"{counts[1]} points (server.json)"
        yield Issue("power-phases-wrong", client.path, "", f"phases.{phase}", f"{counts[0]} points", expected)
        return
    limit = timing.clock_difference_ms / 1000
    sign = "at most" if timing.clock_difference_inclusive else "less than"
    for index in range(counts[0]):
        keys = ("phases", phase, index, 0)
        difference = abs(client.number(*keys) - server.number(*keys))
        if not (difference <= limit if timing.clock_difference_inclusive else difference < limit):
            field, found = f"phases.{phase}[{index}][0]", f"{difference * 1000:.0f} ms apart"
            expected = f"{sign} {timing.clock_difference_ms:.0f} ms from server.json"
            yield Issue("power-clock-difference", client.path, "", field, found, expected, client.line("phases"))


def _within(
    evidence: Evidence, client: Session, window: LoadWindow, run: str, phase: str, timing: TimingFacts
) -> Iterator[Issue]:
    start, stop = (client.number("phases", phase, index, 0) for index in (_START, _STOP))
    place = evidence.place(f"{run}/{DETAIL}")
    for key, moment in (("power_begin", window.begin), ("power_end", window.end)):
        if start < moment < stop:
            continue
        shifted = start < moment - timing.shift_s < stop
        code = "power-window-shifted" if shifted else "power-window-outside"
        expected = f"between {_written(start)} and {_written(stop)}, phases.{phase} of client.json"
        yield Issue(code, place, f"of the {phase} run", key, _written(moment), expected)


def _durations(evidence: Evidence, ranging: float, testing: float, timing: TimingFacts) -> Iterator[Issue]:
    place = evidence.place(f"{TESTING}/{DETAIL}")
    try:
        if timing.duration_of == "larger":
            share = abs(ranging - testing) / max(ranging, testing)
            good = share < timing.duration_limit
        else:
            share = (ranging - testing) / ranging
            good = not share > timing.duration_limit
    except ZeroDivisionError:
        raise MalformedError(place, "power_end", "LoadGen's window is empty", "0 s", "more") from None
    if not good:
        code = "power-duration-differs" if timing.duration_fails else "power-duration-shorter"
        found = f"{testing:.1f} s, {share * 100:.1f} % off"
        expected = f"about {ranging:.1f} s as the ranging run, within {timing.duration_limit * 100:g} %"
        yield Issue(code, place, "", "power_end", found, expected)


def _averages(evidence: Evidence, windows: dict[str, LoadWindow], facts: PowerFacts, unseen: str) -> Iterator[Issue]:
    drop_percent = facts.timing.average_drop_percent
    assert drop_percent is not None
    try:
        ranging, testing = (round(_average(evidence, run, windows[run], facts), _DIGITS) for run in (RANGING, TESTING))
    except MalformedError as problem:
        yield problem.issue(f"power-average-unreadable{unseen}")
        return
    place = evidence.place(f"{TESTING}/{SPL}")
    expected = f"less than {drop_percent:g} % below the ranging run's {ranging:.2f} W"
    try:
        change = round((testing / ranging - 1) * 100, 2)
    except ZeroDivisionError:
        detail = "the average while ranging is 0 W"
        yield Issue(f"power-average-unreadable{unseen}", evidence.place(f"{RANGING}/{SPL}"), detail)
        return
    if not change > -drop_percent:
        found = f"{testing:.2f} W on average, {change:g} %" if testing > 0 else "no sample above 0 W"
        yield Issue(f"power-average-low{unseen}", place, "", "Watts", found, expected)


def _average(evidence: Evidence, run: str, window: LoadWindow, facts: PowerFacts) -> float:
    """Average of the samples above 0 W, W; -1 when there are none, as the official checker has it."""
    name = f"{run}/{SPL}"
    try:
        begin, end = (datetime.fromtimestamp(each, UTC).replace(tzinfo=None) for each in (window.begin, window.end))
        found = spl.samples(
            evidence.raw(name), begin, end, power_factors=True, passes_other_lines=facts.log.passes_other_lines
        )
    except spl.SplError as error:
        expected = "Time,MM-DD-YYYY HH:MM:SS.mmm,Watts,<W>,...,PF,<power factor>,..."
        shortened = shown(error.found.rstrip("\n"))
        raise MalformedError(evidence.place(name), "", error.problem, shortened, expected, error.line) from None
    watts = [each for each in found.watts if each > 0]
    return spl.mean(watts) if watts else -1.0


def _written(moment: float) -> str:
    """A time as LoadGen writes it."""
    try:
        return datetime.fromtimestamp(moment, UTC).strftime(spl.TIME_FORMAT)[:-3]
    except (ValueError, OverflowError, OSError):
        return shown(moment)
