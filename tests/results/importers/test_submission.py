from __future__ import annotations

import hashlib
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from assay.cli.check_view import csv_text
from assay.results.importers.cm import CmImporter, CmRow
from assay.results.importers.source import Source
from assay.results.importers.submission import rows_of, seed_of
from assay.results.importers.summary_csv import summary_rows
from assay.results.model import Method, Origin
from assay.results.row import Row, uid_of
from assay.submission.check import check
from assay.submission.model import CheckReport
from assay.submission.read import Options

from ...submission.smalltree import build, change_log
from ...submission.trees import remove_scenarios
from ..rows import fields_of
from .trees import LATENCIES, REPOSITORY, cm_rows, make_tree

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SOURCE = Source("inference_results_v3.0", REPOSITORY, COMMIT, official=True)
ORACLE = Path(__file__).resolve().parents[4] / "shared" / "oracle"

# What only raw logs tell.
RAW = {
    "precision", "latency_mean", "latency_p50", "latency_p90", "latency_p95", "latency_p97", "latency_p99",
    "latency_p999", "latency_bound", "min_duration", "queries", "memory", "memory_given", "strict", "findings", "logs",
    "loadgen", "qsl_seed", "sample_index_seed", "schedule_seed", "created", "source_kind",
}  # fmt: skip


def checked(root: Path, round_name: str = "v3.0") -> CheckReport:
    return check(root, round_name, options=Options(provenance=True), jobs=1)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("submission") / "tree"
    make_tree(root)
    return root


@pytest.fixture(scope="module")
def report(tree: Path) -> CheckReport:
    return checked(tree)


@pytest.fixture(scope="module")
def by_place(report: CheckReport) -> dict[str, Row]:
    """Rows by ``division/submitter/scenario``."""
    rows = rows_of(report, SOURCE)
    found = {"/".join([row.division, str(row.organisation), row.scenario]): row for row in rows}
    assert len(found) == len(rows) == 8
    return found


# ---- one row, to the last field


def test_a_server_result(tree: Path, by_place: dict[str, Row]) -> None:
    location = "closed/Zeta/results/box/resnet50/Server"
    log = tree / location / "performance/run_1/mlperf_log_detail.txt"
    accuracy = tree / location / "accuracy/accuracy.txt"
    assert by_place["closed/Zeta/Server"] == Row(
        uid=uid_of("v3.0", location, "resnet", "Server"),
        round="v3.0",
        benchmark="resnet",
        scenario="Server",
        division="closed",
        location=location,
        task="image-classification",
        category=("datacenter",),
        availability="available",
        organisation="Zeta",
        organisation_given="Zeta",
        system="box",
        system_name="The Box",
        model="resnet50",
        precision="fp32",
        value=987.25,
        unit="Queries/s",
        lower_is_better=False,
        samples_per_second=987.25,
        latency_mean=2e6,
        latency_p50=1.5e6,
        latency_p90=2.5e6,
        latency_p95=2.75e6,
        latency_p97=3e6,
        latency_p99=3.5e6,
        latency_p999=4.5e6,
        latency_bound=15e6,
        min_duration=600.0,
        queries=60000,
        accuracy=76.014,
        accuracy_metric="acc",
        accuracy_unit="percent",
        accuracy_target=pytest.approx(76.46 * 0.99),
        accuracy_met=True,
        accuracies=by_place["closed/Zeta/Server"].accuracies,
        power=False,
        accelerator="A100-SXM-80GB",
        accelerator_vendor="NVIDIA",
        accelerator_given="NVIDIA A100-SXM4-80GB",
        accelerators_per_node=4,
        accelerators=8,
        processor="AMD EPYC 7713",
        processor_given="AMD EPYC 7713 64-Core Processor",
        processors_per_node=2,
        cores=64,
        nodes=2,
        memory=1 << 40,
        memory_given="16x 64 GB",
        operating_system="Ubuntu 22.04",
        framework="TensorRT",
        framework_given="TensorRT 8.6.0, CUDA 12.0",
        notes="cooled, with water",
        official=True,
        strict=True,
        compliance=True,
        source="inference_results_v3.0",
        source_kind="submission",
        commit=COMMIT,
        url=f"{REPOSITORY}/tree/{COMMIT}/{location}",
        logs={
            "performance/run_1/mlperf_log_detail.txt": hashlib.sha256(log.read_bytes()).hexdigest(),
            "accuracy/accuracy.txt": hashlib.sha256(accuracy.read_bytes()).hexdigest(),
        },
        loadgen="3.0 @ 0000000000",
        qsl_seed=10003631887983097364,
        sample_index_seed=17183018601990103738,
        schedule_seed=12134888396634371638,
    )
    (told,) = by_place["closed/Zeta/Server"].accuracies
    assert (told.metric, told.value, told.unit, told.met) == ("acc", 76.014, "percent", True)


