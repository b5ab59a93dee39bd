"""``assay submission``: build a submission tree of runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay.cli.options import DIVISION, key_values
from assay.cli.render import Output, output_options
from assay.cli.round_options import ROUND, complete_benchmark, find_round
from assay.cli.truncate import lock_of
from assay.rules.model import Category, Division

if TYPE_CHECKING:
    from assay.submission.building.model import BuildReport, Entry, Wish

EXIT_MISSING = 4

BUILD_EXAMPLES = """Examples:

\b
  assay submission build --out tree --submitter Acme --division closed --category edge --system lab-xeon --dry-run
  assay submission build --out tree --submitter Acme --division closed --category edge --system lab-xeon
  assay submission build 3f9a 77b0 --out tree --submitter Acme --division open --category both --system box.json
  assay submission build --out try --submitter Acme --division closed --category edge --system lab-xeon --rehearsal
"""


@click.group(epilog="Examples:\n\n\b\n  assay submission build --help")
def submission() -> None:
    """Make a submission tree of your runs."""


@submission.command(epilog=BUILD_EXAMPLES)
@click.argument("runs", metavar="[RUN]...", nargs=-1)
@click.option("--out", "tree", type=click.Path(path_type=Path), required=True, metavar="DIR", help="The new tree.")
@click.option("--submitter", required=True, help="Organisation that submits; the name of its folder.")
@click.option("--division", type=DIVISION, required=True, help="Division.")
@click.option("--category", type=click.Choice(["edge", "datacenter", "both"]), required=True, help="Category.")
@click.option(
    "--system", "system_name", required=True, metavar="NAME|FILE.json", help="Description of the system: assay system."
)
@click.option("--implementation", metavar="NAME", help="Name of the implementation. [default: the engine's]")
@click.option(
    "-n",
    "--benchmark",
    "benchmarks",
    multiple=True,
    shell_complete=complete_benchmark,
    help="Only this benchmark; may be given again. [default: all that have runs]",
)
@ROUND
@click.option(
    "--set",
    "pairs",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Field of the implementation's file, or BENCHMARK.FIELD; may be given again.",
)
@click.option(
    "--calibration",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE.md",
    help="How the model was calibrated, where no record tells.",
)
@click.option(
    "--power-settings",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE.md",
    help="How the machine's power was set, for results with power.",
)
@click.option("--infer/--no-infer", default=True, help="Fill in scenarios that follow from others, on the edge.")
@click.option("--rehearsal", is_flag=True, help="Take runs that may not be submitted, too, and say so everywhere.")
@click.option("--pack", "archive", type=click.Path(path_type=Path), metavar="FILE.tar.gz", help="Pack the tree, too.")
@click.option("--force", is_flag=True, help="Replace a tree that was built at the same place.")
@click.option("--dry-run", is_flag=True, help="Only say what would be built.")
@output_options
def build(out: Output, **given: Any) -> int:
    """Build the tree of a submission from the best runs, or from those named.

    For each benchmark and scenario the best run that may be submitted is taken, with its accuracy run and its compliance
    tests. What is missing is listed, each with the command or option that gives it, and nothing is written then. The tree
    is checked before it gets its name; the SHA-256 of its files stand beside it in DIR.sha256. The same runs give the same
    bytes. Exit code: 0 built, 4 something is missing.
    """
    from assay.assets.catalogue import load_catalogue
    from assay.base.settings import load_settings
    from assay.loadgen.runs import RunCatalogue
    from assay.submission.building.run import build as build_tree

    settings = load_settings()
    round_ = find_round(given["round_name"])
    with out.progress() as progress:
        report = build_tree(
            RunCatalogue(settings.runs_dir),
            round_,
            _wish(given),
            given["tree"],
            assets=load_catalogue(settings),
            force=given["force"],
            dry_run=given["dry_run"],
            archive=given["archive"],
            lock=lock_of(given["tree"]),
            progress=progress,
        )
    if out.as_json:
        out.json(_document(report))
    else:
        _show(report, out)
    return 0 if report.ok else EXIT_MISSING


def _wish(given: dict[str, Any]) -> Wish:
    from assay.submission.building.model import Wish

    name, description = _system(given["system_name"])
    categories = tuple(Category) if given["category"] == "both" else (Category(given["category"]),)
    division = given["division"]
    assert isinstance(division, Division)
    calibration, settings = given["calibration"], given["power_settings"]
    return Wish(
        submitter=given["submitter"],
        division=division,
        categories=categories,
        system=name,
        description=description,
        runs=given["runs"],
        benchmarks=given["benchmarks"],
        implementation=given["implementation"],
        fields=key_values(given["pairs"], "--set"),
        calibration=None if calibration is None else calibration.read_text(encoding="utf-8"),
        power_settings=None if settings is None else settings.read_text(encoding="utf-8"),
        infer=given["infer"],
        rehearsal=given["rehearsal"],
        described_in="" if given["system_name"] == name else given["system_name"],
    )


def _system(text: str) -> tuple[str, dict[str, object]]:
    """Id and fields of a system: a kept description, or a file."""
    from assay.base.settings import load_settings
    from assay.system.store import SystemStore, read_description

    if "/" in text or "\\" in text or text.endswith(".json"):
        path = Path(text)
        return path.stem, read_description(path)
    return text, SystemStore(load_settings().systems_dir).load(text).to_official_json()


def _document(report: BuildReport) -> dict[str, object]:
    wish = report.wish
    return {
        "format": 1,
        "out": str(report.out),
        "round": report.round,
        "submitter": wish.submitter,
        "division": wish.division.value,
        "categories": [each.value for each in wish.categories],
        "system": wish.system,
        "rehearsal": wish.rehearsal,
        "dry_run": report.dry_run,
        "built": report.built,
        "results": [_result(entry) for entry in report.entries],
        "missing": [each.to_dict() for each in report.missing],
        "notes": list(report.notes),
        "findings": dict(report.findings),
        "files": dict(report.files),
        "listing": None if report.listing is None else str(report.listing),
        "archive": None if report.archive is None else {"path": str(report.archive[0]), "sha256": report.archive[1]},
    }


def _result(entry: Entry) -> dict[str, object]:
    figures = entry.performance.record.figures
    return {
        "benchmark": entry.benchmark.name,
        "scenario": entry.scenario.value,
        "inferred_from": entry.inferred_from.value if entry.inferred_from else None,
        "run": entry.performance.record.id,
        "accuracy_run": entry.accuracy.record.id if entry.accuracy else None,
        "compliance": sorted(entry.compliance),
        "value": None if entry.inferred_from else figures.value,
        "unit": None if entry.inferred_from else figures.unit,
        "labels": list(entry.labels),
    }


def _show(report: BuildReport, out: Output) -> None:
    if report.entries:
        out.table(
            ("Benchmark", "Scenario", "Figure", "Performance run", "Accuracy run", "Compliance", "Labels"),
            [_row(entry) for entry in report.entries],
            right=("Figure",),
        )
    if report.missing:
        out.table(
            ("Where", "Missing", "What gives it"),
            [(each.where, each.what, each.how) for each in report.missing],
            title=f"Nothing was built: {len(report.missing)} things are missing",
        )
    for note in report.notes:
        out.remark(f"note: {note}")
    if report.dry_run and report.ok:
        out.remark(f"{report.pieces} files would be written to {report.out} (--dry-run)")
    if report.built:
        _built(report, out)


def _built(report: BuildReport, out: Output) -> None:
    out.remark(f"{len(report.files)} files, their SHA-256 in {report.listing}")
    if report.archive is not None:
        out.remark(f"packed as {report.archive[0]}, SHA-256 {report.archive[1]}")
    if report.findings:
        counted = ", ".join(f"{code} {count}" for code, count in report.findings.items())
        out.remark(f"the strict check refuses: {counted}")
    if report.wish.rehearsal:
        out.remark("a rehearsal: not to be submitted")
    out.text(str(report.out))


def _row(entry: Entry) -> tuple[str, ...]:
    from assay.results import words

    figures = entry.performance.record.figures
    figure = f"from {entry.inferred_from.value}" if entry.inferred_from else words.figure(figures)
    accuracy = entry.accuracy.record.id if entry.accuracy else ""
    return (
        entry.benchmark.name,
        entry.scenario.value,
        figure,
        entry.performance.record.id,
        accuracy,
        " ".join(sorted(entry.compliance)),
        ", ".join(entry.labels),
    )
