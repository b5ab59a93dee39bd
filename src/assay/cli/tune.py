"""``assay tune``: the best setting of a model on this machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay.base.settings import load_settings
from assay.cli.options import DURATION, SCENARIO, SHARE, SIZE, complete_backend, complete_runnable, key_values
from assay.cli.render import Output, output_options
from assay.cli.run import run as plain_run
from assay.errors import UsageError

if TYPE_CHECKING:
    from assay.base.settings import Settings
    from assay.campaign.tuning.aim import Measured
    from assay.campaign.tuning.plan import TunePlan
    from assay.campaign.tuning.request import TuneRequest
    from assay.campaign.tuning.trial import Trial

EXAMPLES = """Examples:

\b
  assay tune mobilenet-v2
  assay tune mobilenet-v2 --scenario SingleStream --trials 20 --time 5m
  assay tune resnet50 --backend onnxruntime --backend openvino --batch-size 8 --batch-size 32 --write best.yaml
  assay tune mobilenet-v2 --scenario Server --max-memory 1GB --accuracy 98%
  assay tune mobilenet-v2 --trade-off memory --finalists 5
  assay tune mobilenet-v2 --trade-off watts --power rapl
  assay tune mobilenet-v2 --dry-run
  assay tune --resume mobilenet-v2-offline-3f9a1c07
