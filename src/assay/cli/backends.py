"""``assay backends``: the engines and what this machine supports."""

from __future__ import annotations

import click

from assay.cli.render import Output, output_options
from assay.errors import AssayError


@click.command(epilog="Examples:\n\n\b\n  assay backends\n  assay backends --json")
@output_options
def backends(out: Output) -> int:
    """List the inference engines: version, devices, and the number formats this machine computes natively.

    An engine that is not installed, or a plugin that does not load, is listed with the reason.
    """
    from assay.backends.registry import backends as registry

    loaded, broken = registry().load_all()
    entries: list[dict[str, object]] = []
    for name, backend in loaded.items():
        try:
            able = backend.capabilities()
        except AssayError as error:
            entries.append({"name": name, "installed": False, "reason": str(error), "fix": error.hint})
            continue
        entries.append(
            {
                "name": name,
                "installed": True,
                "version": able.version,
                "devices": list(able.devices),
                "precisions": [precision.value for precision in able.precisions],
                "notes": list(able.notes),
            }
        )
    entries += [
        {"name": item.name, "installed": False, "reason": item.reason, "fix": f"reinstall {item.origin}"}
        for item in broken
    ]
    if out.as_json:
        out.json(entries)
        return 0
    out.table(
        ("backend", "version", "devices", "precisions", "notes"),
        [
            (
                entry["name"],
                entry.get("version", "not installed"),
                _joined(entry.get("devices")),
                _joined(entry.get("precisions")),
                _joined(entry.get("notes")) or f"{entry.get('reason')}; {entry.get('fix') or ''}",
            )
            for entry in entries
        ],
    )
    return 0


def _joined(items: object) -> str:
    return ", ".join(str(item) for item in items) if isinstance(items, list) else ""
