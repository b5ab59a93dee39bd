"""``assay check``: a submission tree under both verdicts."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay.cli.render import Output, output_options
from assay.cli.round_options import complete_round, find_round

if TYPE_CHECKING:
    from assay.submission.model import CheckReport

EXAMPLES = """Examples:

\b
  assay check ./submission
  assay check ./submission --round v3.0 --submitter NVIDIA
  assay check ./submission --only '*/bert-99/*' --strict
  assay check ./submission --csv summary.csv --html report.html --sarif report.sarif
  assay check ./submission --csv - --quiet | head
  assay check ./submission --watch
  assay check --input ./submission --version v3.0 --csv summary.csv
"""

_SKIPS = {
    "fields": ("system-field-empty", "measurements-field-empty"),
    "files": ("measurements-file-empty",),
    "power_files": ("power-document-missing",),
    "root": ("root-file-extra",),
}


def _files(function: Any) -> Any:
    """Options that write the report to files."""
    path = click.Path(dir_okay=False, allow_dash=True, path_type=Path)
    for name, words in (
        ("--xlsx", "Write the final report as a workbook, as the official generator does."),
        ("--html", "Write a self-contained HTML report; - prints it."),
        ("--junit", "Write JUnit XML; - prints it."),
        ("--sarif", "Write SARIF 2.1.0; - prints it."),
        ("--csv", "Write the rows of the official summary.csv; - prints them."),
    ):
        function = click.option(name, f"{name.lstrip('-')}_path", type=path, metavar="FILE", help=words)(function)
    return function


def _old_flags(function: Any) -> Any:
    """Flags of the official script that are not spelt like ours."""
    for name, parameter in (
        ("--skip-meaningful-fields-emptiness-check", "skip_fields"),
        ("--skip-empty-files-check", "skip_files"),
        ("--skip-check-power-measure-files", "skip_power_files"),
        ("--skip-extra-files-in-root-check", "skip_root"),
    ):
        words = "The official script's flag of this name."
        function = click.option(name, parameter, is_flag=True, hidden=True, help=words)(function)
    return function


@click.command(epilog=EXAMPLES)
@click.argument("tree", type=click.Path(path_type=Path), required=False)
@click.option("--input", "input_", type=click.Path(path_type=Path), hidden=True, help="The tree.")
@click.option(
    "--round",
    "--version",
    "round_name",
    metavar="ROUND|FILE",
    shell_complete=complete_round,
    help="Round of the rules. Default: the one whose seeds are in the logs.",
)
@click.option("--submitter", "submitters", multiple=True, help="Only this submitter; may be given again.")
@click.option(
    "--division",
    "divisions",
    multiple=True,
    type=click.Choice(["closed", "open", "network"]),
    help="Only this division; may be given again.",
)
@click.option("--only", multiple=True, metavar="GLOB", help="Show only results whose path fits.")
@click.option(
    "--skip-compliance", "--skip_compliance", "skip_compliance", is_flag=True, help="Do not look at compliance."
)
@click.option("--skip-power", is_flag=True, help="Do not judge power logs by the power working group's checks.")
@click.option(
    "--more-power-check", is_flag=True, help="The official verdict holds those checks, too (v3.0 and before)."
)
@click.option("--skip-power-check", is_flag=True, help="The official verdict does not hold them (v3.1).")
@click.option(
    "--model-mapping",
    "--extra-model-benchmark-map",
    "mapping",
    default="model_mapping.json",
    show_default=True,
    metavar="NAME",
    help="File in open/<submitter>/ that maps model names.",
)
@click.option("--submission-exceptions", is_flag=True, help="Forgive LoadGen's error on uncommitted changes.")
@click.option("--ignore", multiple=True, metavar="CODE", help="The official verdict passes over this finding.")
@click.option("-j", "--jobs", type=click.IntRange(1, 256), help="Processes. Default: one for each processor.")
@click.option("--no-cache", is_flag=True, help="Judge everything again.")
@click.option("--strict", is_flag=True, help="The exit code follows the strict verdict.")
@click.option("--all", "everything", is_flag=True, help="List every finding at every place.")
@click.option("--watch", is_flag=True, help="Check again whenever something changes, until Ctrl-C.")
@_files
@_old_flags
@output_options
def check(out: Output, **given: Any) -> int:
    """Check a submission tree by the rules of its round.

    Two verdicts for each result: "official" is what the round's own checker decides, bug for bug; "strict" is what
    the written rules ask. Both are always shown. Exit code: 0 nothing refused, 1 something is, by the official
    verdict (--strict: by the strict one), 4 the tree as a whole cannot be read.
    """
    tree = given["tree"] or given["input_"]
    if tree is None or (given["tree"] and given["input_"]):
        raise click.UsageError("give the tree, once: assay check TREE")
    printed = _printed_form(given, out)
    round_ = _round(tree, given["round_name"], out)
    once, show = _checker(tree, round_, given, printed, out)
    if given["watch"]:
        return _watch(once, show, given, out)
    report = once()
    show(report)
    return _exit_code(report, given)


def _printed_form(given: dict[str, Any], out: Output) -> str | None:
    from assay.cli.check_view import printed_form
    from assay.errors import UsageError

    printed = printed_form(given, out)
    if given["watch"] and (given["no_cache"] or out.as_json or printed):
        raise UsageError("--watch needs the cache and prints for people", hint="leave --no-cache, --json and - out")
    return printed


def _round(tree: Path, name: str | None, out: Output) -> Any:
    from assay.cli.round_options import DEFAULT_ROUND
    from assay.submission.guess import guess_round

    if name is not None:
        return find_round(name)
    guessed = guess_round(tree)
    if guessed is None:
        out.remark(f"no log shows the seeds of a round; taking {DEFAULT_ROUND} (--round says otherwise)")
    else:
        out.remark(f"round {guessed}, by the seeds in the logs")
    return find_round(guessed or DEFAULT_ROUND)


def _checker(
    tree: Path, round_: Any, given: dict[str, Any], printed: str | None, out: Output
) -> tuple[Callable[[], CheckReport], Callable[[CheckReport], None]]:
    """What checks once, and what writes the files of a report and shows it."""
    from assay.base.settings import load_settings
    from assay.cli.check_view import show_report, verdict_lines, write_files
    from assay.rules.findings import finding_kind
    from assay.submission.check import Selection
    from assay.submission.check import check as check_tree
    from assay.submission.read import Options

    ignored = {finding_kind(code).code for code in given["ignore"]}
    for name, codes in _SKIPS.items():
        ignored |= set(codes) if given[f"skip_{name}"] else set()
    power = True if given["more_power_check"] else False if given["skip_power_check"] else None
    options = Options(
        compliance=not given["skip_compliance"],
        power_checks=power,
        power=not given["skip_power"],
        ignored=frozenset(ignored),
        forgive_uncommitted=given["submission_exceptions"],
    )
    selection = Selection(given["submitters"], given["divisions"], given["only"], given["mapping"])
    cache = None if given["no_cache"] else load_settings().cache_dir / "check"

    def once() -> CheckReport:
        with out.progress() as progress:
            return check_tree(
                tree, round_, selection=selection, options=options, jobs=given["jobs"], cache=cache, progress=progress
            )

    def show(report: CheckReport) -> None:
        if given["only"] and not report.results:
            out.remark(
                "no result's path fits --only; a path looks like closed/<submitter>/results/<system>/<model>/..."
            )
        write_files(report, given, out)
        if printed is None:
            show_report(report, out, everything=given["everything"])
            return
        for line in verdict_lines(report):
            out.remark(line)

    return once, show


def _exit_code(report: CheckReport, given: dict[str, Any]) -> int:
    verdict = report.strict if given["strict"] else report.official
    return 0 if verdict.ok else 1


def _watch(
    once: Callable[[], CheckReport], show: Callable[[CheckReport], None], given: dict[str, Any], out: Output
) -> int:
    """Check again and again; unchanged systems come from the cache, so a look costs little."""
    report = once()
    show(report)
    out.remark("watching; Ctrl-C ends")
    try:
        while True:
            time.sleep(max(1.0, report.seconds))
            # What is shown last gives the exit code.
            before, report = report, once()
            if (before.findings, before.rows) != (report.findings, report.rows):
                show(report)
    except KeyboardInterrupt:
        out.remark("")
        return _exit_code(report, given)
