"""``assay quantize``: a smaller form of a model, its accuracy before and after, kept as an asset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay.base.settings import load_settings
from assay.cli.options import complete_backend, complete_runnable
from assay.cli.render import Output, output_options

if TYPE_CHECKING:
    from assay.campaign.quantising import Quantised

EXAMPLES = """Examples:

\b
  assay quantize mobilenet-v2 --to int8
  assay quantize resnet50 --to int8 --calibration cal_image_list_option_1.txt
  assay quantize efficientnet-lite0 --to bf16 -o lite0-half
  assay quantize image-classification --model my.onnx --recipe recipe.yaml --dataset photos --to int8 --calibration 100
  assay quantize mobilenet-v2 --to int8 --dry-run
"""


@click.command(epilog=EXAMPLES)
@click.argument("name", metavar="BENCHMARK_MODEL_OR_TASK", shell_complete=complete_runnable)
@click.option("--to", "to", type=click.Choice(["int8", "bf16", "fp16"]), required=True, help="Format to make.")
@click.option(
    "--calibration",
    metavar="LIST|N",
    help="int8: file with one sample a line (the official lists are mlcommons/inference's, folder calibration), or "
    "that many of the first samples. [default: 32]",
)
@click.option("--dataset", help="Dataset of the catalogue, or a folder of yours, in place of the model's own.")
@click.option("-o", "--output", help="Name of the new asset. [default: the model's with the format behind it]")
@click.option(
    "--method",
    type=click.Choice(["static", "dynamic"]),
    help="int8: ranges from calibration samples, or of each batch as it runs. [default: static, but for recurrent networks]",
)
@click.option(
    "--ranges",
    type=click.Choice(["minmax", "percentile"]),
    help="int8, static: from the smallest to the largest value seen, or without the outermost one in ten thousand. "
    "[default: percentile for convolutional networks, minmax for others]",
)
@click.option("--model", type=click.Path(path_type=Path), help="Your own ONNX model, read as the named model is.")
@click.option(
    "--recipe",
    "recipe_given",
    multiple=True,
    metavar="FILE|KEY=VALUE",
    help="How your own model wants its samples and its outputs read; may be given again.",
)
@click.option("--accuracy/--no-accuracy", default=True, help="Measure accuracy before and after.")
@click.option("--samples", type=click.IntRange(1), help="Accuracy on the first samples only.")
@click.option(
    "-b",
    "--backend",
    default="auto",
    show_default=True,
    shell_complete=complete_backend,
    help="Engine that accuracy is measured on.",
)
@click.option("--round", "round_name", default="v3.1", show_default=True, help="Round whose rules hold.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@output_options
def quantize(
    name: str,
    method: str | None,
    ranges: str | None,
    recipe_given: tuple[str, ...],
    round_name: str,
    dry_run: bool,
    out: Output,
    **options: Any,
) -> int:
    """Make the int8 form of an ONNX model, or one with weights stored in bf16 or fp16.

    The result is an asset: assay run NAME runs it. Beside its file lies provenance.json with the source model's
    checksum, the calibration samples, the versions of the tools and the accuracy before and after.
    """
    from assay.campaign.quantising import QuantizeRequest, make_quantize_plan, quantise
    from assay.campaign.recipes import read_recipe
    from assay.models.quantize import Method
    from assay.models.ranges import Ranges

    request = QuantizeRequest(
        name=name,
        method=Method(method) if method else None,
        ranges=Ranges(ranges) if ranges else None,
        recipe=read_recipe(recipe_given),
        round=round_name,
        **options,
    )
    settings = load_settings()
    plan = make_quantize_plan(request, settings)
    if dry_run and out.as_json:
        out.json(plan.to_dict())
        return 0
    for line in plan.lines():
        (out.text if dry_run else out.remark)(line)
    if dry_run:
        return 0
    with out.progress() as progress:
        made = quantise(plan, settings, progress)
    _show(made, request.to, out)
    return 0


def _show(made: Quantised, to: str, out: Output) -> None:
    from assay.base.units import format_size
    from assay.results import words

    if out.as_json:
        out.json(made.to_dict())
        return
    before, after = made.sizes
    rows = [
        [
            str(each["metric"]),
            words.metric(each["before"], each["unit"]),
            words.metric(each["after"], each["unit"]),
            "" if each["ratio"] is None else f"{each['ratio']:.4f}",
        ]
        for each in made.accuracy()
    ]
    rows.append(["size", format_size(before), format_size(after), f"{after / before:.4f}" if before else ""])
    columns = ("", "before", to, "ratio")
    out.table(columns, rows, right=columns[1:])
    out.text(f"kept as {made.name}: assay run {made.name}")
