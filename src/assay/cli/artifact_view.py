"""Artifacts as text and as JSON documents, shared by the verbs that show them."""

from __future__ import annotations

import json

from assay.cli.artifact_quick import lines
from assay.cli.render import Output
from assay.cm.index import shown
from assay.cm.library import Entry, Library
from assay.cm.meta import JsonObject

_TOLD = 3


def entry_document(entry: Entry) -> dict[str, object]:
    """An entry for ``--json``."""
    return {
        "alias": entry.name.alias,
        "uid": entry.name.uid,
        "automation": {"alias": entry.automation.alias, "uid": entry.automation.uid},
        "tags": list(entry.tags),
        "repository": {
            "alias": entry.repository.alias,
            "uid": entry.repository.uid,
            "path": str(entry.repository.path),
        },
        "path": str(entry.path),
    }


def show_entries(entries: list[Entry], out: Output) -> None:
    """One line for each entry."""
    for line in lines(
        [(each.repository.alias, each.name.alias, each.name.uid, ",".join(each.tags)) for each in entries]
    ):
        out.text(line)


def show_entry(entry: Entry, meta: JsonObject, chain: list[str], out: Output) -> None:
    """Everything about one entry."""
    files = sum(1 for path in entry.path.rglob("*") if path.is_file())
    out.fields(
        [
            ("artifact", shown(entry.address)),
            ("uid", shown(entry.name.uid)),
            ("automation", shown(str(entry.automation))),
            ("repository", shown(f"{entry.repository.alias} at {entry.repository.path}")),
            ("folder", shown(str(entry.path))),
            ("files", files),
            *([("bases", shown(" -> ".join(chain)))] if chain else []),
        ]
    )
    out.text()
    out.text(json.dumps(meta, indent=2, sort_keys=True, ensure_ascii=True))


def tell_broken(library: Library, out: Output) -> None:
    """Say on stderr what could not be looked into."""
    for each in library.broken[:_TOLD]:
        out.remark(shown(f"passed over: {each.path}: {each.reason}"))
    unreadable = library.unreadable()
    if unreadable:
        count = f"{len(unreadable)} unreadable {'artifact' if len(unreadable) == 1 else 'artifacts'}"
        out.remark(f"passed over: {count}; assay repo verify tells why")
