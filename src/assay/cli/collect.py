"""``assay collect``: finished LoadGen logs become a run of this home."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay.base.settings import load_settings
from assay.cli.options import CATEGORY, DIVISION
from assay.cli.render import Output, output_options
from assay.errors import InvalidInputError
from assay.loadgen.record import Label

if TYPE_CHECKING:
    from assay.campaign.collect_tree import Adopted

EXAMPLES = """Examples:

\b
  assay collect ./build/logs --benchmark resnet50
  assay collect ./Offline/accuracy ./Offline/performance/run_1 --benchmark bert-99 --dataset squad-v1.1
  assay collect ./output --benchmark resnet50 --model my-resnet --label short-run --implementation tensorrt
  assay collect ./closed/ACME/results --round v3.1
"""


@click.command(epilog=EXAMPLES)
@click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--benchmark",
    help="Benchmark that was run; LoadGen's logs do not say. [default: the folder named after one, such as "
    "resnet50/Offline/performance/run_1]",
)
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
    folders: tuple[Path, ...],
    benchmark: str | None,
    labels: tuple[str, ...],
    round_name: str,
    precision: str,
    out: Output,
    **options: Any,
) -> int:
    """Adopt the LoadGen logs of each DIR as a run: copied, judged by the round, and scored where the dataset is named.

    Scenario, mode and settings are read from the logs. Nothing in DIR is changed. Logs in the DIRs that are named are one
    result. Of a DIR that holds no logs itself all below it are taken: an accuracy run and a performance run beside it are
    one result, compliance tests and ranging runs are left out, and logs that are damaged, or here already, are told and
    do not keep the others back.

    The exit code is 0 when all are VALID, 1 when one is INVALID, 4 when logs below a DIR could not be taken.
    """
    from assay.backends.protocol import Precision
    from assay.campaign.collect import Collection
    from assay.campaign.collect_tree import collect_all
    from assay.cli.run_view import exit_code

    given = Collection(
        folder=folders[0],
        benchmark=benchmark or "",
        labels=tuple(Label(name) for name in labels),
        round=round_name,
        precision=Precision(precision),
        **options,
    )
    with out.progress() as progress:
        found = collect_all(given, benchmark, folders, load_settings(), progress)
    _show(found, out)
    return InvalidInputError.exit_code if found.refused else exit_code(found.records)


def _show(found: Adopted, out: Output) -> None:
    """What was adopted, then what was not, and why."""
    from assay.cli.run_view import show_records

    for record in found.records:
        if record.mode == "accuracy" and not record.figures.accuracy:
            out.remark("not scored: name the data with --dataset")
        out.remark(f"kept as {record.id}")
    if not out.as_json:
        if found.records:
            show_records(found.records, out)
        for each in found.left_out:
            known = f" ({each.known})" if each.known else ""
            out.text(f"{'refused' if each.error else 'left out'}: {each.error or f'{each.folder}: {each.why}{known}'}")
        return
    left = [
        {
            "folder": str(each.folder),
            "why": each.why,
            "run": each.known or None,
            "error": each.error.to_dict() if each.error else None,
        }
        for each in found.left_out
    ]
    out.json({"runs": [record.to_dict() for record in found.records], "left_out": left})
