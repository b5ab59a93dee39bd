"""``assay backends``: the engines and what this machine supports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from assay.cli.render import Output, output_options
from assay.errors import AssayError, unknown

if TYPE_CHECKING:
    from assay.backends.protocol import Capabilities

_EXAMPLES = "Examples:\n\n\b\n  assay backends\n  assay backends show openvino\n  assay backends --json"
_REINSTALL = "update or uninstall the package it comes from"


@dataclass(frozen=True, slots=True)
class Entry:
    """An engine as it is listed: what it can do here, or why it cannot be used and what to do about it."""

    name: str
    title: str
    able: Capabilities | None = None
    cores: int = 0
    reason: str = ""
    fix: str = ""

    def to_dict(self) -> dict[str, object]:
        """The engine as one JSON object."""
        if self.able is None:
            found: dict[str, object] = {"usable": False, "reason": self.reason, "fix": self.fix}
        else:
            found = {
                "usable": True,
                "version": self.able.version,
                "devices": list(self.able.devices),
                "precisions": [precision.value for precision in self.able.precisions],
                "threads": self.cores,
                "notes": list(self.able.notes),
                "options": dict(self.able.options),
            }
        return {"name": self.name, "title": self.title, **found}


@click.group(invoke_without_command=True, epilog=_EXAMPLES)
@output_options
@click.pass_context
def backends(ctx: click.Context, out: Output) -> None:
    """List the inference engines: version, devices, and the number formats this machine computes natively.

    An engine that is not installed, or a plugin that does not load, is listed with the reason and the way out.
    """
    if ctx.invoked_subcommand is not None:
        return
    entries = [_entry(name) for name in _names()]
    if out.as_json:
        out.json([entry.to_dict() for entry in entries])
        return
    out.table(
        ("backend", "version", "devices", "precisions", "threads", "notes"),
        [_row(entry) for entry in entries],
        right=("threads",),
    )


@backends.command(
    "show", epilog="Examples:\n\n\b\n  assay backends show onnxruntime\n  assay backends show null --json"
)
@click.argument("name")
@output_options
def show(name: str, out: Output) -> int:
    """Show one engine: what it can do here and the options it takes.

    The exit code is 3 when it cannot be used here.
    """
    if name not in _names():
        raise unknown("backend", name, _names(), hint="assay backends")
    entry = _entry(name)
    if out.as_json:
        out.json(entry.to_dict())
    elif entry.able is None:
        out.fields(
            [("backend", f"{entry.title} ({name})"), ("usable", "no"), ("reason", entry.reason), ("try", entry.fix)]
        )
    else:
        _show(entry, entry.able, out)
    return 0 if entry.able is not None else 3


def _show(entry: Entry, able: Capabilities, out: Output) -> None:
    out.fields(
        [
            ("backend", f"{entry.title} ({entry.name})"),
            ("version", able.version),
            ("devices", ", ".join(able.devices)),
            ("precisions", ", ".join(able.precisions)),
            ("threads", f"{entry.cores} when not told, shared among the streams"),
            *(("note", note) for note in able.notes),
            ("use it", f"assay run mobilenet-v2 --backend {entry.name}"),
        ]
    )
    if able.options:
        out.text()
        out.table(("--backend-option", "what it does"), list(able.options.items()))


def _names() -> list[str]:
    from assay.backends.registry import backends as registry

    return registry().names()


def _entry(name: str) -> Entry:
    from assay.backends.cpu import usable_cores
    from assay.backends.registry import backends as registry
    from assay.backends.registry import capabilities_of

    title = name
    try:
        backend = registry().get(name)
        title = getattr(backend, "title", name)
        return Entry(name, title, capabilities_of(name, backend), usable_cores())
    except AssayError as error:
        return Entry(name, title, reason=str(error), fix=error.hint or _REINSTALL)


def _row(entry: Entry) -> tuple[object, ...]:
    if entry.able is None:
        return (entry.name, "not usable", "", "", "", f"{entry.reason}; try: {entry.fix}")
    return (
        entry.name,
        entry.able.version,
        ", ".join(entry.able.devices),
        ", ".join(entry.able.precisions),
        entry.cores,
        "; ".join(entry.able.notes),
    )
