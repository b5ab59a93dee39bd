"""How results look in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from assay.base.units import format_duration, format_size
from assay.cli.render import Output
from assay.cli.results_options import count
from assay.results.export import cell, plain
from assay.results.words import number

if TYPE_CHECKING:
    from assay.results.importing import Imported, Kind
    from assay.results.leaders import Leader
    from assay.results.one import Found
    from assay.results.overview import RoundCounts
    from assay.results.row import Row
    from assay.results.table import Column, Table

_GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Figures", (
        "samples_per_second", "latency", "latency_mean", "latency_p50", "latency_p90", "latency_p95", "latency_p97",
        "latency_p99", "latency_p999", "latency_bound", "min_duration", "queries", "accuracy", "accuracy_metric",
        "accuracy_unit", "accuracy_target", "accuracy_met", "watts", "joules_per_query", "joules_per_sample",
        "power_value", "power_unit",
    )),
    ("System", (
        "organisation", "system", "system_name", "availability", "accelerator", "accelerator_vendor", "accelerators",
        "accelerators_per_node", "processor", "processors_per_node", "cores", "nodes", "memory", "operating_system",
        "framework", "framework_given", "model", "precision", "backend", "notes",
    )),
    ("Verdicts", ("official", "strict", "compliance", "findings", "labels")),
    ("Where it comes from", (
        "uid", "cm_uid", "origin", "method", "location", "source", "source_kind", "commit", "url", "loadgen",
        "qsl_seed", "sample_index_seed", "schedule_seed", "created",
        "contributor", "challenges", "accepted", "access", "embargo",
    )),
)  # fmt: skip

_NARROW = 20
# Shown with each figure, or said by the field's own name.
_SELF_EVIDENT = frozenset({"ns", "s", "B", "cores", "nodes", "accelerators", "queries"})


def shown(value: Any, unit: str = "") -> str:
    """A value for people: times and sizes in the unit that fits, four digits otherwise."""
    value = plain(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _number(value, unit)
    return ", ".join(map(shown, value)) if isinstance(value, list) else cell(value)


def _number(value: float, unit: str) -> str:
    if unit in ("ns", "s"):
        return format_duration(value * (1e9 if unit == "s" else 1))
    if unit == "B":
        return format_size(value)
    return f"{value:,}" if isinstance(value, int) else number(value)


def show_table(table: Table, out: Output, *, brief: bool = False) -> None:
    """Print an answer.

    Args:
        brief: what is the same in all of several rows is said once, above them; what is empty in all is not shown.
    """
    headings = [column.heading if column.unit not in _SELF_EVIDENT else column.name for column in table.columns]
    numbers = [name for name, column in zip(headings, table.columns, strict=True) if column.kind.value == "number"]
    rows = [[shown(value, column.unit) for value, column in zip(row, table.columns, strict=True)] for row in table.rows]
    _print(headings, rows, out, right=numbers, once=headings if brief else ())


def _print(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    out: Output,
    *,
    right: Sequence[str],
    once: Sequence[str],
) -> None:
    """Print a table; what is the same in all rows of the columns in ``once`` is said above it, or not if it is empty."""
    same: dict[int, str] = {}
    for place, heading in enumerate(headings):
        values = {row[place] for row in rows} if heading in once else set()
        if values == {""} or (len(values) == 1 and len(rows) > 1):
            same[place] = values.pop()
    if told := [f"{headings[number]} {text}" for number, text in same.items() if text]:
        out.text(", ".join(told))
    headings = [heading for number, heading in enumerate(headings) if number not in same]
    rows = [[cell for number, cell in enumerate(row) if number not in same] for row in rows]
    out.table(headings, rows, right=right, whole=_whole(headings, rows))


def _whole(headings: Sequence[str], cells: Sequence[Sequence[str]]) -> list[str]:
    """The columns that are too narrow to be broken: where a terminal is small, long names give way."""
    return [
        heading
        for number, heading in enumerate(headings)
        if max([len(heading), *(len(row[number]) for row in cells)]) <= _NARROW
    ]


def show_overview(rounds: Sequence[RoundCounts], out: Output) -> None:
    """Print what there is to ask about."""
    if out.as_json:
        out.json([asdict(each) for each in rounds])
        return
    columns = ("round", "", "results", "measured", "with power", "organisations", "systems", "benchmarks")
    rows = [
        (
            each.round, "published" if each.official else "local",
            *(f"{size:,}" for size in (
                each.results, each.measured, each.power, each.organisations, each.systems, each.benchmarks,
            )),
        )
        for each in rounds
    ]  # fmt: skip
    out.table(columns, rows, right=columns[2:])
    out.remark("ask: assay results query, best, pareto; look: show, compare; see assay results --help")


def show_leaders(
    by: str, figure: Column, group: Sequence[str], found: Sequence[Leader], scope: str, out: Output
) -> None:
    """Print the leaders of groups."""
    if out.as_json:
        out.json(
            [
                {
                    "group": {
                        name: list(part) if isinstance(part, tuple) else part
                        for name, part in zip(group, each.group, strict=True)
                    },
                    "uid": each.uid, "organisation": each.organisation, "system": each.system, "figure": each.figure,
                    "unit": figure.unit or None, "second": each.second, "margin": each.margin, "results": each.results,
                    "labels": list(each.labels),
                }
                for each in found
            ]
        )  # fmt: skip
        return
    heading = f"{by} [{figure.unit}]" if figure.unit else by
    rows = [
        (
            *(shown(list(part) if isinstance(part, tuple) else part) for part in each.group),
            each.organisation or "", each.system or "", shown(each.figure, figure.unit),
            "" if each.margin is None else f"{each.margin:+.1%}", f"{each.results:,}", each.uid[:8],
            ", ".join(each.labels),
        )
        for each in found
    ]  # fmt: skip
    columns = (*group, "organisation", "system", heading, "ahead of the next", "of", "uid", "labels")
    _print(columns, rows, out, right=(heading, "ahead of the next", "of"), once=(*group, "labels"))
    out.remark(f"{count(len(found), 'group')}, {scope}")


def show_result(found: Found, out: Output, *, everything: bool) -> None:
    """Print one result, the most important first."""
    from assay.results.fields import by_name

    values = found.values
    if out.as_json:
        siblings = [
            {"uid": uid, "scenario": scenario, "value": value, "unit": unit}
            for uid, scenario, value, unit in found.siblings
        ]
        out.json({**{key: plain(value) for key, value in values.items()}, "siblings": siblings})
        return
    category = ", ".join(values["category"] or [])
    out.text(f"{values['benchmark']} {values['scenario']}, {values['division']} {category}, round {values['round']}")
    figure = f"{number(values['value'])} {values['unit'] or ''}" if values["value"] is not None else "no figure"
    better = {True: ", lower is better", False: ", higher is better"}.get(values["lower_is_better"], "")
    out.text(f"{figure}{better}")
    if values["method"] == "inferred":
        out.text("inferred: computed from another scenario's run")
    if values["origin"] != "official":
        out.text("not an official MLPerf result")
    for title, names in _GROUPS:
        pairs = [
            (name, _field(name, values[name], by_name()[name].unit))
            for name in names
            if everything or values[name] not in (None, [], {})
        ]
        if pairs:
            out.text(f"\n{title}")
            out.fields([(f"  {name}", text) for name, text in pairs])
            if "uid" in names and values["logs"]:
                out.text("  logs, by SHA-256")
                for path, digest in sorted(values["logs"].items()):
                    out.text(f"    {digest}  {path}")
    if values["findings"]:
        out.text(f"\nWhat the findings mean: assay explain {values['findings'][0]}")
    if found.siblings:
        out.text("\nOther scenarios")
        out.table(
            ("scenario", "figure", "unit", "uid"),
            [(scenario, shown(value), unit, uid[:8]) for uid, scenario, value, unit in found.siblings],
            right=("figure",),
        )


def _field(name: str, value: Any, unit: str) -> str:
    return str(value) if name.endswith("_seed") and value is not None else shown(value, unit) + _unit(unit, value)


def _unit(unit: str, value: Any) -> str:
    return f" {unit}" if unit and unit not in _SELF_EVIDENT and value is not None else ""


def show_comparison(found: Sequence[Found], out: Output, *, everything: bool) -> None:
    """Print results beside each other."""
    from assay.results.one import cautions, compare_results

    compared, words = compare_results(found), cautions(found)
    if out.as_json:
        out.json(
            {
                "uids": [each.values["uid"] for each in found],
                "fields": [
                    {
                        "name": each.name, "unit": each.unit or None, "values": [plain(value) for value in each.values],
                        "ratios": each.ratios, "differs": each.differs,
                    }
                    for each in compared
                ],
                "cautions": words,
            }
        )  # fmt: skip
        return
    rows = []
    for each in compared:
        if not (everything or each.differs):
            continue
        cells = [shown(value, each.unit) for value in each.values]
        if each.ratios is not None:
            cells = [
                text if place == 0 or ratio is None or not text else f"{text} (x{ratio:.3g})"
                for place, (text, ratio) in enumerate(zip(cells, each.ratios, strict=True))
            ]
        rows.append(
            (f"{each.name} [{each.unit}]" if each.unit and each.unit not in _SELF_EVIDENT else each.name, *cells)
        )
    out.table(("field", *(each.values["uid"][:8] for each in found)), rows)
    for text in words:
        out.remark(f"caution: {text}")


def show_import(kind: Kind, imported: Imported | None, rows: Sequence[Row], out: Output) -> None:
    """Print what an import gave, or would give."""
    report, written = (imported.report, imported.written) if imported else (None, None)
    if out.as_json:
        out.json(
            {
                "kind": kind.value,
                "source": imported.source.name if imported else None,
                "commit": imported.source.commit if imported else None,
                "rounds": imported.rounds if imported else {},
                "rows": written.rows if written else len(rows),
                "changed": written.changed if written else 0,
                "removed": written.removed if written else 0,
                "summary_rows": len(report.rows) if report else None,
                "official": report.official.accepted if report else None,
                "strict": report.strict.accepted if report else None,
                "repository": str(imported.repository.path) if imported else None,
            }
        )
        return
    if imported is None:
        out.text(f"{kind.value}: " + (f"{len(rows):,} results would be imported" if rows else "would be registered"))
        return
    where = imported.repository.alias
    rounds = ", ".join(f"{name}: {count:,}" for name, count in sorted(imported.rounds.items()))
    if written is None:
        out.text(f"{kind.value} {where}: registered, and read where it lies; {rounds or 'no'} results")
        return
    out.text(f"{kind.value} {imported.source.name}: {rounds} results in {written.experiments} experiments of {where}")
    if report is not None:
        out.text(
            f"official checker takes {report.official.accepted:,} ({len(report.rows):,} rows of summary.csv); "
            f"the written rules {report.strict.accepted:,}"
        )
    out.text(
        f"{written.changed} files written, {written.experiments - written.changed} as they were, {written.removed} taken away"
    )
    local = "" if imported.source.official or imported.kind.value == "table of rows" else " --local"
    out.remark(f"ask: assay results query{local}")
