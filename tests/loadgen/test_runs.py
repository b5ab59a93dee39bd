from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from assay.errors import InvalidInputError, MachineError, NotFoundError
from assay.loadgen.record import Artefact, RunRecord, RunStatus
from assay.loadgen.runs import OWNER_FILE, RECORD_FILE, RunCatalogue, RunFolder


def record(run: str, status: RunStatus = RunStatus.FINISHED) -> RunRecord:
    nothing = Artefact("nothing", None)
    return RunRecord(
        id=run, group="g", created="2026-11-23T20:15:00+00:00", status=status, round="v3.1", benchmark="resnet",
        task="image-classification", scenario="Offline", mode="performance", category="edge", division="open",
        model=nothing, dataset=nothing, backend_name="null", precision="fp32", batch_size=1, streams=1, threads=0,
        command="assay run",
    )  # fmt: skip


@pytest.fixture
def runs(tmp_path: Path) -> RunCatalogue:
    return RunCatalogue(tmp_path / "runs")


def test_an_empty_catalogue(runs: RunCatalogue) -> None:
    assert list(runs.scan()) == [] and list(runs.records()) == []
    with pytest.raises(NotFoundError, match="no runs yet"):
        runs.find("last")


def test_a_run_is_created_and_read(runs: RunCatalogue) -> None:
    run = runs.new_id("mobilenet-v2", "Offline", "performance")
    folder = runs.create(record(run, RunStatus.RUNNING))
    assert folder.id == run and (folder.path / OWNER_FILE).is_file()
    assert runs.read(run).status is RunStatus.RUNNING
    folder.write(record(run))
    assert runs.read(run) == record(run)
    assert not (folder.path / OWNER_FILE).exists()


def test_a_run_cannot_be_created_twice(runs: RunCatalogue) -> None:
    runs.create(record("20261123-201500-a"))
    with pytest.raises(MachineError):
        runs.create(record("20261123-201500-a"))


@pytest.mark.parametrize("name", ["../../etc/passwd", "/abs/model.onnx", "a b\nc", "..", "", "x" * 500, "mødel"])
def test_an_id_never_leads_out_of_the_catalogue(runs: RunCatalogue, name: str) -> None:
    run = runs.new_id(name, "Offline", "performance")
    assert Path(run).name == run and run.isascii() and len(run) < 140
    assert runs.create(record(run)).path.parent == runs.folder


def test_ids_differ_within_a_second(runs: RunCatalogue) -> None:
    # Of 20 drawn numbers of 16 bits two are the same once in 350 times, three pairs never.
    assert len({runs.new_id("m", "Server", "accuracy") for _ in range(20)}) > 17
    assert runs.new_id("m", "Server", "accuracy").split("-", 2)[2].startswith("m-server-accuracy-")


def test_newest_first_also_within_a_second(runs: RunCatalogue) -> None:
    # By name alone the performance run would come last, though the accuracy run was made after it.
    names = ["20261123-201459-z", "20261123-201500-offline-performance", "20261123-201500-offline-accuracy"]
    for moment, name in enumerate(names):
        folder = runs.create(record(name))
        os.utime(folder.path / RECORD_FILE, (moment + 1, moment + 1))
    assert [found.id for found in runs.records()] == names[::-1]
    assert runs.find("last").id == names[-1]


def test_a_run_is_found_by_beginning_or_end(runs: RunCatalogue) -> None:
    for name in ("20261123-201500-a-3f9a", "20261123-201501-a-77c1", "20261124-000000-b-3f00"):
        runs.create(record(name))
    assert runs.find("77c1").id == "20261123-201501-a-77c1"
    assert runs.find("20261124").id == "20261124-000000-b-3f00"
    with pytest.raises(NotFoundError, match="fits 2 runs"):
        runs.find("20261123")
    with pytest.raises(NotFoundError) as caught:
        runs.find("20261124-000000-b-3f01")
    assert "20261124-000000-b-3f00" in str(caught.value.expected)


@pytest.mark.parametrize("name", ["../runs", ".", "/", "..", "20261123-201500-a/../../x"])
def test_names_are_never_paths(runs: RunCatalogue, name: str) -> None:
    runs.create(record("20261123-201500-a"))
    with pytest.raises(NotFoundError):
        runs.find(name)


