"""The system description of a tree: fields, category, division.

Source: ``check_results_dir`` and ``check_system_desc_id`` of submission_checker.py; the official rows are written
from its fields, and the tool breaks off where one of those is no text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from assay.rules.submission import SystemRules
from assay.submission.checks.context import shown
from assay.submission.issue import Issue

_TEXT = ("system_name", "host_processor_model_name", "accelerator_model_name")
_TEXT_OR_ABSENT = ("framework", "operating_system")
_WRITTEN = (
    *_TEXT,
    *_TEXT_OR_ABSENT,
    "hw_notes",
    "sw_notes",
    "number_of_nodes",
    "host_processors_per_node",
    "host_processor_core_count",
    "accelerators_per_node",
)


def check_system(
    description: Mapping[str, Any], path: str, division: str, submitter: str, rules: SystemRules, networks: bool
) -> list[Issue]:
    """Issues of a system description.

    Args:
        path: of the file, relative to the root.
        networks: the round has a network division.
    """
    return [
        *_status(description, path, rules),
        *_network(description, path, division, rules, networks),
        *_fields(description, path, rules),
        *_names(description, path, division, submitter),
        *_texts(description, path),
    ]


def is_network(description: Mapping[str, Any], rules: SystemRules) -> bool:
    """Whether the system says that it is reached over a network."""
    flag = description.get(rules.network_flag)
    return isinstance(flag, str) and flag.lower() == "true"


def notes(description: Mapping[str, Any], *, joins_empty: bool) -> str | None:
    """The notes column: hardware notes, then software notes; None where the tool breaks off."""
    hardware, software = description.get("hw_notes", ""), description.get("sw_notes")
    if not software:
        return hardware if isinstance(hardware, str) else None
    if not isinstance(software, str) or not (isinstance(hardware, str) or (not hardware and not joins_empty)):
        return None
    return f"{hardware or ''}{'. ' if hardware or joins_empty else ''}{software}"


def _status(description: Mapping[str, Any], path: str, rules: SystemRules) -> Iterator[Issue]:
    status, kind = description.get("status"), description.get("system_type")
    if not isinstance(status, str) or status.lower() not in rules.availability:
        expected = " or ".join(rules.availability)
        yield Issue("system-status", path, field="status", found=shown(status), expected=expected)
    if kind not in rules.types:
        expected = " or ".join(rules.types)
        yield Issue("system-type", path, field="system_type", found=shown(kind), expected=expected)


def _network(
    description: Mapping[str, Any], path: str, division: str, rules: SystemRules, networks: bool
) -> Iterator[Issue]:
    if not networks:
        return
    flag, found = description.get(rules.network_flag), is_network(description, rules)
    if flag is not None and not isinstance(flag, str):
        yield Issue(
            "system-field-type", path, field=rules.network_flag, found=shown(flag), expected='"true" or "false"'
        )
    wanted = {"network": True, "closed": False}.get(division)
    if wanted is not None and found is not wanted:
        yield Issue("system-network", path, field=rules.network_flag, found=shown(flag), expected=str(wanted).lower())
    kind = description.get("system_type")
    if division == "network" and isinstance(kind, str) and "edge" in kind:
        yield Issue("network-category", path, field="system_type", found=kind, expected="datacenter")


def _fields(description: Mapping[str, Any], path: str, rules: SystemRules) -> Iterator[Issue]:
    required = rules.required + (rules.required_network if is_network(description, rules) else ())
    for name in required:
        if name not in description:
            yield Issue("system-field-missing", path, field=name)
    for name in rules.not_empty:
        value = description.get(name, name)
        if not value:
            zero = isinstance(value, int | float) and not isinstance(value, bool)
            yield Issue("system-field-zero" if zero else "system-field-empty", path, field=name, found=shown(value))
    known = {*required, *rules.known}
    for name in description:
        if name not in known:
            yield Issue("system-field-unknown", path, field=shown(name))


def _names(description: Mapping[str, Any], path: str, division: str, submitter: str) -> Iterator[Issue]:
    named = description.get("submitter")
    if "submitter" in description and not (isinstance(named, str) and named.lower() == submitter.lower()):
        yield Issue("system-submitter", path, field="submitter", found=shown(named), expected=submitter)
    if "division" in description and description["division"] != division:
        yield Issue("system-division", path, field="division", found=shown(description["division"]), expected=division)


def _texts(description: Mapping[str, Any], path: str) -> Iterator[Issue]:
    """Fields that the official row needs as text."""
    for name in (*_TEXT, *_TEXT_OR_ABSENT):
        if name in description and not isinstance(description[name], str):
            yield Issue("system-field-type", path, field=name, found=shown(description[name]), expected="text")
    if notes(description, joins_empty=False) is None:
        found = {name: description.get(name) for name in ("hw_notes", "sw_notes")}
        yield Issue("system-field-type", path, field="hw_notes, sw_notes", found=shown(found), expected="text")
    for name in _WRITTEN:
        try:
            str(description.get(name, "")).encode()
        except UnicodeEncodeError:  # JSON can name half a character (\ud800); no file can hold it.
            found_text = shown(description[name])
            yield Issue("system-field-type", path, field=name, found=found_text, expected="whole characters")
