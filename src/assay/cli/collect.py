"""``assay collect``: finished LoadGen logs become a run of this home."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from assay.base.settings import load_settings
from assay.cli.options import CATEGORY, DIVISION
from assay.cli.render import Output, output_options
from assay.loadgen.record import Label

EXAMPLES = """Examples:

\b
  assay collect ./build/logs --benchmark resnet50
  assay collect ./results/bert/Offline/accuracy --benchmark bert-99 --dataset squad-v1.1
  assay collect ./output --benchmark resnet50 --model my-resnet --label short-run --implementation tensorrt
"""


@click.command(epilog=EXAMPLES)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--benchmark", required=True, help="Benchmark that was run; LoadGen's logs do not say.")
@click.option("--model", help="Name of the model that was run. [default: the benchmark's own]")
@click.option("--dataset", help="Dataset of the catalogue, or a folder of yours: an accuracy run is scored with it.")
@click.option(
    "--label",
    "labels",
    multiple=True,
    type=click.Choice([label.value for label in Label]),
    help="What the figure must not be shown without; may be given again.",
)
@click.option("--round", "round_name", default="v3.1", show_default=True, help="Round whose rules hold.")
@click.option("--category", type=CATEGORY, help="Category whose scenarios hold.")
@click.option("--division", type=DIVISION, default="open", show_default=True, help="Division whose rules hold.")
@click.option("--implementation", "program", default="unknown", show_default=True, help="What ran it, in a word.")
@click.option(
    "-p",
    "--precision",
    type=click.Choice(["fp32", "bf16", "fp16", "int8"]),
    default="fp32",
    show_default=True,
    help="Number format that it ran in.",
)
@output_options
def collect(folder: Path, labels: tuple[str, ...], round_name: str, precision: str, out: Output, **options: Any) -> int:
    """Adopt the LoadGen logs of DIR as a run: copied, judged by the round, and scored where the dataset is named.

    Scenario, mode and settings are read from the logs. Nothing in DIR is changed. The exit code is 0 when the run is
    VALID, 1 when it is INVALID.
    """
    from assay.backends.protocol import Precision
    from assay.campaign.collect import Collection
    from assay.campaign.collect import collect as adopt
    from assay.cli.run_view import exit_code, show_records

    given = Collection(
        folder=folder,
        labels=tuple(Label(name) for name in labels),
        round=round_name,
        precision=Precision(precision),
        **options,
    )
    with out.progress() as progress:
        record = adopt(given, load_settings(), progress)
    if record.mode == "accuracy" and not record.figures.accuracy:
        out.remark("not scored: name the data with --dataset")
    out.remark(f"kept as {record.id}")
    show_records([record], out)
    return exit_code([record])
