"""``assay campaign``: everything that a submission needs, as steps that survive an interruption."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from assay.cli.campaign_options import given_options, plan_options, wanted_of
from assay.cli.render import Output, output_options
from assay.errors import UsageError

if TYPE_CHECKING:
    from assay.campaign.flow.forms import Campaign
    from assay.campaign.flow.survey import Flow

EXAMPLES = """Examples:

\b
  assay campaign plan --benchmark bert-99 --category datacenter --submitter Acme
  assay campaign plan --benchmark resnet50 --model mobilenet-v2 --category edge --rehearsal --name try
  assay campaign run try
  assay campaign status try
  assay campaign explain try Offline/TEST01
  assay campaign abort try
  assay campaign resume try
  assay campaign run try --again failed
  assay campaign run lab.yaml
"""
PLAN_EXAMPLES = """Examples:

\b
  assay campaign plan lab.yaml
  assay campaign plan --benchmark bert-99 --category datacenter --division closed --submitter Acme
  assay campaign plan --benchmark resnet50 --category edge --backend openvino --precision int8 --batch-size 16
  assay campaign plan --benchmark resnet50 --model mobilenet-v2 --category edge --rehearsal --duration 5s --name try
  assay campaign plan --benchmark resnet50 --category both --write lab.yaml
"""


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of campaigns, and files."""
    del ctx, param
    from assay.base.settings import load_settings
    from assay.campaign.flow.places import known_campaigns

    names = [CompletionItem(name) for name in known_campaigns(load_settings()) if name.startswith(incomplete)]
    return [*names, CompletionItem(incomplete, type="file")]


