"""``assay campaign``: everything that a submission needs, as steps that survive an interruption."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.render import Output, output_options

if TYPE_CHECKING:
    from assay.campaign.flow.steps import Standing
    from assay.campaign.flow.survey import Flow

EXAMPLES = """Examples:

\b
  assay campaign plan lab.yaml
  assay campaign run lab.yaml
  assay campaign status lab.yaml
  assay campaign explain lab.yaml Offline/TEST01
"""
COLUMNS = ("Step", "State", "Expected", "Needs", "What")
FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.yaml")
DRY_RUN = click.option("--dry-run", is_flag=True, help="Say which steps would be done, and do nothing.")


@click.group(epilog=EXAMPLES)
def campaign() -> None:
    """Plan and carry out everything that a submission needs, from assets to a checked tree."""


@campaign.command(epilog="Examples:\n\n\b\n  assay campaign plan lab.yaml\n  assay campaign plan lab.yaml --json")
@FILE
@output_options
def plan(file: Path, out: Output) -> int:
    """Show every step of a campaign: how it stands, how long it takes, what it needs."""
    flow = _flow(file)
    _show(flow, flow.standings(), out)
    return 0


@campaign.command(epilog="Examples:\n\n\b\n  assay campaign run lab.yaml --dry-run\n  assay campaign run lab.yaml")
@FILE
@DRY_RUN
@output_options
def run(file: Path, dry_run: bool, out: Output) -> int:
    """Do every step that is not done.

    A step that is done is noted with its inputs by hash before the next one begins: a second run does only what has
    changed, and a killed process loses only the run in flight. The exit code is 0 when every step is done, 1 when a run
    or a tree cannot be submitted.
    """
    return _carry(file, dry_run, out)


@campaign.command(epilog="Examples:\n\n\b\n  assay campaign resume lab.yaml")
@FILE
@DRY_RUN
@output_options
def resume(file: Path, dry_run: bool, out: Output) -> int:
    """Go on with a campaign that was interrupted; the same as run."""
    return _carry(file, dry_run, out)


@campaign.command(epilog="Examples:\n\n\b\n  assay campaign status lab.yaml")
@FILE
@output_options
def status(file: Path, out: Output) -> int:
    """Say what is done, what was under way, and what is left."""
    flow = _flow(file)
    standings = flow.standings()
    if out.as_json:
        _show(flow, standings, out)
        return 0
    rows = [_status_row(each) for each in standings.values()]
    out.table(("Step", "State", "Took", "Done at", "Runs", "Note"), rows, right=("Took",))
    done = sum(each.state.value == "done" for each in standings.values())
    out.remark(f"{done} of {len(rows)} steps are done")
    if done < len(rows) and (name := flow.journal.under_way()):
        out.remark(f"{name} was begun and is not done")
    return 0


@campaign.command(epilog="Examples:\n\n\b\n  assay campaign explain lab.yaml Offline/TEST01")
@FILE
@click.argument("step", metavar="STEP")
@output_options
def explain(file: Path, step: str, out: Output) -> int:
    """Say why a step is there, what it needs, and what it will run. STEP is a name of the plan, or the end of one."""
    from assay.campaign.flow.steps import RULES
    from assay.campaign.flow.survey import find_step

    flow = _flow(file)
    found = find_step(flow, step)
    standings = flow.standings()
    rule, source = RULES[found.kind]
    if out.as_json:
        out.json({**_document(standings[found.name]), "rule": rule, "source": source})
        return 0
    standing = standings[found.name]
    needs = [f"{name} ({standings[name].state.value})" for name in found.needs]
    pairs: list[tuple[str, object]] = [
        ("step", found.name), ("state", _why(standing, standings)), ("why", rule), ("source", source),
        ("needs", ", ".join(needs) or "nothing"), ("does", found.what), ("command", found.command or "none"),
    ]  # fmt: skip
    out.fields(pairs)
    return 0


def _flow(file: Path) -> Flow:
    from assay.base.settings import load_settings
    from assay.campaign.flow.forms import read_campaign
    from assay.campaign.flow.survey import survey

    return survey(read_campaign(file), load_settings())


def _carry(file: Path, dry_run: bool, out: Output) -> int:
    from assay.campaign.flow.carry import carry_out_campaign
    from assay.cli.truncate import lock_of

    flow = _flow(file)
    if dry_run:
        _show(flow, {name: each for name, each in flow.standings().items() if each.state.value != "done"}, out)
        return 0
    with out.progress() as progress:
        done = carry_out_campaign(flow, progress, tree_lock=lock_of(flow.campaign.out))
    if out.as_json:
        _show(flow, flow.standings(), out)
        return 0
    out.remark(f"{len(done)} steps were done, {len(flow.steps) - len(done)} were there already")
    if flow.campaign.form.rehearsal:
        out.remark("a rehearsal: not to be submitted")
    for name in ("check", "report"):
        if last := flow.standings()[name].last:
            out.remark(f"{name}: {last.note}")
    out.text(str(flow.campaign.out))
    return 0


def _show(flow: Flow, standings: dict[str, Standing], out: Output) -> None:
    if out.as_json:
        form = flow.campaign.form
        out.json({
            "format": 1, "campaign": form.name, "round": form.round, "rehearsal": form.rehearsal,
            "out": str(flow.campaign.out), "journal": str(flow.journal.path), "under_way": flow.journal.under_way(),
            "steps": [_document(each) for each in standings.values()],
        })  # fmt: skip
        return
    if not standings:
        out.remark("every step is done")
        return
    out.table(COLUMNS, [_plan_row(each) for each in standings.values()], right=("Expected",))
    left = [each.seconds for each in standings.values() if each.state.value != "done"]
    if left:
        more = "; nobody can tell how long those with ? take" if None in left else ""
        out.remark(f"{len(left)} steps are left: at least {_time(sum(filter(None, left)))}{more}")


def _document(standing: Standing) -> dict[str, object]:
    step, last = standing.step, standing.last
    return {
        "name": step.name, "kind": step.kind.value, "state": standing.state.value, "needs": list(step.needs),
        "expected_seconds": standing.seconds, "what": step.what, "command": step.command, "inputs": standing.inputs,
        "runs": list(last.runs) if last else [], "note": last.note if last else "", "done_at": last.when if last else None,
    }  # fmt: skip


def _plan_row(standing: Standing) -> tuple[str, ...]:
    step = standing.step
    needs = f"{len(step.needs)} steps" if len(step.needs) > 2 else ", ".join(step.needs)
    return (step.name, standing.state.value, _time(standing.seconds), needs, step.what)


def _status_row(standing: Standing) -> tuple[str, ...]:
    last = standing.last
    if last is None:
        return (standing.step.name, standing.state.value, "", "", "", "")
    return (standing.step.name, standing.state.value, _time(last.seconds), last.when, " ".join(last.runs), last.note)


def _why(standing: Standing, standings: dict[str, Standing]) -> str:
    state = standing.state.value
    if state != "stale":
        return state
    waiting = [name for name in standing.step.needs if standings[name].state.value != "done"]
    if waiting:
        return f"stale: {', '.join(waiting)} comes first, and may change it"
    return "stale: its inputs have changed since it was done, or what it made is gone"


def _time(seconds: float | None) -> str:
    from assay.base.units import format_duration

    return "?" if seconds is None else format_duration(seconds * 1e9)