def test_half_written_folders_are_told_and_passed_over(runs: RunCatalogue) -> None:
    runs.create(record("20261123-201500-good"))
    for name, content in (("20261123-201501-empty", None), ("20261123-201502-bad", "{"), ("20261123-201503-old", "{}")):
        folder = runs.folder / name
        folder.mkdir()
        if content is not None:
            (folder / RECORD_FILE).write_text(content)
    (runs.folder / "stray.txt").write_text("x")
    (runs.folder / ".hidden").mkdir()
    assert [found.id for found in runs.records()] == ["20261123-201500-good"]
    reasons = [reason for found, reason in runs.scan() if found is None]
    assert [reason.split(":")[0] for reason in reasons] == [
        "20261123-201503-old", "20261123-201502-bad", "20261123-201501-empty",
    ]  # fmt: skip
    with pytest.raises(InvalidInputError):
        runs.read("20261123-201502-bad")


def test_a_run_whose_process_died_was_interrupted(runs: RunCatalogue) -> None:
    """A real process that begins a run and is gone."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[2]); from test_runs import *\n"
        "RunCatalogue(Path(sys.argv[1])).create(record('20261123-201500-dead', RunStatus.RUNNING))"
    )
    subprocess.run([sys.executable, "-c", code, str(runs.folder), str(Path(__file__).parent)], check=True)
    found = runs.read("last")
    assert found.status is RunStatus.INTERRUPTED
    assert found.failure == "the process that ran it is gone"


def test_a_killed_run_is_interrupted_before_its_parent_has_noticed(runs: RunCatalogue) -> None:
    """The process is still listed, as a zombie, until its parent asks for it."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[2]); from test_runs import *\n"
        "RunCatalogue(Path(sys.argv[1])).create(record('20261123-201500-dead', RunStatus.RUNNING))\n"
        "print('running', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(runs.folder), str(Path(__file__).parent)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        assert runs.read("last").status is RunStatus.RUNNING
        os.kill(process.pid, signal.SIGKILL)
        assert runs.read("last").status is RunStatus.INTERRUPTED
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE
        assert runs.read("last").status is RunStatus.INTERRUPTED


def test_a_stopped_run_still_runs(runs: RunCatalogue) -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        folder = runs.create(record("20261123-201500-a", RunStatus.RUNNING))
        owner = {"pid": process.pid, "started": psutil.Process(process.pid).create_time()}
        (folder.path / OWNER_FILE).write_text(json.dumps(owner))
        process.send_signal(signal.SIGSTOP)
        assert folder.read().status is RunStatus.RUNNING
        process.kill()


@pytest.mark.parametrize(
    "owner", [None, "{", "[]", '{"pid": 1e400, "started": 1}', '{"pid": "x"}', '{"pid": -5, "started": 0}']
)
def test_an_owner_that_cannot_be_told_is_gone(runs: RunCatalogue, owner: str | None) -> None:
    folder = runs.create(record("20261123-201500-a", RunStatus.RUNNING))
    path = folder.path / OWNER_FILE
    path.unlink() if owner is None else path.write_text(owner)
    assert folder.read().status is RunStatus.INTERRUPTED


def test_another_process_with_the_same_number_is_not_the_owner(runs: RunCatalogue) -> None:
    folder = runs.create(record("20261123-201500-a", RunStatus.RUNNING))
    started = psutil.Process().create_time() - 3600
    (folder.path / OWNER_FILE).write_text(json.dumps({"pid": os.getpid(), "started": started}))
    assert folder.read().status is RunStatus.INTERRUPTED


def test_a_running_run_is_never_seen_without_its_owner(runs: RunCatalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    import assay.loadgen.runs as module

    real = module.write_json
    monkeypatch.setattr(module, "write_json", lambda path, value: (written.append(path.name), real(path, value)))
    runs.create(record("20261123-201500-a", RunStatus.RUNNING))
    assert written == [OWNER_FILE, RECORD_FILE]


def test_removing(runs: RunCatalogue) -> None:
    folder = runs.create(record("20261123-201500-a", RunStatus.RUNNING))
    with pytest.raises(InvalidInputError, match="still going"):
        runs.remove("last")
    folder.write(replace(record("20261123-201500-a"), status=RunStatus.FAILED))
    assert runs.remove("last") > 100
    assert not folder.path.exists()


def test_a_folder_without_a_record(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        RunFolder(tmp_path).read()
