"""``assay find-rate``: the highest rate at which Server holds its latency bound."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay.base.settings import load_settings
from assay.base.units import format_duration
from assay.cli.implementation_options import external_request
from assay.cli.options import DURATION, ShareType, complete_runnable, key_values
from assay.cli.render import Output, output_options
from assay.cli.run import from_setting, show_plan
from assay.cli.run import run as plain_run

if TYPE_CHECKING:
    from assay.campaign.find_rate import Searched
    from assay.loadgen.attempts import Tried

EXAMPLES = """Examples:

\b
  assay find-rate mobilenet-v2
  assay find-rate resnet50 --backend openvino --streams 2 --batch-size 8 --batch-wait 2ms
  assay find-rate mobilenet-v2 --target-latency 30ms --attempt-duration 5s --no-confirm
  assay find-rate mobilenet-v2 --duration 60s --tolerance 5%
  assay find-rate mobilenet-v2 --setting best.yaml
  assay find-rate resnet50 --implementation ./mine.yaml --batch-size 8
  assay find-rate mobilenet-v2 --fresh
  assay find-rate mobilenet-v2 --dry-run
"""
_SETTING = frozenset(
    {
        "round_name", "category", "division", "backend", "precision", "threads", "streams", "batch_size", "batch_wait_ns",
        "backend_option", "model", "recipe_given", "dataset", "duration_ns", "samples", "target_latency_ns", "skip_bad",
        "trace", "setting_file", "implementation", "implementation_dir", "implementation_option", "time_limit_ns",
        "container",
    }
)  # fmt: skip
COLUMNS = ("attempt", "rate", "length", "queries", "late", "share", "completed", "says", "run")
_RIGHT = COLUMNS[1:7]


@click.command("find-rate", epilog=EXAMPLES)
@click.argument("name", metavar="BENCHMARK_MODEL_OR_TASK", shell_complete=complete_runnable)
@click.option(
    "--start-qps", type=click.FloatRange(0, min_open=True), help="First rate. [default: a third of the probed one]"
)
@click.option("--tolerance", type=ShareType(), default="2%", show_default=True, help="How near the rate has to be.")
@click.option(
    "--attempt-duration", "attempt_ns", type=DURATION, default="10s", show_default=True, help="Length of an attempt."
)
@click.option("--confirm/--no-confirm", default=True, show_default=True, help="Confirm the rate at full length.")
@click.option("--fresh", is_flag=True, help="Begin anew, also where the same search was interrupted.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@output_options
def find_rate(
    name: str,
    start_qps: float | None,
    tolerance: float,
    attempt_ns: int,
    confirm: bool,
    round_name: str,
    backend_option: tuple[str, ...],
    recipe_given: tuple[str, ...],
    setting_file: Path | None,
    implementation: str | None,
    implementation_dir: Path | None,
    implementation_option: tuple[str, ...],
    time_limit_ns: int | None,
    container: str,
    fresh: bool,
    dry_run: bool,
    out: Output,
    **options: Any,
) -> int:
    """Find the highest rate at which Server holds the latency bound of the round, by bisection over runs.

    Attempts are short far from the bound and longer near it. The rate that held is run at full length, --duration or the
    round's, and rates beside it, until one is VALID and the next one INVALID. Every attempt is a run with a record; the list
    of them, and a page that shows them, are kept under searches/ of the home. A search that was interrupted goes on where it
    was when it is asked for again, also by a newer assay, as long as what the attempts were measured on is the same.

    With --implementation another program makes the runs, told each rate through its manifest and user.conf.

    The exit code is 0 when a rate was found (and confirmed, unless --no-confirm), 1 when not, 5 when a run broke.
    """
    from assay.campaign.find_rate import carry_out_search, what_is_kept
    from assay.campaign.recipes import read_recipe
    from assay.campaign.request import RunRequest
    from assay.campaign.search_plan import plan_search
    from assay.rules.model import Scenario

    given: dict[str, Any] = {
        **options,
        "name": name,
        "scenarios": (Scenario.SERVER,),
        "round": round_name,
        "recipe": read_recipe(recipe_given),
        "backend_options": key_values(backend_option, "--backend-option"),
    }
    if setting_file is not None:
        given |= from_setting(setting_file, (Scenario.SERVER,))
    program = external_request(
        given, implementation, implementation_dir, implementation_option, time_limit_ns, container
    )
    settings = load_settings()
    plan = plan_search(
        RunRequest(**given), settings, start=start_qps, attempt_ns=attempt_ns, tolerance=tolerance, confirm=confirm,
        program=program,
    )  # fmt: skip
    if dry_run:
        show_plan(plan, out)
        if not fresh and (note := what_is_kept(plan, settings)):
            out.remark(note)
        return 0
    tried: list[Tried] = []
    try:
        with out.progress() as progress:
            for line in plan.lines():
                out.remark(line)
            searched = carry_out_search(plan, settings, progress, tried.append, fresh=fresh)
    except KeyboardInterrupt:
        if not out.as_json:
            _show_attempts(tried, out)
            out.remark("the same command goes on from here")
        raise
    _show(searched, out)
    found = searched.found
    return 0 if found.rate is not None and (found.confirmed or not confirm) else 1


# An attempt is a plain run, so are its options.
find_rate.params += [option for option in plain_run.params if option.name in _SETTING]


def _show(searched: Searched, out: Output) -> None:
    from assay.campaign.search_trace import found_values, tried_values

    found = searched.found
    if out.as_json:
        attempts = [tried_values(each) for each in found.tried]
        values = found_values(found, searched.command)
        report = str(searched.report) if searched.report else None
        out.json(
            {**values, "attempts": attempts, "kept": searched.kept, "trace": str(searched.trace), "report": report}
        )
        return
    _show_attempts(found.tried, out)
    out.text()
    if found.rate is None:
        out.text("no rate held the latency bound; see the first attempts: assay runs list")
    else:
        word = "confirmed at full length" if found.confirmed else "not confirmed at full length"
        above = f"; {found.missed:g} missed" if found.missed else ""
        out.text(f"{found.rate:g} queries/s, {word}{above}")
        out.text(f"  {searched.command}")
    if found.why:
        out.remark(f"note: {found.why}")
    if searched.kept:
        out.remark(f"{searched.kept} of {len(found.tried)} attempts were kept from an interrupted search")
    out.remark(f"trace: {searched.trace}")
    if searched.report:
        out.remark(f"page:  {searched.report}")


def _show_attempts(tried: Sequence[Tried], out: Output) -> None:
    out.table(COLUMNS, [_row(each) for each in tried], right=_RIGHT)


def _row(tried: Tried) -> list[str]:
    attempt = tried.attempt
    return [
        tried.step.value,
        f"{attempt.rate:g}",
        format_duration(attempt.duration_s * 1e9),
        f"{attempt.queries:,}",
        f"{attempt.late:,}",
        f"{attempt.share:.2%}",
        f"{attempt.completed_rate:.4g}",
        tried.judged.value,
        attempt.run,
    ]
