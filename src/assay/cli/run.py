"""``assay run``: one model, one engine, one or more scenarios."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay.base.settings import load_settings
from assay.cli.implementation_options import external_request, implementation_options
from assay.cli.options import CATEGORY, DIVISION, DURATION, SCENARIO, complete_backend, complete_runnable, key_values
from assay.cli.render import Output, output_options

if TYPE_CHECKING:
    from assay.campaign.external_plan import ExternalPlan, ExternalRequest
    from assay.campaign.plan import Plan
    from assay.campaign.request import RunRequest
    from assay.campaign.search_plan import SearchPlan
    from assay.loadgen.record import RunRecord

EXAMPLES = """Examples:

\b
  assay run mobilenet-v2 --scenario Offline --mode accuracy
  assay run mobilenet-v2 --scenario SingleStream --duration 30s
  assay run efficientnet-lite0 --scenario Server --target-qps 100 --backend openvino --precision bf16
  assay run resnet50 --scenario Offline --scenario SingleStream --mode both
  assay run resnet50-synthetic --scenario Offline --backend openvino --precision int8 --batch-size 16 --quick
  assay run image-classification --model my.onnx --dataset photos --recipe recipe.yaml --mode both
  assay run mobilenet-v2 --scenario Offline --setting best.yaml
  assay run resnet50 --scenario Offline --power 10.0.0.2:4950
  assay run mobilenet-v2 --scenario Offline --quick --power simulate
  assay run mobilenet-v2 --scenario Offline --dry-run
  assay run resnet50 --implementation mlcommons-reference-resnet50 --implementation-dir inference --dry-run
