"""The page that tells what a campaign ran and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from assay.base.units import format_duration
from assay.campaign.flow.steps import Standing
from assay.campaign.flow.survey import Flow
from assay.loadgen.record import RunRecord
from assay.results import words


def report_text(flow: Flow, standings: Mapping[str, Standing], records: Mapping[str, RunRecord]) -> str:
    """The report as Markdown.

    Args:
        records: of the runs that the steps name.
    """
    return "\n".join(_lines(flow, standings, records)) + "\n"


def _lines(flow: Flow, standings: Mapping[str, Standing], records: Mapping[str, RunRecord]) -> Iterator[str]:
    form = flow.campaign.form
    yield f"# Campaign {form.name}"
    yield ""
    yield (
        f"{form.submitter}, {form.division.value} division, {' and '.join(each.value for each in form.categories)}, "
        f"round {form.round}, system {', '.join(form.systems)}. Tree: `{flow.campaign.out}`."
    )
    if form.rehearsal:
        yield ""
        yield "**A rehearsal: not to be submitted.**"
    yield ""
    yield "| step | figure | run | time | note |"
    yield "|---|---|---|---|---|"
    for name, standing in standings.items():
        if standing.last is not None:
            yield _row(name, standing, records)


def _row(name: str, standing: Standing, records: Mapping[str, RunRecord]) -> str:
    last = standing.last
    assert last is not None
    own = [records[run] for run in last.runs if run in records]
    figures = [words.figure(each.figures) or words.accuracy(each.figures) for each in own]
    labels = dict.fromkeys(label.value for each in own for label in each.labels)
    note = ", ".join([*([last.note] if last.note else []), *labels]).replace("|", "/")
    cells = (name, "; ".join(filter(None, figures)), " ".join(last.runs), format_duration(last.seconds * 1e9), note)
    return f"| {' | '.join(cells)} |"
