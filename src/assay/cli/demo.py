"""``assay demo``: the whole path in under two minutes."""

from __future__ import annotations

from pathlib import Path

import click

from assay.base.settings import Settings, load_settings
from assay.cli.render import Output, output_options
from assay.errors import UsageError

_HEADROOM = 1.5
"""Measured: the demo takes this many times its scenarios' durations, with MultiStream's 662 queries and the probes."""


@click.command(
    epilog="Examples:\n\n\b\n  assay demo\n  assay demo --backend openvino --report demo.html\n  assay demo --seconds 5 --json\n"
    "  assay demo --all"
)
@click.option("--all", "every", is_flag=True, help="One model of each of the seven tasks instead, in one table.")
@click.option("-b", "--backend", help="Engine; see assay backends. Default: onnxruntime.")
@click.option("--model", help="Trained model of the catalogue. Default: mobilenet-v2.")
@click.option(
    "--seconds",
    type=click.IntRange(1, 600),
    help="Length of each performance run. Default: 10, with --all 5.",
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    default="assay-demo.html",
    show_default=True,
    help="HTML report to write.",
)
@output_options
def demo(every: bool, backend: str | None, model: str | None, seconds: int | None, report: Path, out: Output) -> int:
    """Run a trained model on real labelled images with the real LoadGen, in every edge scenario and Server.

    Fetches the model and 20 photographs from Python packages on the first use (about 16 MB), checks accuracy, measures
    performance, prints what came of it and writes a report. The runs are short and the model is a stand-in, so
    everything is labelled so: the figures are real, and not comparable with published results.

    With --all a model of each of the seven tasks is fetched (about 350 MB on the first use), checked for accuracy and
    measured. A task that cannot be run here is told, and the others go on.
    """
    settings = load_settings()
    if every:
        if backend or model:
            raise UsageError("--all runs each model on its own engine", hint="leave --backend and --model out")
        from assay.cli.demo_all import demo_all

        return demo_all(settings, seconds, report, out)
    return _demo(settings, backend or "onnxruntime", model or "mobilenet-v2", seconds or 10, report, out)


def _demo(settings: Settings, backend: str, model: str, seconds: int, report: Path, out: Output) -> int:
    from assay.campaign.demo import demo_parts, next_steps
    from assay.campaign.execute import carry_out
    from assay.campaign.plan import make_plan
    from assay.cli.run_view import show_records
    from assay.loadgen.record import RunRecord
    from assay.results.report import write_report

    parts = demo_parts(backend, model, seconds)
    expected = sum(make_plan(part.request, settings).seconds for part in parts) * _HEADROOM
    out.remark(
        f"The demo of assay: LoadGen drives {model} on {backend}. It takes about {expected:.0f} s once everything is fetched."
    )
    records: list[RunRecord] = []
    with out.progress() as progress:
        for part in parts:
            # Planned one by one: what the first has fetched the second need not.
            plan = make_plan(part.request, settings)
            out.remark(f"\n{part.title}")
            for line in plan.lines():
                out.remark(f"  {line}")
            records += carry_out(plan, settings, progress)
        write_report([settings.runs_dir / record.id for record in records], report, progress=progress)
    if not out.as_json:
        out.text()
    show_records(records, out)
    out.remark(f"\nA report with plots is in {report}.\nWhat to do next:")
    steps = next_steps(model, records)
    width = max(len(command) for command, _ in steps)
    for command, use in steps:
        out.remark(f"  {command:<{width}}  {use}")
    # A busy machine can make Server INVALID; the demo has then shown how that is explained, and has not failed.
    return 0
