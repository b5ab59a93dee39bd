"""``assay collect``: finished LoadGen logs become a run of this home."""

from __future__ import annotations

from dataclasses import replace
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
  assay collect ./Offline/accuracy ./Offline/performance/run_1 --benchmark bert-99 --dataset squad-v1.1
  assay collect ./output --benchmark resnet50 --model my-resnet --label short-run --implementation tensorrt
"""


@click.command(epilog=EXAMPLES)
@click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path))
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
def collect(
    folders: tuple[Path, ...], labels: tuple[str, ...], round_name: str, precision: str, out: Output, **options: Any
) -> int:
    """Adopt the LoadGen logs of each DIR as a run: copied, judged by the round, and scored where the dataset is named.

    Scenario, mode and settings are read from the logs. Nothing in DIR is changed. Logs that are named together belong
    together: an accuracy run and a performance run are one result. The exit code is 0 when all are VALID, 1 when one is
    INVALID.
    """
    from assay.backends.protocol import Precision
    from assay.campaign.collect import Collection
    from assay.campaign.collect import collect as adopt
    from assay.cli.run_view import exit_code, show_records
    from assay.loadgen.runs import RunCatalogue

    settings = load_settings()
    given = Collection(
        folder=folders[0],
        labels=tuple(Label(name) for name in labels),
        round=round_name,
        precision=Precision(precision),
        group=RunCatalogue(settings.runs_dir).new_group(),
        **options,
    )
    with out.progress() as progress:
        records = [adopt(replace(given, folder=folder), settings, progress) for folder in folders]
    for record in records:
        if record.mode == "accuracy" and not record.figures.accuracy:
            out.remark("not scored: name the data with --dataset")
        out.remark(f"kept as {record.id}")
    show_records(records, out)
    return exit_code(records)
