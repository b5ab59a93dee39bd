"""A run in words: verdict, labels, warnings, charts, and nothing longer than fits."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from assay.loadgen.record import Artefact, RunStatus
from assay.loadgen.verdict import Constraint, Verdict
from assay.playground.run_files import ListedRun
from assay.playground.run_view import candidates, cut, drawings, live_page, meaning_of, run_line, run_page
from assay.results.from_run import uid_of

from ..results.conftest import MakeRecord, MakeRun, make_record, make_run, settings  # noqa: F401


def test_a_run_in_a_list(make_record: MakeRecord) -> None:  # noqa: F811
    line = run_line(ListedRun("a", make_record()))
    assert (line.subject, line.state, line.kind) == ("mobilenet-v2, onnxruntime 1.22.0, fp32", "VALID", "good")
    assert line.figure == "208.5 samples/s"
    assert line.labels == ("stand-in-model", "small-dataset")


@pytest.mark.parametrize(
    ("status", "state", "kind"),
    [("failed", "failed", "bad"), ("interrupted", "interrupted", "warn"), ("running", "running", "note")],
)
def test_what_did_not_finish(make_record: MakeRecord, status: str, state: str, kind: str) -> None:  # noqa: F811
    line = run_line(ListedRun("a", make_record(status=RunStatus(status), failure="it broke")))
    assert (line.state, line.kind, line.problem) == (state, kind, "it broke")


def test_what_cannot_be_read(tmp_path: Path) -> None:
    line = run_line(ListedRun("a", None, "no JSON"), tmp_path)
    assert (line.state, line.problem) == ("unreadable", "no JSON")


def test_a_run_in_full(make_run: MakeRun) -> None:  # noqa: F811
    folder = make_run("SingleStream")
    record = folder.read()
    page = run_page(folder.path, record, [ListedRun("b", record)], "feed")
    assert page.constraints[0].asked_by == "LoadGen"
    assert (page.constraints[1].met, page.constraints[1].asked_by) == (False, "round v3.1")
    assert [each.name for each in page.charts] == ["histogram", "percentiles", "timeline", "throughput"]
    assert "not comparable" in page.labels[0].meaning
    assert page.deviations == (("min_duration", "10m 00s", "5.00 s"),)
    assert dict(page.facts)["Started"].endswith("UTC")
    assert page.command == record.command
    assert (page.valid, page.accepted, page.result) == (True, False, "feed")
    assert page.group[0].id == "b"


def test_power_is_drawn_where_there_is_any(make_run: MakeRun) -> None:  # noqa: F811
    folder = make_run("Offline")
    (folder.path / "spl.txt").write_text(
        "".join(f"Time,11-28-2026 10:00:0{second}.000,Watts,{20 + second}.5,Volts,230\n" for second in range(9))
    )
    found = {each.name: each for each in drawings(folder.path, folder.read())}
    assert set(found) == {"throughput", "power"}
    assert found["power"].text == "Power from 20.5 to 28.5 W, 24.5 W on average."


def test_files_that_are_links_or_pipes_give_no_charts(make_run: MakeRun, tmp_path: Path) -> None:  # noqa: F811
    folder = make_run("SingleStream")
    trace = folder.path / "mlperf_log_trace.json"
    trace.rename(tmp_path / "elsewhere.json")
    trace.symlink_to(tmp_path / "elsewhere.json")
    os.mkfifo(folder.path / "spl.txt")
    assert drawings(folder.path, folder.read()) == ()


def test_charts_are_made_again_when_files_change(make_run: MakeRun) -> None:  # noqa: F811
    folder = make_run("SingleStream")
    first = drawings(folder.path, folder.read())
    assert drawings(folder.path, folder.read()) is first
    (folder.path / "mlperf_log_trace.json").write_text("{")
    assert [each.name for each in drawings(folder.path, folder.read())] == ["throughput"]


def test_how_far_a_run_is(make_run: MakeRun) -> None:  # noqa: F811
    folder = make_run(status=RunStatus.RUNNING)
    with (folder.path / "progress.jsonl").open("a") as stream:
        stream.write('{"name": "run", "done": null, "total": null}\n')
        stream.write(
            '{"elapsed_s": 3, "issued": 9, "done": 8, "rate": 2.5, "p50_ns": 1, "p90_ns": 2, "p99_ns": 3, "eta_s": 1}\n'
        )
    page = live_page(folder.path, folder.read())
    assert (page.running, page.phase, page.share) == (True, "run", 0.75)
    assert page.latest is not None
    assert page.latest.rate == 2.5
    assert live_page(folder.path, folder.read(), page.offset).latest is None
    assert drawings(folder.path, folder.read()) == ()


def test_hostile_texts_are_cut(make_run: MakeRun, make_record: MakeRecord) -> None:  # noqa: F811
    long = "<script>" * 500
    verdict = Verdict(
        False, False, (Constraint(long, False, long, long, long, long),) * 1000, (long,) * 1000, (long,) * 1000
    )
    folder = make_run()
    record = make_record(
        model=Artefact(long, None), command=long, failure=long, verdict=verdict, versions={long: long}, benchmark=long,
        settings={f"{number}{long}": long for number in range(300)},
    )  # fmt: skip
    page = run_page(folder.path, record, [], "")
    assert len(page.model_dump_json()) < 1_500_000
    assert len(page.constraints) == 200


def test_messages_are_explained() -> None:
    assert "faster than LoadGen was told" in meaning_of("Ran out of generated queries to issue")
    assert meaning_of("something else") == ""


def test_a_result_is_named_by_the_first_run_of_its_command() -> None:
    assert candidates("b", [ListedRun("a", None)]) == [uid_of("b"), uid_of("a")]


def test_a_text_is_cut_where_it_stops_fitting() -> None:
    assert (cut("abc", 3), cut("abcd", 3)) == ("abc", "abc…")
