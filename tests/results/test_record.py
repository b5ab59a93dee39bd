from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.cm.artifact import EXPERIMENT
from assay.cm.names import TagQuery
from assay.cm.repository import local_repository
from assay.errors import InvalidInputError, NotFoundError
from assay.loadgen.record import RunStatus
from assay.loadgen.runs import RunFolder
from assay.results.from_run import uid_of
from assay.results.record import record_run, results_in

MakeRun = Callable[..., RunFolder]


def test_a_run_becomes_an_experiment_with_one_row(settings: Settings, make_run: MakeRun) -> None:
    folder = make_run()
    recorded = record_run(folder.path, settings)
    assert recorded.added
    artifact = recorded.artifact
    assert artifact.alias == "local--mlperf-inference--v3.1--edge--open--image-classification--offline"
    assert artifact.path == settings.local_repo / "experiment" / artifact.alias
    assert {"mlperf", "inference", "local", "offline", "resnet", "onnxruntime", "stand-in-model"} <= set(artifact.tags)
    assert re.fullmatch(r"2026-11-23\.20-13-01\.\d{6}", recorded.path.parent.name)
    (row,) = json.loads(recorded.path.read_text())
    assert row["uid"] == uid_of(folder.id) and row["Location"] == f"runs/{folder.id}"
    text = recorded.path.read_text()
    assert text == json.dumps([row], indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def test_recording_again_changes_nothing(settings: Settings, make_run: MakeRun) -> None:
    folder = make_run()
    first = record_run(folder.path, settings)
    before = {path: path.read_bytes() for path in settings.local_repo.rglob("*") if path.is_file()}
    again = record_run(folder.path, settings)
    assert not again.added and again.path == first.path and again.result == first.result
    assert {path: path.read_bytes() for path in settings.local_repo.rglob("*") if path.is_file()} == before


def test_accuracy_and_performance_share_the_row(settings: Settings, make_run: MakeRun) -> None:
    accuracy, performance = make_run(mode="accuracy", tail="0001"), make_run(tail="0002")
    first, second = record_run(accuracy.path, settings), record_run(performance.path, settings)
    assert second.path == first.path and not second.added
    (row,) = json.loads(second.path.read_text())
    assert (row["Result"], row["Accuracy"], row["uid"]) == (208.5, 90.0, uid_of(accuracy.id))
    assert row["Location"] == f"runs/{performance.id}"
    # And in either order again.
    record_run(accuracy.path, settings)
    assert json.loads(second.path.read_text()) == [row]


def test_two_performance_runs_of_one_command_have_a_row_each(settings: Settings, make_run: MakeRun) -> None:
    one, two = record_run(make_run(tail="0001").path, settings), record_run(make_run(tail="0002").path, settings)
    assert one.path != two.path and one.artifact.alias == two.artifact.alias
    assert [result.uid for _, result in results_in(settings)] == [one.result.uid, two.result.uid]


def test_files_of_others_are_left_alone(settings: Settings, make_run: MakeRun) -> None:
    recorded = record_run(make_run(tail="0001").path, settings)
    foreign = recorded.artifact.path / "2026-01-01.00-00-00.000000" / "cm-result.json"
    foreign.parent.mkdir()
    for content in ('[{"Result": 1}]', "{", '[{"assay": {"format": 99}}]'):
        foreign.write_text(content)
        record_run(make_run(mode="accuracy", tail=f"00{len(content):02d}").path, settings)
        assert foreign.read_text() == content
    assert len(results_in(settings)) >= 1


def test_unfinished_runs_are_not_recorded(settings: Settings, make_run: MakeRun) -> None:
    with pytest.raises(InvalidInputError, match="has no result"):
        record_run(make_run(status=RunStatus.FAILED).path, settings)
    with pytest.raises(NotFoundError):
        record_run(settings.runs_dir / "nowhere", settings)
    assert not settings.local_repo.exists()


def test_runs_of_one_model_are_found_by_tags(settings: Settings, make_run: MakeRun) -> None:
    for scenario in ("Offline", "SingleStream"):
        record_run(make_run(scenario).path, settings)
    repository = local_repository(settings)
    hits = repository.find(EXPERIMENT, tags=TagQuery.parse("mlperf,local,-offline"))
    assert [hit.alias.rpartition("--")[2] for hit in hits] == ["singlestream"]


RECORDER = """
import sys
from pathlib import Path
from assay.base.settings import Settings
from assay.results.record import record_run
record_run(Path(sys.argv[2]), Settings(Path(sys.argv[1])))
"""


def test_recorders_side_by_side_lose_nothing(settings: Settings, make_run: MakeRun) -> None:
    folders: list[Path] = [make_run(tail=f"00{n:02d}", group=f"{n:016x}").path for n in range(1, 7)]
    workers = [
        subprocess.Popen([sys.executable, "-c", RECORDER, str(settings.home), str(path)], stderr=subprocess.PIPE)
        for path in (*folders, folders[0])
    ]
    for worker in workers:
        _, errors = worker.communicate(timeout=120)
        assert worker.returncode == 0, errors.decode()
    assert sorted(result.sources[0].run for _, result in results_in(settings)) == [path.name for path in folders]