"""


@click.command(epilog=EXAMPLES)
@click.argument("name", metavar="BENCHMARK_MODEL_OR_TASK", shell_complete=complete_runnable)
@click.option(
    "-s",
    "--scenario",
    "scenarios",
    type=SCENARIO,
    multiple=True,
    help="Scenario; may be given again. Offline when left out.",
)
@click.option(
    "-m",
    "--mode",
    type=click.Choice(["performance", "accuracy", "both"]),
    default="performance",
    show_default=True,
    help="What to measure.",
)
@click.option("--round", "round_name", default="v3.1", show_default=True, help="Round whose rules hold.")
@click.option("--category", type=CATEGORY, help="Category whose scenarios hold.")
@click.option("--division", type=DIVISION, default="open", show_default=True, help="Division whose rules hold.")
@click.option(
    "-b",
    "--backend",
    shell_complete=complete_backend,
    default="auto",
    show_default=True,
    help="Engine; see assay backends. auto: the usual one for the model's form.",
)
@click.option(
    "-p",
    "--precision",
    type=click.Choice(["fp32", "bf16", "fp16", "int8"]),
    help="Number format of the heavy layers; int8 quantises the model first. [default: the model's own, mostly fp32]",
)
@click.option(
    "--threads", type=click.IntRange(0), default=0, help="Compute threads of one stream. [default: all cores]"
)
@click.option("--streams", type=click.IntRange(1), default=1, show_default=True, help="Batches run side by side.")
@click.option("--batch-size", type=click.IntRange(1), help="Samples the engine gets at once. [default: by scenario]")
@click.option(
    "--batch-wait",
    "batch_wait_ns",
    type=DURATION,
    help="Server: longest wait of a query for its batch, e.g. 2ms. [default: none]",
)
@click.option(
    "--backend-option",
    multiple=True,
    metavar="KEY=VALUE",
    help="Setting passed to the engine; may be given again.",
)
@click.option(
    "--setting",
    "setting_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File of a setting, as assay tune writes it; options given beside it hold over it.",
)
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    help="Your own model, a file or a folder, read as the named model is, or as --recipe says.",
)
@click.option(
    "--recipe",
    "recipe_given",
    multiple=True,
    metavar="FILE|KEY=VALUE",
    help="How your own model wants its samples and its outputs read; may be given again.",
)
@click.option("--dataset", help="Dataset of the catalogue, or a folder of yours.")
@click.option(
    "--duration",
    "duration_ns",
    type=DURATION,
    help="Shortest run, e.g. 30s; shorter than the round's is labelled.",
)
@click.option(
    "--samples",
    type=click.IntRange(1),
    help="Fewest queries (Offline: samples); with --mode accuracy the first samples only.",
)
@click.option("--quick", is_flag=True, help="A run of about five seconds, labelled as such.")
@click.option(
    "--target-qps",
    type=click.FloatRange(0, min_open=True),
    help="Server: rate sent. Offline: rate planned with. [default: probed]",
)
@click.option(
    "--target-latency",
    "target_latency_ns",
    type=DURATION,
    help="Server: latency bound. Streams: expected latency. [default: the round's; probed]",
)
@click.option(
    "--power",
    metavar="HOST:PORT|METER|simulate",
    help="Measure the power of performance runs: a director's address (each run is done twice, ranging then testing), a "
    "meter (rapl, nvml, replay:FILE or a plugin's; unofficial), or a simulation that measures nothing.",
)
@click.option("--power-ntp", metavar="HOST", help="With a director: compare clocks with this time server.")
@click.option(
    "--power-official",
    type=click.Path(path_type=Path),
    metavar="CLONE",
    help="With a director: let the client of mlcommons/power-dev measure, from a clone of it: what a submission needs.",
)
@click.option("--skip-bad", is_flag=True, help="Leave out samples that cannot be read; counted and labelled.")
@click.option("--trace/--no-trace", default=True, help="LoadGen's trace with the latency of every sample.")
@implementation_options
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@output_options
def run(
    name: str,
    scenarios: tuple[Any, ...],
    round_name: str,
    backend_option: tuple[str, ...],
    recipe_given: tuple[str, ...],
    setting_file: Path | None,
    implementation: str | None,
    implementation_dir: Path | None,
    implementation_option: tuple[str, ...],
    time_limit_ns: int | None,
    container: str,
    dry_run: bool,
    out: Output,
    **options: Any,
) -> int:
    """Run a benchmark (resnet50), a model of the catalogue (mobilenet-v2), or your own model for a task with LoadGen.

    The exit code is 0 when every run is VALID, 1 when one is INVALID, 5 when one broke.
    """
    from assay.campaign import request as requests
    from assay.campaign.recipes import read_recipe

    given: dict[str, Any] = {
        **options,
        "name": name,
        "round": round_name,
        "recipe": read_recipe(recipe_given),
        "backend_options": key_values(backend_option, "--backend-option"),
    }
    if scenarios:
        given["scenarios"] = scenarios
    if setting_file is not None:
        given |= from_setting(setting_file, scenarios)
    external = external_request(
        given, implementation, implementation_dir, implementation_option, time_limit_ns, container
    )
    request = requests.RunRequest(**given)
    return _of_others(request, external, dry_run, out) if external else _own(request, dry_run, out)


def from_setting(path: Path, scenarios: tuple[Any, ...]) -> dict[str, Any]:
    """What a setting's file asks for and neither the command line nor the environment does."""
    from assay.campaign.request import RunRequest
    from assay.campaign.setting import read_setting
    from assay.campaign.setting_options import setting_options

    asked = setting_options(read_setting(path), scenarios or RunRequest.model_fields["scenarios"].default)
    source = click.get_current_context().get_parameter_source
    # The one option whose name is not that of the field.
    names = {"backend_options": "backend_option"}
    written = {key for key in asked if source(names.get(key, key)) is not click.core.ParameterSource.DEFAULT}
    return {key: value for key, value in asked.items() if key not in written}


def _own(request: RunRequest, dry_run: bool, out: Output) -> int:
    """A run of assay's own harness."""
    from assay.campaign.execute import carry_out
    from assay.campaign.plan import make_plan

    settings = load_settings()
    plan = make_plan(request, settings)
    if dry_run:
        show_plan(plan, out)
        return 0
    with out.progress() as progress:
        for line in plan.lines():
            out.remark(line)
        records = carry_out(plan, settings, progress)
    return _shown(records, out)


def _of_others(request: RunRequest, external: ExternalRequest, dry_run: bool, out: Output) -> int:
    """A run of another program."""
    from assay.campaign.external import carry_out_external
    from assay.campaign.external_plan import make_external_plan
    from assay.campaign.told import of_another_round

    settings = load_settings()
    plan = make_external_plan(request, external, settings)
    if dry_run:
        show_plan(plan, out)
        return 0
    with out.progress() as progress:
        for line in plan.lines():
            out.remark(line)
        records = carry_out_external(plan, settings, progress)
    code = _shown(records, out)
    for note in dict.fromkeys(note for record in records if (note := of_another_round(record))):
        out.remark(f"note: {note}")
    return code


def _shown(records: list[RunRecord], out: Output) -> int:
    from assay.cli.run_view import exit_code, show_records

    show_records(records, out)
    return exit_code(records)


def show_plan(plan: Plan | ExternalPlan | SearchPlan, out: Output) -> None:
    """Print a plan: as lines, or as one document."""
    if out.as_json:
        out.json(plan.to_dict())
        return
    for line in plan.lines():
        out.text(line)
