"""How a push is shown: what would be sent, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from assay.base.units import format_count, format_size
from assay.cli.render import Output
from assay.community.outcome import Outcome
from assay.community.parcel import Parcel
from assay.community.remote import plain
from assay.results.words import short_unit

_FILES = 20
_PLACES = 3
_FINDINGS = 12


def parcel_dict(parcel: Parcel, outcome: Outcome | None) -> dict[str, Any]:
    """What would be sent, and what would be said to it, as JSON."""
    return {
        "name": parcel.name,
        "kind": parcel.kind.value if parcel.kind else "archive",
        "bytes": parcel.size,
        "files": [{"name": each.name, "bytes": each.size} for each in parcel.pieces],
        "left_out": list(parcel.left_out),
        "outcome": None if outcome is None else {**asdict(outcome), "ok": outcome.ok, "message": outcome.message},
    }


def show_parcel(parcel: Parcel, out: Output) -> None:
    """List the files, the largest first when there are many."""
    pieces = parcel.pieces
    if len(pieces) > _FILES:
        pieces = tuple(sorted(pieces, key=lambda each: -each.size)[:_FILES])
    out.table(["file", "size"], [(each.name, format_size(each.size)) for each in pieces], right=["size"])
    rest = len(parcel.pieces) - len(pieces)
    if rest:
        out.text(f"... and {format_count(rest)} smaller ones")
    for each in parcel.left_out[:_FILES]:
        out.text(f"left out: {each}")
    files = len(parcel.pieces)
    out.text(f"{format_count(files)} {'file' if files == 1 else 'files'}, {format_size(parcel.size)} before packing")
    out.text()


def show_outcome(outcome: Outcome, out: Output) -> None:
    """What the judgement here says."""
    _show_results(
        [asdict(each) for each in outcome.accepted],
        [asdict(each) for each in outcome.refused],
        [asdict(each) for each in outcome.findings],
        out,
    )
    out.text(f"Judged here: {outcome.message.replace('accepted', 'would be accepted')}.")


def show_page(page: Mapping[str, Any], address: str, base: str, out: Output) -> None:
    """What a server says has become of an upload."""
    error = page.get("error")
    if error:
        out.text(f"{plain(page.get('word'))}: {plain(error.get('what'))}")
        for key in ("where", "expected", "found"):
            if error.get(key):
                out.text(f"  {key} {plain(error[key])}")
        if error.get("hint"):
            out.text(f"  try: {plain(error['hint'])}")
    findings = [each for group in page.get("findings", ()) for each in group.get("findings", ())]
    _show_results(page.get("accepted", ()), page.get("refused", ()), findings, out)
    if page.get("message"):
        out.text(f"{plain(page['message']).capitalize()}.")
    out.text(f"All of it: {address}")
    for name in _boards(page):
        out.text(f"The board: {base}/challenges/{name}")


def exit_code(page: Mapping[str, Any]) -> int:
    """0 when all was taken, 1 when something was refused, 4 when nothing in it could be judged, 5 when the server failed."""
    if page.get("state") == "failed":
        return 5
    if page.get("error"):
        return 4
    return 0 if page.get("state") == "accepted" else 1


def _boards(page: Mapping[str, Any]) -> list[str]:
    return [plain(each.get("name", "")) for each in page.get("challenges", ())] if page.get("accepted") else []


def _show_results(
    accepted: Sequence[Mapping[str, Any]],
    refused: Sequence[Mapping[str, Any]],
    findings: Iterable[Mapping[str, Any]],
    out: Output,
) -> None:
    if accepted:
        columns = ["taken", "benchmark", "scenario", "figure", "labels", "place"]
        rows = [_taken(each) for each in accepted]
        if not any(row[-1] for row in rows):
            columns, rows = columns[:-1], [row[:-1] for row in rows]
        out.table(columns, rows, right=["figure"])
        out.text()
    if refused:
        out.table(["not taken", "why"], [(plain(each["path"]) or ".", plain(each["reason"])) for each in refused])
        out.text()
    # What refuses nothing, such as limits of a round that an open result need not hold, is on the page.
    grave = [each for each in findings if {each.get("official"), each.get("strict")} & {"reject", "flag"}]
    if grave and refused:
        _show_findings(grave, out)


def _taken(each: Mapping[str, Any]) -> tuple[str, ...]:
    value, unit = each.get("value"), each.get("unit")
    figure = "" if value is None else f"{value:,.4g} {plain(short_unit(unit))}".strip()
    places = [
        f"{place['place']} of {place['of']} in {plain(place['challenge'])}"
        for place in each.get("places", ())
        if place.get("place")
    ]
    known = " (was there already)" if each.get("known") else ""
    return (
        plain(each["path"]) + known,
        plain(each["benchmark"]),
        plain(each["scenario"]),
        figure,
        plain(", ".join(each.get("labels", ()))),
        "; ".join(places),
    )


def _show_findings(findings: Sequence[Mapping[str, Any]], out: Output) -> None:
    """Findings by code, each at some of its places."""
    by_code: dict[str, list[Mapping[str, Any]]] = {}
    for each in findings:
        by_code.setdefault(plain(each["code"]), []).append(each)
    for code, those in list(by_code.items())[:_FINDINGS]:
        out.text(f"{code}: {plain(those[0]['title'])}")
        for each in those[:_PLACES]:
            line = f":{each['line']}" if each.get("line") else ""
            facts = [f"{key} {plain(each[key], 200)}" for key in ("found", "expected") if each.get(key)]
            said = f"  ({', '.join(facts)})" if facts else ""
            out.text(f"  {plain(each.get('file') or '.')}{line}{said}")
        if len(those) > _PLACES:
            out.text(f"  ... and {len(those) - _PLACES} places more")
        if those[0].get("fix"):
            out.text(f"  what to do: {plain(those[0]['fix'])}")
    if len(by_code) > _FINDINGS:
        out.text(f"... and {len(by_code) - _FINDINGS} kinds of findings more")
    out.text()
