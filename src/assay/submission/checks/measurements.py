"""``measurements/``: configuration, implementation and code of a result."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator
from typing import Any

from assay.submission.checks.context import EntryContext, read_any_json, read_json, read_text, shown
from assay.submission.issue import Issue
from assay.submission.tree import Folder

_KEPT = ("weight_data_types", "input_data_types")
_LONGEST = 100


def check_measurements(
    context: EntryContext,
    folder: Folder,
    above: Iterable[Folder],
    code: Folder,
    has_power: bool,
    facts: dict[str, str],
) -> list[Issue]:
    """Issues of the measurements folder of an entry.

    Args:
        folder: the folder itself.
        above: the folders of model, system and measurements that it lies in.
        code: the submitter's ``code/``; two levels of it are enough.
        has_power: power was measured.
        facts: takes in what the implementation says of its data types.

    Source: ``check_measurement_dir`` of submission_checker.py.
    """
    path = f"{context.submitter_path}/measurements/{context.system}/{context.model}/{context.directory}"
    return [
        *_files(context, folder, path),
        *_implementation(context, folder, path, code, facts),
        *(_power_documents(context, folder, above, path) if has_power else ()),
    ]


def _files(context: EntryContext, folder: Folder, path: str) -> Iterator[Issue]:
    for name in context.rules.measurements.files:
        if name not in folder.files:
            yield Issue("measurements-file-missing", path, expected=name)
        elif folder.files[name][0] == 0:
            yield Issue("measurements-file-empty", f"{path}/{name}")


def _implementation(
    context: EntryContext, folder: Folder, path: str, code: Folder, facts: dict[str, str]
) -> Iterator[Issue]:
    name, ending = _implementation_file(context, folder)
    if name is None:
        expected = f"{context.system}_<implementation>_{context.directory}.json"
        yield Issue("measurements-json-missing", path, expected=expected)
        return
    found, problem = read_json(context.full(f"{path}/{name}"))
    if found is None:
        yield from _no_object(context, f"{path}/{name}", problem)
        return
    facts |= {key: found[key][:_LONGEST] for key in _KEPT if isinstance(found.get(key), str) and found[key]}
    yield from _fields(context, found, f"{path}/{name}")
    implementation = name[len(context.system) + 1 : -len(ending)]
    place = _code_place(context, code, implementation)
    if place is not None:
        yield Issue("code-missing", f"{path}/{name}", expected=place)


def _no_object(context: EntryContext, path: str, problem: str) -> Iterator[Issue]:
    """The official tool looks for the fields in whatever it finds: a list holds none of them, a number breaks it off."""
    value, _ = read_any_json(context.full(path))
    fields = context.rules.measurements.fields
    if isinstance(value, list | str) and not any(name in value for name in fields):
        for name in fields:
            yield Issue("measurements-field-missing", path, problem, field=name)
    else:
        yield Issue("measurements-json-unreadable", path, detail=problem)


def _implementation_file(context: EntryContext, folder: Folder) -> tuple[str | None, str]:
    """The first file, in the order of the disk, that is named after the system."""
    for name in folder.files:
        if not name.startswith(context.system):
            continue
        for ending in (f"_{context.directory}.json", ".json"):
            if name.endswith(ending):
                return name, ending
    return None, ""


def _fields(context: EntryContext, found: Any, path: str) -> Iterator[Issue]:
    for name in context.rules.measurements.fields:
        if name not in found:
            yield Issue("measurements-field-missing", path, field=name)
        elif not found[name]:
            yield Issue("measurements-field-empty", path, field=name, found=shown(found[name]))


def _code_place(context: EntryContext, code: Folder, implementation: str) -> str | None:
    """Where the code should be; None when it, or at least the folder above it, is there."""
    model = context.model
    base = f"{context.submitter_path}/code"
    if model in code.files:
        text, _ = read_text(context.full(f"{base}/{model}"))
        named = posixpath.normpath(posixpath.join(base, (text or "").strip()))
        # The text is a path of the submitter's choice: what lies out of the submitter's folder is not looked at.
        inside = f"{named}/".startswith(f"{context.submitter_path}/") and "\0" not in named
        return None if inside and os.path.exists(context.full(named)) else shown(named)
    return None if model in code.folders else f"{base}/{model}/{shown(implementation)}"


def _power_documents(context: EntryContext, folder: Folder, above: Iterable[Folder], path: str) -> Iterator[Issue]:
    """The last document found counts; it must not be empty."""
    for stem in context.rules.measurements.power_documents:
        size: int | None = None
        for each in (folder, *above):
            for name, identity in each.files.items():
                if name.startswith(stem):
                    size = identity[0]
        if not size:
            yield Issue("power-document-missing", path, expected=f"{stem}.*", found="empty" if size == 0 else "")
