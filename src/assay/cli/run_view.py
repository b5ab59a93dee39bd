"""How finished runs are shown after ``assay run`` and ``assay demo``."""

from __future__ import annotations

from collections.abc import Sequence

from assay.cli.render import Output
from assay.loadgen.record import RunRecord
from assay.loadgen.verdict import PLAIN_SETTINGS
from assay.results import words

COLUMNS = ("scenario", "mode", "figure", "p50", "p90", "p99", "accuracy", "verdict", "labels")
_RIGHT = ("figure", "p50", "p90", "p99", "accuracy")


def show_records(records: Sequence[RunRecord], out: Output, *, explain: bool = True) -> None:
    """Print finished runs: a table and, for what is not valid, why and what to do; or one JSON document."""
    if out.as_json:
        out.json([record.to_dict() for record in records])
        return
    if any(record.power is not None for record in records):
        columns = (*COLUMNS[:-2], "power", "efficiency", *COLUMNS[-2:])
        out.table(columns, [_power_row(record) for record in records], right=(*_RIGHT, "power", "efficiency"))
    else:
        out.table(COLUMNS, [row(record) for record in records], right=_RIGHT)
    if explain:
        for record in records:
            explain_record(record, out)
            for problem in record.power.problems if record.power is not None else ():
                out.remark(f"{record.scenario}: against its power: {problem}")


def row(record: RunRecord) -> list[str]:
    """A run as a table row."""
    figures = record.figures
    return [
        record.scenario,
        record.mode,
        words.figure(figures),
        *(words.latency(figures, name) for name in ("p50", "p90", "p99")),
        words.accuracy(figures),
        words.state(record),
        ", ".join(label.value for label in record.labels),
    ]


def _power_row(record: RunRecord) -> list[str]:
    """The same with power and efficiency before verdict and labels."""
    plain, found = row(record), record.power
    efficiency = (
        "" if found is None or found.samples_per_joule is None else f"{words.number(found.samples_per_joule)} samples/J"
    )
    return [*plain[:-2], words.power(record), efficiency, *plain[-2:]]


def explain_record(record: RunRecord, out: Output) -> None:
    """Say why a run is not valid and what to change; say briefly what keeps a valid one from counting."""
    verdict = record.verdict
    if verdict is None or verdict.accepted:
        return
    own = [item for item in verdict.constraints if not item.met and item.scope == "loadgen"]
    weaker = [item for item in verdict.constraints if not item.met and item.scope == "round"]
    if own:
        out.text()
        out.text(f"{record.scenario} is INVALID:")
        for item in own:
            out.text(f"  {item.name}: {item.measured}; {item.limit} asked ({item.source})")
        for number, advice in enumerate(verdict.advice):
            out.text(f"  {'try' if number == 0 else 'then'}: {advice}")
    elif weaker:
        asked = ", ".join(
            f"{item.name.removesuffix(' of the round')} {item.measured} instead of {item.limit}" for item in weaker
        )
        out.remark(f"{record.scenario}: valid as it was run, but round {record.round} would not take it: {asked}")
    for item in verdict.constraints:
        if item.name == PLAIN_SETTINGS and not item.met:
            out.remark(f"{record.scenario} was made under a setting of a compliance test ({item.measured}): {item.fix}")


def exit_code(records: Sequence[RunRecord]) -> int:
    """0 when every run is valid, else 1."""
    return 0 if all(record.verdict is not None and record.verdict.valid for record in records) else 1
