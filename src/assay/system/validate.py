"""Judge a system description: what the official checker refuses, and what its readers could not use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from assay.system.fields import Field, FieldList, Kind, Needed, NotApplicable, field_list

_SOURCE = "submission_checker.py"
_STRICT = "assay (the official checker lets it pass)"


class Level(StrEnum):
    """How bad a problem is."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a system description.

    Attributes:
        field: official name of the field.
        found: what stands there, None when nothing does.
        expected: what would be right.
        fix: what to do about it.
        rule: who says so: the official checker's function, or assay.
        level: errors fail the validation, warnings do not.
    """

    field: str
    found: str | None
    expected: str
    fix: str
    rule: str
    level: Level = Level.ERROR

    @property
    def official(self) -> bool:
        """Whether the official checker sees it too; otherwise only assay does."""
        return self.rule.startswith(_SOURCE)

    def to_dict(self) -> dict[str, str | None]:
        """The problem as one JSON object."""
        return {
            "field": self.field,
            "found": self.found,
            "expected": self.expected,
            "fix": self.fix,
            "rule": self.rule,
            "level": self.level.value,
        }


def validate(
    description: Mapping[str, object],
    round_name: str = "v3.1",
    *,
    submitter: str | None = None,
    division: str | None = None,
) -> tuple[Problem, ...]:
    """All problems of a description under a round, in the order of the fields.

    Args:
        description: the JSON object of ``systems/<system>.json``.
        round_name: round whose rules hold.
        submitter: name of the submitter's directory, compared without case.
        division: name of the division's directory, compared exactly.

    Raises:
        NotFoundError: for an unknown round.
    """
    fields = field_list()
    network = str(description.get("is_network", "")).casefold() == "true"
    problems: list[Problem] = []
    for field in fields.fields:
        wanted = field.needed is Needed.ALWAYS or (field.needed is Needed.NETWORK and network)
        if field.name not in description:
            if wanted and fields.asked_in(field, round_name):
                problems.append(_missing(field))
            continue
        problems.extend(_judge(field, description, round_name, fields))
    problems.extend(_network_mode(description, division or description.get("division"), network=network))
    problems.extend(_accelerators(description, fields))
    problems.extend(_places(description, submitter, division))
    problems.extend(_unknown(description, round_name, fields, network=network))
    return tuple(problems)


def _missing(field: Field) -> Problem:
    example = f"{field.choices[0]}" if field.choices else "..."
    return Problem(
        field.name, None, f"the key with {_expected(field)}", f"--set {field.name}={example}",
        f"{_SOURCE} check_system_desc_id: field is missing",
    )  # fmt: skip


def _judge(field: Field, description: Mapping[str, object], round_name: str, fields: FieldList) -> list[Problem]:
    """The problems of one field that is there; the first kind that applies ends the search."""
    value = description[field.name]
    if not isinstance(value, (str, int, float)) or isinstance(value, bool):
        rule = f"{_SOURCE} check_results_dir: stops on it" if field.name == "is_network" else _STRICT
        return [Problem(field.name, repr(value), "text or a number", f'write it as text: "{value}"', rule)]
    if not value:
        return _judge_empty(field, value, round_name, fields)
    text = str(value).strip()
    word = text.casefold()
    if word in fields.placeholders or re.fullmatch(r"<.*>|\[.*\]|\{.*\}|x{2,}|\?+|\.{2,}|(your|my) \w+", word):
        return [Problem(field.name, text, _expected(field), _fill_in(field, round_name, fields), _STRICT)]
    if word in fields.not_applicable and not _na_allowed(field, description):
        return [Problem(field.name, text, _expected(field), _fill_in(field, round_name, fields), _STRICT)]
    return _judge_kind(field, text, fields)


def _judge_empty(field: Field, value: object, round_name: str, fields: FieldList) -> list[Problem]:
    if not fields.filled_in(field, round_name):
        return []
    rule = f"{_SOURCE} check_system_desc_id: requires a meaningful response but is empty"
    if field.kind is Kind.CHOICE or field.name == "submitter":
        rule = f"{_SOURCE} check_results_dir: compared as text, which an empty value never passes"
    if value == 0 and isinstance(value, (int, float)):
        fix = f'write "{field.name}": "0" (the checker takes the number 0 for empty, the text "0" not)'
        return [Problem(field.name, "0 (a number)", 'the text "0"', fix, rule)]
    return [Problem(field.name, '""', _expected(field), _fill_in(field, round_name, fields), rule)]


def _judge_kind(field: Field, text: str, fields: FieldList) -> list[Problem]:
    if field.kind is Kind.CHOICE:
        return _judge_choice(field, text)
    if field.kind is Kind.COUNT and not re.fullmatch(r"\d{1,9}", text):
        number = re.search(r"\d+", text)
        fix = f"--set {field.name}={number[0] if number else 1}; put the rest into hw_notes"
        # "N/A" got this far only where it is allowed.
        return (
            []
            if text.casefold() in fields.not_applicable
            else [Problem(field.name, text, "a whole number", fix, _STRICT)]
        )
    if field.kind is Kind.COUNT and int(text) == 0 and field.name != "accelerators_per_node":
        return [Problem(field.name, text, "a whole number from 1", f"--set {field.name}=1", _STRICT)]
    if field.kind is Kind.FLAG and text.casefold() not in ("true", "false"):
        return [Problem(field.name, text, '"true" or "false"', f"--set {field.name}=true", _STRICT)]
    return []


def _judge_choice(field: Field, text: str) -> list[Problem]:
    # The checker lower-cases the status only.
    compared = text.lower() if field.name == "status" else text
    if compared in field.choices:
        return []
    close = next((choice for choice in field.choices if choice == compared.lower().replace(" ", "")), field.choices[0])
    return [
        Problem(
            field.name, text, " or ".join(field.choices), f"--set {field.name}={close}",
            f"{_SOURCE} check_results_dir: compared as text",
        )
    ]  # fmt: skip


def _na_allowed(field: Field, description: Mapping[str, object]) -> bool:
    if field.na is NotApplicable.WITHOUT_ACCELERATOR:
        return str(description.get("accelerators_per_node", "")).strip() in ("", "0")
    return field.na is NotApplicable.ALWAYS


def _network_mode(description: Mapping[str, object], division: object, *, network: bool) -> list[Problem]:
    rule = f"{_SOURCE} is_system_over_network: incorrect network mode"
    if division == "network" and not network:
        found = str(description["is_network"]) if "is_network" in description else None
        return [Problem("is_network", found, '"true" in the network division', "--set is_network=true", rule)]
    if division == "closed" and network:
        return [Problem("is_network", "true", '"false" in the closed division', "--set is_network=false", rule)]
    return []


def _accelerators(description: Mapping[str, object], fields: FieldList) -> list[Problem]:
    """Number and name of the accelerators have to agree."""
    count = str(description.get("accelerators_per_node", "")).strip()
    name = str(description.get("accelerator_model_name", "")).strip()
    if count == "0" and name and name.casefold() not in fields.not_applicable:
        fix = "--set accelerators_per_node=1, or --set accelerator_model_name=N/A"
        return [Problem("accelerator_model_name", name, "N/A with accelerators_per_node 0", fix, _STRICT)]
    return []


def _places(description: Mapping[str, object], submitter: str | None, division: str | None) -> list[Problem]:
    """Submitter and division against the directories that the file stands in."""
    problems = []
    rule = f"{_SOURCE} check_system_desc_id: differs from the directory"
    found = str(description.get("submitter", ""))
    if submitter is not None and found.casefold() != submitter.casefold():
        problems.append(Problem("submitter", found, submitter, f"--set submitter={submitter}", rule))
    if division is not None and description.get("division") != division:
        found = str(description.get("division", ""))
        problems.append(Problem("division", found, division, f"--set division={division}", rule))
    return problems


def _unknown(description: Mapping[str, object], round_name: str, fields: FieldList, *, network: bool) -> list[Problem]:
    rule = f"{_SOURCE} check_system_desc_id: unknown field (a warning)"
    problems = []
    for name in description:
        field = fields.get(name)
        known = field is not None and fields.asked_in(field, round_name)
        # Network fields are known to the checker only where is_network is true.
        if field is None or not known or (field.needed is Needed.NETWORK and not network):
            expected = f"a field of round {round_name}"
            problems.append(Problem(name, None, expected, "leave it out, or put it into hw_notes", rule, Level.WARNING))
    return problems


def _expected(field: Field) -> str:
    return " or ".join(field.choices) if field.choices else field.title


def _fill_in(field: Field, round_name: str, fields: FieldList) -> str:
    if not fields.filled_in(field, round_name) and field.kind is Kind.TEXT:
        return f'leave it empty ("{field.name}": ""), or --set {field.name}=...'
    return f"--set {field.name}={field.choices[0] if field.choices else '...'}"
