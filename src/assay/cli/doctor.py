"""``assay doctor``: everything that is missing, at once."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from importlib.util import find_spec
from typing import cast

import click

from assay.base.diagnosis import Condition, Diagnose, Diagnosis, missing, warning
from assay.base.settings import Settings, load_settings
from assay.cli.render import Output, output_options
from assay.errors import AssayError
from assay.loadgen.record import RunStatus
from assay.loadgen.runs import OWNER_FILE, RunFolder

ROOMS = ("system", "assets", "cm", "loadgen", "models", "backends", "tasks", "harness", "results", "campaign")
_STYLES = {Condition.OK: "green", Condition.WARNING: "yellow", Condition.MISSING: "red"}
EXIT_MISSING = 3

EXAMPLES = """Examples:

\b
  assay doctor
  assay doctor --json
"""


@click.command(epilog=EXAMPLES)
@output_options
def doctor(out: Output) -> int:
    """Tell everything that is missing or could disturb a measurement, and how to get it.

    Nothing is changed and the network is not used. The exit code is 0 when assay can run its demo, else 3.
    """
    settings = load_settings()
    checks = tuple(examine(settings))
    ready = not any(check.essential and check.state is Condition.MISSING for check in checks)
    if out.as_json:
        out.json({"ready": ready, "checks": [check.to_dict() for check in checks]})
    else:
        show(checks, out, ready=ready)
    return 0 if ready else EXIT_MISSING


def examine(settings: Settings) -> Iterator[Diagnosis]:
    """Ask every room that has something to tell, then look for runs that were cut off."""
    for room in ROOMS:
        name = f"assay.{room}.diagnose"
        if find_spec(name) is None:
            continue
        try:
            yield from cast("Diagnose", importlib.import_module(name).diagnose)(settings)
        except AssayError as error:
            yield missing(room, "its part of assay", str(error), error.hint or "")
    yield from unfinished_runs(settings)


def unfinished_runs(settings: Settings) -> Iterator[Diagnosis]:
    """Runs whose process is gone; only those have an owner and no end."""
    cut_off = []
    for owner in sorted(settings.runs_dir.glob(f"*/{OWNER_FILE}"))[-100:]:
        try:
            if RunFolder(owner.parent).read().status is RunStatus.INTERRUPTED:
                cut_off.append(owner.parent.name)
        except AssayError:
            cut_off.append(owner.parent.name)
    if cut_off:
        detail = f"{len(cut_off)} whose process is gone; the last: {cut_off[-1]}"
        yield warning("interrupted runs", "a tidy list of runs", detail, f"assay runs show {cut_off[-1]}; run it again")


def show(checks: tuple[Diagnosis, ...], out: Output, *, ready: bool) -> None:
    """Print the table, then what to do, most urgent first."""
    from rich.text import Text

    rows = [
        (Text(check.state.value, style=_STYLES[check.state]), check.name, check.detail, check.needed_for)
        for check in checks
    ]
    out.table(["State", "What", "Found", "Needed for"], rows)
    todo = sorted((check for check in checks if check.fix), key=_urgency)
    if todo:
        out.text()
        out.text("What to do:")
        for check in todo:
            need = "essential" if check.essential else f"for {check.needed_for}"
            out.text(f"  {check.name} ({need}): {check.fix}")
    counts = {state: sum(1 for check in checks if check.state is state) for state in Condition}
    out.text()
    out.text(
        f"{counts[Condition.OK]} in order, {counts[Condition.WARNING]} to look at, "
        f"{counts[Condition.MISSING]} missing. "
        + ("Ready: assay demo" if ready else "Not ready: something essential is missing.")
    )


def _urgency(check: Diagnosis) -> tuple[bool, bool]:
    return not check.essential, check.state is not Condition.MISSING
