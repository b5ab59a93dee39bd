"""The system's file in a tree: the kept description, with what this submission says of itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from assay.errors import NotFoundError
from assay.rules.model import Category, Round
from assay.submission.building.model import Entry, Missing, Wish
from assay.submission.building.readme import rehearsal_line
from assay.system.validate import Level, validate


def system_fields(wish: Wish, round_: Round, labels: Iterable[str] = ()) -> dict[str, object]:
    """The official fields as they stand in the tree.

    Division and category are those of the tree: one description serves for several. A submitter that is not named yet
    is this one.
    """
    rules = round_.submission
    assert rules is not None
    fields = dict(wish.description)
    fields["division"] = wish.division.value
    fields["system_type"] = _category(wish.categories, rules.system.types)
    if not fields.get("submitter"):
        fields["submitter"] = wish.submitter
    if wish.rehearsal:
        notes = str(fields.get("sw_notes") or "")
        fields["sw_notes"] = f"{rehearsal_line(labels)} {notes}".rstrip()
    return fields


def system_text(fields: Mapping[str, object]) -> str:
    """The file."""
    return json.dumps(fields, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def system_missing(fields: Mapping[str, object], wish: Wish, round_: Round) -> list[Missing]:
    """What the round asks of the system and the description does not say."""
    try:
        problems = validate(fields, round_.name, submitter=wish.submitter, division=wish.division.value)
    except NotFoundError:  # a round of the user's own: its checker alone judges the description
        return []
    return [
        Missing(
            f"system {wish.system}",
            f"{each.field}: {each.found or 'nothing'}; expected {each.expected}",
            _how(each.fix, wish),
        )
        for each in problems
        if each.level is Level.ERROR
    ]


def _how(fix: str, wish: Wish) -> str:
    if wish.described_in:
        return f"{fix.removeprefix('--set ')} in {wish.described_in}"
    return f"assay system edit {wish.system} {fix}" if fix.startswith("--set ") else fix


def system_notes(entries: Iterable[Entry], fields: Mapping[str, object]) -> list[str]:
    """Where the records of the runs tell of another machine than the description does."""
    described = str(fields.get("host_processor_model_name") or "")
    found = dict.fromkeys(
        str(run.record.host["cpu"]) for each in entries for run in each.runs if run.record.host.get("cpu")
    )
    notes = [f"the runs were made on several processors: {', '.join(found)}"] if len(found) > 1 else []
    other = [name for name in found if described and name != described]
    return notes + [f"the runs were made on {name}, and the system says {described}" for name in other]


def _category(categories: tuple[Category, ...], types: Iterable[str]) -> str:
    """The round's word for the categories: of two it takes one order."""
    wanted = {each.value for each in categories}
    return next(
        (each for each in types if {part.strip() for part in each.split(",")} == wanted), ",".join(sorted(wanted))
    )
