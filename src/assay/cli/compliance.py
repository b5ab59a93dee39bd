"""``assay compliance``: the compliance tests of a round, run and verified."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay.base.settings import load_settings
from assay.cli.implementation_options import external_request, implementation_options
from assay.cli.options import SCENARIO, complete_runnable, key_values
from assay.cli.render import Output, output_options
from assay.cli.run import run as plain_run

if TYPE_CHECKING:
    from assay.campaign.compliance import JudgedTest
    from assay.campaign.compliance_plan import CompliancePlan
    from assay.loadgen.record import RunRecord

EXAMPLES = """Examples:

\b
  assay compliance run resnet50 --scenario Offline
  assay compliance run mobilenet-v2 --scenario SingleStream --test TEST04 --duration 10s
  assay compliance run mobilenet-v2 --scenario Offline --performance 3f9a --accuracy 77c1
  assay compliance run mobilenet-v2 --scenario Offline --again
  assay compliance run resnet50 --implementation mlcommons-reference-resnet50 --implementation-dir inference
  assay compliance run mobilenet-v2 --scenario Offline --dry-run
"""
_SETTING = frozenset(
    {
        "round_name", "category", "division", "backend", "precision", "threads", "streams", "batch_size", "batch_wait_ns",
        "backend_option", "model", "recipe_given", "dataset", "duration_ns", "samples", "quick", "target_qps",
        "target_latency_ns", "skip_bad", "trace",
    }
)  # fmt: skip
COLUMNS = ("test", "outcome", "speed", "answers", "run")


@click.group(epilog=EXAMPLES)
def compliance() -> None:
    """Run the compliance tests that a round asks of a benchmark."""


@compliance.command("run", epilog=EXAMPLES)
@click.argument("name", metavar="BENCHMARK_MODEL_OR_TASK", shell_complete=complete_runnable)
@click.option("-s", "--scenario", type=SCENARIO, default="Offline", show_default=True, help="Scenario to test.")
@click.option(
    "--test", "tests", multiple=True, metavar="TEST01", help="Test; may be given again. [default: all of the round]"
)
@click.option(
    "--performance", metavar="RUN", default="", help="Plain run to compare with. [default: the latest that fits]"
)
@click.option("--accuracy", metavar="RUN", default="", help="Accuracy run, for TEST01. [default: the latest that fits]")
@click.option("--again", is_flag=True, help="Run also tests that were passed beside the same plain runs before.")
@implementation_options
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@output_options
def run(
    name: str,
    scenario: Any,
    tests: tuple[str, ...],
    performance: str,
    accuracy: str,
    round_name: str,
    backend_option: tuple[str, ...],
    recipe_given: tuple[str, ...],
    again: bool,
    implementation: str | None,
    implementation_dir: Path | None,
    implementation_option: tuple[str, ...],
    time_limit_ns: int | None,
    container: str,
    dry_run: bool,
    out: Output,
    **options: Any,
) -> int:
    """Run the tests that the round asks, through LoadGen's own audit, and verify them from the logs.

    Each test is judged against the plain performance run of the same setting, TEST01 also against the accuracy run. Runs
    that are missing are made first; tests that were passed beside these runs before are not made again. The folder
    compliance/TEST in a test's run is what a submission holds of it.

    The exit code is 0 when every test is passed, 1 when one is not, 5 when a run broke.
    """
    from assay.campaign.compliance import carry_out_compliance
    from assay.campaign.compliance_plan import ComplianceRequest, plan_compliance
    from assay.campaign.recipes import read_recipe
    from assay.campaign.request import RunRequest

    given: dict[str, Any] = {
        **options,
        "name": name,
        "scenarios": (scenario,),
        "round": round_name,
        "recipe": read_recipe(recipe_given),
        "backend_options": key_values(backend_option, "--backend-option"),
    }
    program = external_request(
        given, implementation, implementation_dir, implementation_option, time_limit_ns, container
    )
    settings = load_settings()
    wanted = ComplianceRequest(RunRequest(**given), tests, performance, accuracy, again=again, program=program)
    plan = plan_compliance(wanted, settings)
    if dry_run:
        _show_plan(plan, out)
        return 0
    with out.progress() as progress:
        for line in plan.lines():
            out.remark(line)
        tested = carry_out_compliance(plan, settings, progress)
    _show(tested, out)
    return 0 if all(each.passed for each in tested) else 1


# The setting of a test is that of a plain run, so are its options.
run.params += [option for option in plain_run.params if option.name in _SETTING]


def _show_plan(plan: CompliancePlan, out: Output) -> None:
    if out.as_json:
        out.json(plan.to_dict())
        return
    for line in plan.lines():
        out.text(line)


def _show(tested: Sequence[JudgedTest], out: Output) -> None:
    """Print the outcome of every test and, for what was not passed, what differed and what to do."""
    if out.as_json:
        out.json(
            [
                {"passed": each.passed, "before": each.before, "folder": str(each.folder), **each.record.to_dict()}
                for each in tested
            ]
        )
        return
    out.table(COLUMNS, [_row(each) for each in tested])
    for each in tested:
        if not each.passed:
            _explain(each, out)


def _row(tested: JudgedTest) -> list[str]:
    record = tested.record
    found = {item.name: item.measured for item in record.verdict.constraints} if record.verdict else {}
    speed = next((text for name, text in found.items() if name.endswith(" speed")), "")
    return [
        record.compliance,
        "passed before" if tested.before else "passed" if tested.passed else "FAILED",
        speed,
        found.get("TEST01 accuracy", "") or _tokens(record),
        record.id,
    ]


def _tokens(record: RunRecord) -> str:
    """What TEST06 found: what is wrong, or that nothing is."""
    found = [item for item in record.verdict.constraints if item.name.startswith("TEST06 ")] if record.verdict else []
    wrong = [f"{item.name.removeprefix('TEST06 ')}: {item.measured}" for item in found if not item.met]
    return "; ".join(wrong) or ("tokens are consistent" if found else "")


def _explain(tested: JudgedTest, out: Output) -> None:
    from assay.loadgen.compliance import SCOPE

    assert tested.record.verdict is not None
    out.text()
    out.text(f"{tested.record.compliance} was not passed:")
    failed = [item for item in tested.record.verdict.constraints if item.scope == SCOPE and not item.met]
    for item in failed:
        out.text(f"  {item.name}: {item.measured}; {item.limit} asked ({item.source})")
    for number, fix in enumerate(dict.fromkeys(item.fix for item in failed if item.fix)):
        out.text(f"  {'try' if number == 0 else 'then'}: {fix}")