def test_hashes_are_those_of_the_files(tree: Path, report: CheckReport) -> None:
    for row in rows_of(report, SOURCE):
        assert "performance/run_1/mlperf_log_detail.txt" in row.logs
        for name, digest in row.logs.items():
            assert digest == hashlib.sha256((tree / row.location / name).read_bytes()).hexdigest(), name


def test_power(by_place: dict[str, Row]) -> None:
    single, multi, offline = (by_place[f"closed/Acme/{each}"] for each in ("SingleStream", "MultiStream", "Offline"))
    # 125 W on average; a stream's energy is told for a query, which took 10 ms.
    for row in (single, multi, offline):
        assert (row.power, row.watts, row.official, row.strict, row.findings) == (True, 125.0, True, True, ())
        assert "performance/run_1/spl.txt" in row.logs
    assert (single.power_value, single.power_unit) == (1250.0, "millijoules")
    assert (single.joules_per_query, single.joules_per_sample) == (1.25, 1.25)
    assert (multi.joules_per_query, multi.joules_per_sample) == (1.25, 1.25 / 8)
    assert (offline.power_value, offline.power_unit, offline.joules_per_query) == (125.0, "Watts", None)
    assert offline.joules_per_sample == pytest.approx(125 / 1234.5)


def test_streams(by_place: dict[str, Row]) -> None:
    single, multi = by_place["closed/Acme/SingleStream"], by_place["closed/Acme/MultiStream"]
    assert (single.value, single.unit, single.lower_is_better) == (3.25, "Latency (ms)", True)
    assert (single.latency, single.samples_per_second) == (3_250_000.0, 1000 / 3.25)
    assert (multi.value, multi.latency, multi.samples_per_second) == (24.5, 24_500_000.0, 8000 / 24.5)


def test_an_inferred_result(by_place: dict[str, Row]) -> None:
    row = by_place["open/Acme/Offline"]
    assert (row.method, row.value, row.unit) == (Method.INFERRED, 500.25, "Samples/s")
    # Latencies of the run that it was computed from are not its own.
    assert [getattr(row, name) for name in RAW if name.startswith("latency")] == [None] * 8
    assert by_place["open/Acme/SingleStream"].method is Method.MEASURED
    assert by_place["open/Acme/SingleStream"].latency_p999 == LATENCIES["result_99.90_percentile_latency_ns"]


def test_a_refused_result_is_kept_with_what_speaks_against_it(by_place: dict[str, Row]) -> None:
    row = by_place["open/Acme/MultiStream"]
    assert (row.official, row.strict, row.value) == (False, False, 24.5)
    assert set(row.findings) >= {"result-invalid", "duration-unmet"}
    assert list(row.findings) == sorted(row.findings)


def test_open_results_are_not_looked_at_for_compliance(by_place: dict[str, Row]) -> None:
    assert {row.compliance for row in by_place.values() if row.division == "open"} == {None}
    assert {row.compliance for row in by_place.values() if row.division == "closed"} == {True}


def test_the_time_of_the_run(by_place: dict[str, Row]) -> None:
    assert by_place["open/Acme/SingleStream"].created == "2023-02-01T10:00:00Z"


def test_a_tree_of_nobody_known_is_local(report: CheckReport) -> None:
    rows = rows_of(report, Source("mine"))
    assert {(row.origin, row.source, row.url, row.commit) for row in rows} == {(Origin.LOCAL, "mine", None, None)}
    assert {row.origin for row in rows_of(report, SOURCE)} == {Origin.OFFICIAL}


def test_seeds_are_64_bits_without_a_sign() -> None:
    for good in (0, 1, 2**64 - 1):
        assert seed_of(good) == good
    for bad in (-1, 2**64, True, "7", 1.0, None):
        assert seed_of(bad) is None


def test_hostile_figures_and_names(tmp_path: Path) -> None:
    tree = build(tmp_path / "tree", "v3.0", division="open")
    change_log(
        tree.run_log("SingleStream"), effective_qsl_rng_seed=2**70, effective_schedule_rng_seed=-1, result_query_count=-5,
        loadgen_version="x\0y", test_datetime=["now"], effective_min_duration_ms="soon",
    )  # fmt: skip
    change_log(tree.run_log("MultiStream"), early_stopping_latency_ms=10**400)
    change_log(tree.run_log("Offline"), result_samples_per_second="many")
    system = tree.root / "open" / "Acme" / "results"
    (system / "box").rename(system / os.fsdecode(b"b\xffx"))
    for kind in ("measurements",):
        (tree.submitter / kind / "box").rename(tree.submitter / kind / os.fsdecode(b"b\xffx"))
    tree.system_json.rename(tree.system_json.with_name(os.fsdecode(b"b\xffx.json")))
    rows = rows_of(checked(tree.root), SOURCE)
    assert rows
    for row in rows:
        assert msgspec.json.decode(msgspec.json.encode(row), type=Row) == row
        assert row.location.startswith("open/Acme/results/b?x/") and row.system == "b?x"
    (single,) = [row for row in rows if row.scenario == "SingleStream"]
    assert (single.qsl_seed, single.schedule_seed, single.queries, single.min_duration) == (None, None, None, None)
    assert (single.loadgen, single.created) == ("xy", "['now']")


