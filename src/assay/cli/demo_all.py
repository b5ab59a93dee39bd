"""``assay demo --all``: one model of each task, accuracy and performance, in one table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from assay.assets.catalogue import load_catalogue
from assay.base.settings import Settings
from assay.campaign.demo import ALL_SECONDS, DemoPart, every_task
from assay.campaign.execute import carry_out
from assay.campaign.plan import make_plan
from assay.cli.render import Output
from assay.cli.run_view import explain_record
from assay.errors import AssayError
from assay.loadgen.record import RunRecord
from assay.results import words
from assay.results.report import write_report

COLUMNS = ("task", "model", "data", "samples", "accuracy", "single queries", "all at once", "engine", "verdict")


def demo_all(settings: Settings, seconds: int | None, report: Path, out: Output) -> int:
    """Run what the demo has of every task; 1 when a task could not be run.

    Args:
        settings: where files are.
        seconds: length of each performance run.
        report: where the report goes.
        out: where what came of it is told.
    """
    parts = every_task(load_catalogue(settings), seconds or ALL_SECONDS)
    records: list[RunRecord] = []
    failures: list[tuple[DemoPart, AssayError]] = []
    with out.progress() as progress:
        for part in parts:
            if any(failed.request.name == part.request.name for failed, _ in failures):
                continue
            out.remark(f"\n{part.title}")
            try:
                plan = make_plan(part.request, settings)
                for line in plan.lines():
                    out.remark(f"  {line}")
                records += carry_out(plan, settings, progress)
            except AssayError as error:
                # One task that cannot be had here says nothing of the others.
                failures.append((part, error))
                out.remark(f"  cannot be run here: {error}")
        if records:
            write_report([settings.runs_dir / record.id for record in records], report, progress=progress)
    _show(records, out)
    for part, why in failures:
        out.remark(f"\n{part.request.name} could not be run: {why}" + (f"; {why.hint}" if why.hint else ""))
    if records:
        out.remark(
            f"\nStand-in models on small data: real figures, not comparable with published results.\nReport: {report}"
        )
    return 1 if failures else 0


def _show(records: Sequence[RunRecord], out: Output) -> None:
    if out.as_json:
        out.json([record.to_dict() for record in records])
        return
    models = dict.fromkeys(record.model.name for record in records)
    out.text()
    out.table(
        COLUMNS,
        [row([record for record in records if record.model.name == name]) for name in models],
        right=("samples", "accuracy", "single queries", "all at once"),
    )
    for record in records:
        if record.verdict is not None and not record.verdict.valid:
            explain_record(record, out)


def row(records: Sequence[RunRecord]) -> list[str]:
    """The runs of one model as a row of the table."""
    first = records[0]
    speed = {record.scenario: record for record in records if record.mode == "performance"}
    single = next((record for scenario, record in speed.items() if scenario != "Offline"), None)
    together = speed.get("Offline")
    return [
        first.task,
        first.model.name,
        first.dataset.name,
        next((str(r.figures.samples_scored) for r in records if r.figures.samples_scored is not None), ""),
        next((words.accuracy(r.figures) for r in records if r.figures.accuracy), ""),
        "" if single is None else f"{words.figure(single.figures)} {single.scenario}",
        "" if together is None else words.figure(together.figures),
        f"{first.backend_name} {first.precision}",
        ", ".join(dict.fromkeys(words.state(record) for record in records)),
    ]