def _complete_step(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Steps of the campaign that is named, and the word for those that failed."""
    del param
    from assay.campaign.flow.again import FAILED
    from assay.errors import AssayError

    names: list[str] = []
    with contextlib.suppress(AssayError):  # whoever completes a word is told nothing
        if which := ctx.params.get("which"):
            names = [step.name for step in _flow(which).steps]
    before, comma, last = incomplete.rpartition(",")
    return [CompletionItem(f"{before}{comma}{name}") for name in (*names, FAILED) if name.startswith(last)]


CAMPAIGN = click.argument("which", metavar="NAME_OR_FILE", shell_complete=_complete)
DRY_RUN = click.option("--dry-run", is_flag=True, help="Say which steps would be done, and do nothing.")
AGAIN = click.option(
    "--again",
    multiple=True,
    metavar="STEP[,STEP...]",
    shell_complete=_complete_step,
    help="Do a step that is done once more, and those after it whose inputs it changes: its name, the end of one, a pattern "
    "such as '*TEST04', or failed for every step with a test that was not passed or an INVALID run. May be given again.",
)
NOTIFY = click.option(
    "--notify",
    multiple=True,
    metavar="WORD",
    help="Program that is told by JSON on its stdin after each step, at the end and on failure; again for each of its words.",
)


@click.group(epilog=EXAMPLES)
def campaign() -> None:
    """Plan and carry out everything that a submission needs, from assets to a checked tree.

    A campaign has a file, written by hand or by plan; it is found by its name or by the path of its file.
    """


@campaign.command(epilog=PLAN_EXAMPLES)
@click.argument("which", metavar="[NAME_OR_FILE]", required=False, shell_complete=_complete)
@plan_options
@NOTIFY
@click.option("--dry-run", is_flag=True, help="Show the plan, and keep nothing.")
@output_options
def plan(which: str | None, dry_run: bool, out: Output, **options: Any) -> int:
    """Show every step of a campaign: how it stands, how long it takes, what it needs.

    Without a file the campaign is made from options, with the usual words for the rest, and kept under its name, so that
    assay campaign run NAME goes on with it.
    """
    from assay.base.settings import load_settings
    from assay.campaign.flow.places import find_campaign
    from assay.campaign.flow.survey import survey
    from assay.cli.campaign_view import show_plan

    settings = load_settings()
    if which is not None:
        if options_given := given_options(options):
            raise UsageError(f"{which} says it all: the option {options_given[0]} is for a campaign without a file")
        flow = survey(find_campaign(which, settings), settings)
        show_plan(flow, flow.standings(), out)
        return 0
    return _planned(options, out, dry_run=dry_run)


def _planned(options: dict[str, Any], out: Output, *, dry_run: bool) -> int:
    """Plan from options."""
    from assay.base.settings import load_settings
    from assay.campaign.flow.draft import UNTOLD, draft, keep, stand_ins
    from assay.campaign.flow.places import remember
    from assay.campaign.flow.survey import survey
    from assay.cli.campaign_view import show_plan

    settings = load_settings()
    drafted = draft(wanted_of(options), settings, options["write"])
    for line in stand_ins(drafted, settings):
        out.remark(f"note: {line}")
    flow = survey(drafted, settings)
    _tell_what_is_not_described(flow, out)
    untold = drafted.form.submitter == UNTOLD
    if untold:
        out.remark("note: nobody knows yet who submits, so this plan is not kept; give it: --submitter NAME")
    dry_run = dry_run or untold
    if not dry_run:
        replaced = keep(drafted, force=options["force"])
        remember(drafted, settings)
        out.remark(f"{'replaced' if replaced else 'written'}: {drafted.path}")
    show_plan(flow, flow.standings(), out)
    if not dry_run:
        out.remark(f"go on with: assay campaign run {drafted.form.name}")
    return 0


def _tell_what_is_not_described(flow: Flow, out: Output) -> None:
    """Fields that only a person knows, before the first step asks for them."""
    from assay.campaign.flow.systems import description_of, make_description, untold

    for system in flow.campaign.form.systems:
        if description_of(flow.campaign, system, flow.settings) is not None:
            continue
        missing = untold(make_description(flow.campaign, system, flow.settings))
        if missing:
            words = " ".join(f"--set {name}=..." for name in missing)
            out.remark(f"note: nobody knows this of {system} yet: {', '.join(missing)}; give it now: {words}")


@campaign.command(
    epilog="Examples:\n\n\b\n  assay campaign run lab.yaml --dry-run\n  assay campaign run lab.yaml\n"
    "  assay campaign run try --notify ./tell.sh --notify lab\n"
    "  assay campaign run try --again '*TEST04' --dry-run\n"
    "  assay campaign run try --again failed\n"
    "  assay campaign run try --again resnet50/Server/find-rate,resnet50/Offline/performance"
)
@CAMPAIGN
@AGAIN
@NOTIFY
@DRY_RUN
@output_options
def run(which: str, again: tuple[str, ...], notify: tuple[str, ...], dry_run: bool, out: Output) -> int:
    """Do every step that is not done.

    A step that is done is noted with its inputs by hash before the next one begins: a second run does only what has
    changed, and a killed process loses only the run in flight. A step that is asked for with --again is done although it
    is done; what it came to before stays in the journal, and explain tells it. The exit code is 0 when every step is done,
    1 when a run or a tree cannot be submitted.
    """
    return _carry(which, again, notify, dry_run, out)


@campaign.command(
    epilog="Examples:\n\n\b\n  assay campaign resume lab.yaml\n  assay campaign resume try\n"
    "  assay campaign resume try --again failed"
)
@CAMPAIGN
@AGAIN
@NOTIFY
@DRY_RUN
@output_options
def resume(which: str, again: tuple[str, ...], notify: tuple[str, ...], dry_run: bool, out: Output) -> int:
    """Go on with a campaign that was interrupted or aborted; the same as run."""
    return _carry(which, again, notify, dry_run, out)


@campaign.command(epilog="Examples:\n\n\b\n  assay campaign status lab.yaml\n  assay campaign status try --json")
@CAMPAIGN
@output_options
def status(which: str, out: Output) -> int:
    """Say what is done, what is under way or stopped, what is left and how long it takes."""
    from assay.cli.campaign_view import show_status

    show_status(_flow(which), out)
    return 0


@campaign.command(epilog="Examples:\n\n\b\n  assay campaign explain lab.yaml Offline/TEST01")
@CAMPAIGN
@click.argument("step", metavar="STEP")
@output_options
def explain(which: str, step: str, out: Output) -> int:
    """Say why a step is there, what it needs, and what it will run. STEP is a name of the plan, or the end of one.

    Of a step that was done more than once, every outcome is told; of one whose test was not passed or whose run is INVALID,
    how to do it again.
    """
    from assay.campaign.flow.survey import find_step
    from assay.cli.campaign_view import show_step

    flow = _flow(which)
    show_step(flow, find_step(flow, step), out)
    return 0


@campaign.command(epilog="Examples:\n\n\b\n  assay campaign abort try\n  assay campaign abort lab.yaml --wait 2m")
@CAMPAIGN
@click.option(
    "--wait", "wait", default="60s", show_default=True, metavar="DURATION", help="How long to wait for its end."
)
@output_options
def abort(which: str, wait: str, out: Output) -> int:
    """Stop a campaign that another terminal carries out.

    The run in flight is ended in order and not counted; what was done before is kept, and resume goes on. The exit code
    is 0 when nothing is running any more, 1 when it is still ending.
    """
    from assay.base.settings import load_settings
    from assay.base.units import parse_duration
    from assay.campaign.flow.journal import Journal
    from assay.campaign.flow.places import folder_of_name
    from assay.campaign.flow.running import interrupt, owner

    settings = load_settings()
    name = _campaign(which).form.name
    folder = folder_of_name(name, settings)
    process, journal = owner(folder), Journal(folder)
    step = journal.under_way()
    if process is not None:
        journal.abort(f"process {process} was asked to stop")
    ended = process is None or interrupt(folder, wait_s=parse_duration(wait) / 1e9)
    if out.as_json:
        out.json({"campaign": name, "was_running": process is not None, "step": step, "ended": ended})
    elif process is None:
        out.text(f"{name} is not running")
    else:
        out.text(f"{name} was stopped in {step}" if ended else f"{name} was asked to stop and is still ending {step}")
        out.remark(f"go on with: assay campaign resume {which}")
    return 0 if ended else 1


@campaign.command("list", epilog="Examples:\n\n\b\n  assay campaign list\n  assay campaign list --json")
@output_options
def list_(out: Output) -> int:
    """List the campaigns that are known by their names."""
    from assay.base.settings import load_settings
    from assay.cli.campaign_view import show_list

    show_list(load_settings(), out)
    return 0


def _campaign(which: str) -> Campaign:
    from assay.base.settings import load_settings
    from assay.campaign.flow.places import find_campaign

    return find_campaign(which, load_settings())


def _flow(which: str) -> Flow:
    from assay.base.settings import load_settings
    from assay.campaign.flow.survey import survey

    return survey(_campaign(which), load_settings())


def _carry(which: str, asked: tuple[str, ...], notify: tuple[str, ...], dry_run: bool, out: Output) -> int:
    from assay.campaign.flow.again import steps_again
    from assay.campaign.flow.carry import carry_out_campaign
    from assay.cli.campaign_view import remark_on_failures, show_plan
    from assay.cli.truncate import lock_of

    flow = _flow(which)
    again = steps_again(flow, asked)
    if asked:
        out.remark(f"again: {', '.join(again) or 'no step, for none failed'}")
    if dry_run:
        left = {name: each for name, each in flow.standings(again).items() if each.state.value != "done"}
        show_plan(flow, left, out)
        return 0
    with out.progress() as progress:
        done = carry_out_campaign(flow, progress, tree_lock=lock_of(flow.campaign.out), notify=notify, again=again)
    if out.as_json:
        show_plan(flow, flow.standings(), out)
        return 0
    out.remark(f"{len(done)} steps were done, {len(flow.steps) - len(done)} were there already")
    if flow.campaign.form.rehearsal:
        out.remark("a rehearsal: not to be submitted")
    standings = flow.standings()
    for name in ("check", "report"):
        if last := standings[name].last:
            out.remark(f"{name}: {last.note}")
    remark_on_failures(flow, standings, out)
    out.text(str(flow.campaign.out))
    return 0