def test_a_place_without_any_figure_gives_no_row(tmp_path: Path) -> None:
    tree = build(tmp_path / "tree", "v3.0", division="open")
    tree.run_log("Offline").unlink()
    (tree.result("Offline") / "accuracy" / "accuracy.txt").unlink()
    assert {row.scenario for row in rows_of(checked(tree.root), SOURCE)} == {"SingleStream", "MultiStream"}
    remove_scenarios(tree.root, "SingleStream", "MultiStream", "Offline")
    assert rows_of(checked(tree.root), SOURCE) == []


# ---- three roads to the same rows


def shared(row: Row, *more: str) -> dict[str, Any]:
    return fields_of(row, *RAW, *more)


def through_csv(report: CheckReport, folder: Path) -> dict[str, Row]:
    path = folder / "summary.csv"
    path.write_bytes(csv_text(report).encode("utf-8", "surrogateescape"))
    return {row.uid: row for row in summary_rows(path, SOURCE, None)}


def through_cm(report: CheckReport, *, split: bool) -> dict[str, Row]:
    raw = json.dumps(cm_rows(csv_text(report), split=split)).encode()
    rows = CmImporter().rows(msgspec.json.decode(raw, type=list[CmRow]))
    return {row.uid: row for row in rows}


def without_watts_of_streams(row: Row) -> list[str]:
    """Watts of a stream are in the raw logs only: its official figure is energy."""
    return ["watts"] if row.lower_is_better else []


def compare(report: CheckReport, other: dict[str, Row], *more: str) -> None:
    """All shared fields of all rows that the official tool writes are the same."""
    raw = {row.uid: row for row in rows_of(report, SOURCE) if row.official}
    assert set(raw) == set(other) and len(raw) == 7
    for uid, row in raw.items():
        without = [*without_watts_of_streams(row), *more]
        assert shared(other[uid], *without) == shared(row, *without)


def test_the_official_summary_gives_the_same_rows(report: CheckReport, tmp_path: Path) -> None:
    found = through_csv(report, tmp_path)
    compare(report, found)
    assert {(row.source_kind, row.cm_uid, row.strict) for row in found.values()} == {("summary", None, None)}


@pytest.mark.parametrize("split", [False, True], ids=["v3.0", "v4.x"])
def test_cms_rows_give_the_same_rows(report: CheckReport, split: bool) -> None:
    found = through_cm(report, split=split)
    # CM tells no commit, so the address is that of the newest one.
    compare(report, found, "cm_uid", "commit", "url")
    assert all(row.cm_uid and row.url == f"{REPOSITORY}/tree/HEAD/{row.location}" for row in found.values())


def test_what_only_raw_logs_tell_is_null_on_the_other_roads(report: CheckReport, tmp_path: Path) -> None:
    for row in (*through_csv(report, tmp_path).values(), *through_cm(report, split=False).values()):
        assert {name for name in RAW - {"source_kind"} if getattr(row, name) not in (None, (), {})} == set()


@pytest.mark.parametrize("round_name", ["v2.0", "v2.1", "v3.1"])
def test_the_roads_meet_in_other_rounds(tmp_path: Path, round_name: str) -> None:
    make_tree(tmp_path / "tree", round_name)
    report = checked(tmp_path / "tree", round_name)
    compare(report, through_csv(report, tmp_path))
    compare(report, through_cm(report, split=False), "cm_uid", "commit", "url", "compliance")


@pytest.mark.shared
@pytest.mark.skipif(not ORACLE.is_dir(), reason="the sample of round v3.0 is not there")
def test_the_official_tools_own_summary_of_the_sample(tmp_path: Path) -> None:
    with tarfile.open(ORACLE / "sample-v3.0.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    raw = {row.uid: row for row in rows_of(checked(tmp_path), SOURCE) if row.official}
    found = {row.uid: row for row in summary_rows(ORACLE / "sample-v3.0-summary.csv", SOURCE, None)}
    assert set(raw) == set(found) and len(raw) > 20
    for uid, row in raw.items():
        # A summary has one accuracy, and its notes are those of the software or of both, as the round's tool has them.
        without = [*without_watts_of_streams(row), "accuracies", "accuracy_met", "notes"]
        assert shared(found[uid], *without) == shared(row, *without), row.location
