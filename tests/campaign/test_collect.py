"""Logs of LoadGen that somebody else made become runs."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from assay.base.files import sha256_file
from assay.base.progress import SILENT
from assay.base.settings import Settings
from assay.campaign.collect import Collection, collect
from assay.errors import AssayError, InvalidInputError, NotFoundError, UsageError
from assay.loadgen.record import Label, RunStatus
from assay.loadgen.runs import RunCatalogue
from assay.results.record import results_in
from assay.rules.model import Category

LOGS = Path(__file__).parents[1] / "loadgen" / "data"


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings(home=home, offline=True)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A copy of the logs of a SingleStream run."""
    return Path(shutil.copytree(LOGS / "singlestream", tmp_path / "logs"))


def test_a_performance_run_is_adopted_as_it_is(settings: Settings, logs: Path) -> None:
    before = {path: (path.stat().st_mtime_ns, sha256_file(path)) for path in logs.iterdir()}
    record = collect(Collection(logs, "resnet50", program="tensorrt"), settings, SILENT)
    assert (record.scenario, record.mode, record.category) == ("SingleStream", "performance", "edge")
    assert record.status is RunStatus.FINISHED
    assert record.figures.value is not None
    assert record.verdict is not None
    assert record.backend_name == "tensorrt"
    assert Label.UNSEEN_MATERIAL in record.labels
    assert record.settings["qsl_rng_seed"]
    assert record.command.startswith("assay collect ")
    folder = settings.runs_dir / record.id
    assert record.logs["mlperf_log_detail.txt"] == sha256_file(folder / "mlperf_log_detail.txt")
    assert {path: (path.stat().st_mtime_ns, sha256_file(path)) for path in logs.iterdir()} == before
    assert RunCatalogue(settings.runs_dir).read(record.id) == record
    ((_, result),) = results_in(settings)
    assert result.backend == "tensorrt"


def test_what_is_said_of_the_model_goes_with_the_figure(settings: Settings, logs: Path) -> None:
    given = Collection(logs, "resnet50", model="my-net", labels=(Label.AUGMENTED_COPIES,), category=Category.EDGE)
    record = collect(given, settings, SILENT)
    assert record.model.name == "my-net"
    assert {Label.AUGMENTED_COPIES, Label.CUSTOM_MODEL, Label.UNSEEN_MATERIAL} <= set(record.labels)
    assert "--label augmented-copies" in record.command


def test_an_accuracy_run_without_its_data_is_judged_and_not_scored(settings: Settings) -> None:
    record = collect(Collection(LOGS / "offline_accuracy", "resnet50"), settings, SILENT)
    assert record.mode == "accuracy"
    assert record.figures.accuracy == {}
    assert record.verdict is not None


def test_the_same_logs_are_taken_once(settings: Settings, logs: Path) -> None:
    record = collect(Collection(logs, "resnet50"), settings, SILENT)
    with pytest.raises(UsageError, match=record.id):
        collect(Collection(logs, "resnet50"), settings, SILENT)


def refused(logs: Path, settings: Settings, benchmark: str = "resnet50") -> AssayError:
    with pytest.raises(AssayError) as caught:
        collect(Collection(logs, benchmark), settings, SILENT)
    assert not settings.runs_dir.exists()
    return caught.value


def test_a_folder_without_logs_says_where_there_are_some(settings: Settings, logs: Path) -> None:
    error = refused(logs.parent, settings)
    assert isinstance(error, NotFoundError)
    assert "there are logs in logs" in str(error)
    (logs / "mlperf_log_summary.txt").unlink()
    assert "no mlperf_log_summary.txt" in str(refused(logs, settings))


def test_a_link_in_place_of_a_log_is_refused(settings: Settings, logs: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("not for others")
    (logs / "mlperf_log_trace.json").symlink_to(tmp_path / "secret")
    assert "a link in place of a log" in str(refused(logs, settings))


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("accuracy_log_sampling_target", "64", "TEST01"),
        ("performance_issue_same", "true", "TEST04"),
        ("performance_issue_unique", "true", "TEST04"),
    ],
)
def test_logs_of_a_compliance_test_are_no_plain_run(
    settings: Settings, logs: Path, key: str, value: str, words: str
) -> None:
    detail = logs / "mlperf_log_detail.txt"
    text, count = re.subn(rf'("effective_{key}", "value": )(0|false)', rf"\g<1>{value}", detail.read_text())
    assert count == 1
    detail.write_text(text)
    error = refused(logs, settings)
    assert "logs of a compliance test" in str(error)
    assert words in str(error)


def test_the_program_is_named_in_a_word(settings: Settings, logs: Path) -> None:
    with pytest.raises(UsageError, match="no name of a program"):
        collect(Collection(logs, "resnet50", program="../../elsewhere"), settings, SILENT)


def test_damaged_logs_are_refused(settings: Settings, logs: Path) -> None:
    detail, summary = logs / "mlperf_log_detail.txt", logs / "mlperf_log_summary.txt"
    whole, said = detail.read_bytes(), summary.read_text()
    detail.write_bytes(whole[: len(whole) // 2])
    assert "cut off" in str(refused(logs, settings))
    detail.write_bytes(b"".join(line for line in whole.splitlines(True) if b'"result_validity"' not in line))
    assert "holds no result" in str(refused(logs, settings))
    detail.write_bytes(b"hello\n")
    assert isinstance(refused(logs, settings), InvalidInputError)
    detail.write_bytes(whole)
    other = "Result is : INVALID" if "Result is : VALID" in said else "Result is : VALID"
    summary.write_text(said.replace("Result is : VALID", "x").replace("Result is : INVALID", "x") + f"\n{other}\n")
    assert "not of one run" in str(refused(logs, settings))
    summary.write_text(said.replace("SingleStream", "Offline"))
    assert "not of one run" in str(refused(logs, settings))


def test_what_the_round_does_not_have_is_refused(settings: Settings, logs: Path) -> None:
    assert "has no SingleStream" in str(refused(logs, settings, "dlrm-v2-99"))
    assert "unknown benchmark" in str(refused(logs, settings, "resnet-50x"))