"""
_OF_A_RUN = frozenset(
    {
        "round_name", "category", "division", "backend_option", "model", "recipe_given", "dataset", "skip_bad",
        "target_latency_ns", "power", "power_ntp", "power_official",
    }
)  # fmt: skip
"""Options that every run of the search has."""
_AS_THEY_ARE = _OF_A_RUN - {"round_name", "backend_option", "recipe_given"}


@click.command(epilog=EXAMPLES)
@click.argument("name", metavar="BENCHMARK_MODEL_OR_TASK", required=False, shell_complete=complete_runnable)
@click.option("-s", "--scenario", type=SCENARIO, default="Offline", show_default=True, help="Scenario.")
@click.option(
    "-b",
    "--backend",
    "backends",
    multiple=True,
    shell_complete=complete_backend,
    help="Engine to try; may be given again. [default: all that read the model]",
)
@click.option(
    "-p",
    "--precision",
    "precisions",
    multiple=True,
    type=click.Choice(["fp32", "bf16", "fp16", "int8"]),
    help="Number format to try; may be given again. [default: all that an engine computes here]",
)
@click.option("--threads", multiple=True, type=click.IntRange(0, 4096), help="Threads of a stream to try.")
@click.option("--streams", multiple=True, type=click.IntRange(1, 1024), help="Batches side by side to try.")
@click.option("--batch-size", "batch_sizes", multiple=True, type=click.IntRange(1, 65536), help="Batch size to try.")
@click.option("--batch-wait", "batch_waits_ns", multiple=True, type=DURATION, help="Server: wait for a batch to try.")
@click.option(
    "--trade-off", type=click.Choice(["memory", "watts"]), help="Search what nothing beats in the figure and in this."
)
@click.option(
    "--accuracy",
    type=SHARE,
    help="Share of the usual setting's accuracy to keep; 0 for none. [default: what the round asks]",
)
@click.option("--accuracy-samples", type=click.IntRange(1), help="Samples that it is measured on. [default: all]")
@click.option("--max-latency", "max_p99_ns", type=DURATION, help="Most latency of a query at the 99th percentile.")
@click.option("--max-memory", type=SIZE, help="Most memory of a run, e.g. 2GB.")
@click.option(
    "--max-watts", type=click.FloatRange(0, min_open=True), help="Most mean power of a run, in W; needs --power."
)
@click.option("--trials", type=click.IntRange(1, 10_000), help="Settings to try. [default: 30]")
@click.option("--time", "time_ns", type=DURATION, help="No trial begins after it, e.g. 20m. [default: no limit]")
@click.option("--trial-duration", "trial_ns", type=DURATION, default="5s", show_default=True, help="Length of a trial.")
@click.option("--finalists", type=click.IntRange(1, 20), help="Settings that are run again. [default: 3]")
@click.option("--repeats", type=click.IntRange(0, 50), help="How often they are; 0: not at all. [default: 3]")
@click.option("--confirm-duration", "confirm_ns", type=DURATION, help="Length of those runs. [default: 20s]")
@click.option("--seed", type=click.IntRange(0, 2**31), default=1, show_default=True, help="Of the proposals.")
@click.option("--name", "folder_name", help="Name that the search is kept under. [default: by what is asked]")
@click.option("--resume", metavar="NAME", help="Go on with a search that is kept; it knows what was asked.")
@click.option("--restart", is_flag=True, help="Forget what was measured before.")
@click.option(
    "--write", "file", type=click.Path(path_type=Path, dir_okay=False), help="Further file for the winner's setting."
)
@click.option("--dry-run", is_flag=True, help="Say what would be searched, and do nothing.")
@output_options
def tune(
    name: str | None,
    folder_name: str | None,
    resume: str | None,
    restart: bool,
    file: Path | None,
    dry_run: bool,
    out: Output,
    **options: Any,
) -> int:
    """Search the setting in which a model is fastest here: engine, number format, batch size, streams, threads, waits.

    Every trial is a short run with LoadGen, with a record; those that a probe shows to be hopeless are given up. The best
    are run again beside the usual setting, in turn, and the gain is told with its spread. The winner is written as a
    setting: assay run NAME --setting FILE.

    The same command goes on with what was measured before, also after Ctrl-C. The exit code is 0 when a setting was found
    that holds what is asked, 1 when none was, 5 when the usual setting cannot be run.
    """
    from assay.campaign.tuning.plan import plan_tuning
    from assay.cli.tune_view import show_plan

    settings = load_settings()
    request = _kept(name, resume, options, settings) if resume else _asked(name, options)
    plan = plan_tuning(request, settings, name=resume or folder_name)
    if dry_run:
        show_plan(plan, out)
        return 0
    return _carry_out(plan, settings, out, restart=restart, file=file)


# A trial is a plain run, so are its options.
tune.params += [option for option in plain_run.params if option.name in _OF_A_RUN]


def _asked(name: str | None, options: dict[str, Any]) -> TuneRequest:
    """What the options ask."""
    from assay.campaign.recipes import read_recipe
    from assay.campaign.request import RunRequest
    from assay.campaign.tuning.request import TuneRequest

    if name is None:
        raise UsageError("a search is about a model", hint="assay tune mobilenet-v2, or --resume NAME")
    run = RunRequest(
        name=name,
        scenarios=(options["scenario"],),
        round=options["round_name"],
        recipe=read_recipe(options["recipe_given"]),
        backend_options=key_values(options["backend_option"], "--backend-option"),
        **{key: options[key] for key in _AS_THEY_ARE},
    )
    given = {key: options[key] for key in TuneRequest.model_fields if options.get(key) not in (None, ())}
    return TuneRequest(run=run, **given)


def _kept(name: str | None, resume: str, options: dict[str, Any], settings: Settings) -> TuneRequest:
    """What was asked of a search that is kept, and how long it may take now."""
    from assay.campaign.tuning.plan import kept_request
    from assay.campaign.tuning.request import HOW_LONG

    source = click.get_current_context().get_parameter_source
    told = [key for key in options if source(key) is click.core.ParameterSource.COMMANDLINE]
    foreign = [key for key in told if key not in HOW_LONG]
    if name is not None or foreign:
        raise UsageError(
            "a search that is kept knows what was asked; only how long it may take can be changed",
            hint=f"assay tune --resume {resume} --trials 60",
        )
    given = {key: options[key] for key in HOW_LONG if options.get(key) is not None}
    kept = kept_request(resume, settings)
    return type(kept).model_validate({**{key: getattr(kept, key) for key in type(kept).model_fields}, **given})


def _carry_out(plan: TunePlan, settings: Settings, out: Output, *, restart: bool, file: Path | None) -> int:
    from assay.campaign.tuning.tune import Listener, tune
    from assay.cli.tune_view import show_trials, show_tuned, told_rerun, told_trial

    trials: list[Trial] = []
    out = replace(out, quiet=out.quiet or out.as_json)

    def trial(each: Trial) -> None:
        trials.append(each)
        out.remark(told_trial(each, plan))

    def rerun(number: int, each: Trial, measured: Measured) -> None:
        out.remark(told_rerun(number, each, measured, plan))

    try:
        with out.progress() as progress:
            for line in plan.lines():
                out.remark(line)
            tuned = tune(plan, settings, progress, Listener(trial, rerun), restart=restart, out=file)
    except KeyboardInterrupt:
        if not out.as_json:
            if trials:
                show_trials(trials, plan, out)
            out.remark(f"what was measured is kept; go on with: assay tune --resume {plan.name}")
        raise
    show_tuned(tuned, out)
    return 0
