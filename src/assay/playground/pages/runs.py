"""Runs of this machine: live while they go on, explained when they are over. Seen by whoever looks after the server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import Query
from fastapi.responses import Response, StreamingResponse
from starlette.exceptions import HTTPException

from assay.cm.meta import JsonValue
from assay.errors import NotFoundError
from assay.loadgen.record import RunRecord
from assay.playground import run_files
from assay.playground.accounts.viewer import Via
from assay.playground.here import Here, Looking
from assay.playground.page import PageModel, Pages, answer_json
from assay.playground.pictures import Form, picture
from assay.playground.run_files import ListedRun
from assay.playground.run_view import LivePage, RunLine, RunPage, candidates, drawings, live_page, run_line, run_page
from assay.results.charts import PALETTE, Spec
from assay.results.one import recorded

pages = Pages("runs")

_PER_PAGE = 50
_STATES = ("running", "valid", "invalid", "finished", "failed", "interrupted", "unreadable")
_ON_BOTH_GROUNDS = "#7d899b"


class RunsPage(PageModel):
    """Runs, newest first."""

    runs: tuple[RunLine, ...]
    total: int
    found: int
    page: int
    pages: int
    q: str
    state: str
    states: tuple[str, ...] = _STATES

    @property
    def going(self) -> bool:
        """Whether one of them is still running."""
        return any(each.state == "running" for each in self.runs)


@pages.get("/runs", template="runs.html")
def runs(
    here: Looking,
    q: Annotated[str, Query(max_length=200)] = "",
    state: Annotated[str, Query(max_length=20)] = "",
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> RunsPage:
    """The runs of this machine: what was run, what came of it, and whether it counts."""
    folder = _runs_of(here)
    every = run_files.list_runs(folder)
    found = [each for each in every if _wanted(each, q.casefold().split(), state)]
    last = max(1, -(-len(found) // _PER_PAGE))
    number = min(page, last)
    shown = found[(number - 1) * _PER_PAGE : number * _PER_PAGE]
    return RunsPage(
        runs=tuple(run_line(each, folder) for each in shown),
        total=len(every),
        found=len(found),
        page=number,
        pages=last,
        q=q,
        state=state if state in _STATES else "",
    )


@pages.get("/runs/{run_id}", template="run.html")
def run(here: Looking, run_id: str) -> RunPage:
    """One run: its verdict with every constraint, latencies, warnings in words, files, and how to do it again."""
    path, record = _found(here, run_id)
    group = _group(path, record)
    return run_page(path, record, group, recorded(here.store, candidates(path.name, group)))


@pages.router.get("/runs/{run_id}/progress.json", summary="How a run is doing, from a place in its progress file on")
def progress(here: Looking, run_id: str, start: Annotated[int, Query(alias="from", ge=0, le=1 << 50)] = 0) -> LivePage:
    """How a run is doing; ask again from ``offset`` while ``running``."""
    path, record = _found(here, run_id)
    answer = answer_json(live_page(path, record, start))
    answer.headers["Cache-Control"] = "no-store"
    return answer  # type: ignore[return-value]


@pages.router.get("/runs/{run_id}/charts/{name}.{form}", include_in_schema=False)
def chart(here: Looking, run_id: str, name: str, form: Form) -> Response:
    """A chart of a run."""
    path, record = _found(here, run_id)
    for each in drawings(path, record):
        if each.name == name:
            answer = picture(_for_browser(each.spec) if form == "json" else each.spec, form)
            answer.headers["Cache-Control"] = "private, no-cache"
            return answer
    raise NotFoundError("the run has no such chart", where=path.name)


@pages.router.get("/runs/{run_id}/files/{name}", include_in_schema=False)
def file(here: Looking, run_id: str, name: str) -> Response:
    """A file of a run, to be kept: never shown by the browser as anything but text."""
    path = run_files.find_run(_runs_of(here), run_id)
    size, pieces = run_files.open_file(path, name)
    plain = "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "_" for letter in path.name
    )
    headers = {
        "Content-Length": str(size),
        "Content-Disposition": f'attachment; filename="{plain[:120]}-{name}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(pieces, media_type="text/plain; charset=utf-8", headers=headers)


def _runs_of(here: Here) -> Path:
    """The folder of runs, for who may see it; to others there is no such page."""
    if here.viewer.via is not Via.LOCAL and not here.viewer.is_maintainer:
        raise HTTPException(404)
    return here.settings.runs_dir


def _found(here: Here, run_id: str) -> tuple[Path, RunRecord]:
    path = run_files.find_run(_runs_of(here), run_id)
    return path, run_files.read_run(path)


def _group(path: Path, record: RunRecord) -> list[ListedRun]:
    """The other runs of the same command."""
    if not record.group:
        return []
    return [
        each
        for each in run_files.list_runs(path.parent)
        if each.record is not None and each.record.group == record.group and each.id != path.name
    ][:50]


def _wanted(run: ListedRun, parts: list[str], state: str) -> bool:
    line = run_line(run)
    if state and state != line.state.casefold() and not (state == "finished" and line.state in ("VALID", "INVALID")):
        return False
    text = " ".join((run.id, line.subject, line.benchmark, line.scenario, line.mode, *line.labels)).casefold()
    return all(part in text for part in parts)


def _for_browser(spec: Spec) -> Spec:
    """A chart that takes its letters from the page, light or dark, and is as wide as its place."""
    given = {**spec, "width": "container"}
    given.pop("config", None)
    return {name: _recoloured(each) for name, each in given.items()}


def _recoloured(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return {name: _recoloured(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_recoloured(each) for each in value]
    return _ON_BOTH_GROUNDS if value == PALETTE.ink else value
