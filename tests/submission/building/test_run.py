from __future__ import annotations

import hashlib
import tarfile
from pathlib import Path
from typing import Any

import pytest

from assay.errors import NotFoundError, UsageError
from assay.loadgen.record import Label, RunStatus
from assay.rules.model import Category, Division, Scenario
from assay.submission.building.model import BuildReport
from assay.submission.building.run import build, build_all
from assay.submission.check import check

from ..trees import listing
from .made import EDGE, STAND_IN, Home, full_home, make_home, wish


def made(home: Home, out: Path, **options: Any) -> BuildReport:
    wishes = options.pop("wish", wish())
    return build(home.runs, home.round, wishes, out, assets=home.assets, **options)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return full_home(tmp_path / "home")


@pytest.mark.parametrize("round_name", ["v2.1", "v3.0", "v3.1"])
def test_a_tree_passes_both_verdicts_of_its_round(tmp_path: Path, round_name: str) -> None:
    home, out = full_home(tmp_path / "home", round_name=round_name), tmp_path / "tree"
    report = made(home, out)
    assert report.built, report.missing
    checked = check(out, round_name, jobs=1)
    assert checked.official.ok and checked.strict.ok, checked.findings
    assert checked.strict.accepted == len(report.entries) == 3


def test_the_layout_is_the_official_one(home: Home, tmp_path: Path) -> None:
    made(home, tmp_path / "tree")
    below = {path.relative_to(tmp_path / "tree/closed/Acme").as_posix() for path in (tmp_path / "tree").rglob("*.*")}
    assert {
        "systems/box.json",
        "documentation/calibration.md",
        "code/resnet/onnxruntime/README.md",
        "results/box/resnet/Offline/performance/run_1/mlperf_log_summary.txt",
        "results/box/resnet/Offline/performance/run_1/mlperf_log_detail.txt",
        "results/box/resnet/Offline/accuracy/accuracy.txt",
        "results/box/resnet/Offline/accuracy/mlperf_log_accuracy.json",
        "measurements/box/resnet/Offline/mlperf.conf",
        "measurements/box/resnet/Offline/user.conf",
        "measurements/box/resnet/Offline/README.md",
        "measurements/box/resnet/Offline/box_onnxruntime_Offline.json",
        "compliance/box/resnet/Offline/TEST01/accuracy/accuracy.txt",
        "compliance/box/resnet/Offline/TEST05/performance/run_1/mlperf_log_detail.txt",
    } <= below


def test_twice_the_same_bytes_in_the_tree_and_the_archive(home: Home, tmp_path: Path) -> None:
    places = [tmp_path / "one" / "tree", tmp_path / "two" / "tree"]
    reports = [made(home, place, archive=place.with_name("tree.tar.gz")) for place in places]
    assert listing(places[0]) == listing(places[1])
    archives = [place.with_name("tree.tar.gz").read_bytes() for place in places]
    assert archives[0] == archives[1]
    assert reports[0].archive is not None and reports[0].archive[1] == hashlib.sha256(archives[0]).hexdigest()
    lists = [place.with_name("tree.sha256").read_text() for place in places]
    assert lists[0] == lists[1]
    for line in lists[0].splitlines():
        digest, _, name = line.partition("  ")
        assert hashlib.sha256((places[0] / name).read_bytes()).hexdigest() == digest
    with tarfile.open(places[0].with_name("tree.tar.gz")) as archive:
        members = archive.getmembers()
    names = [each.name for each in members if each.isfile()]
    assert names == sorted(names) and len(names) == len(lists[0].splitlines())
    assert {(each.mtime, each.uid, each.gid, each.uname, each.gname) for each in members} == {(0, 0, 0, "", "")}


def test_everything_that_is_missing_is_in_one_list_and_nothing_is_written(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    home.add(Scenario.SINGLE_STREAM, "performance")
    home.model.unlink()
    fields = {**wish().description, "cooling": "", "status": "TBD"}
    report = made(home, tmp_path / "tree", wish=wish(description=fields, infer=False))
    told = {(each.where, each.how) for each in report.missing}
    assert ("resnet Offline", "assay run resnet --scenario Offline --category edge --division closed") in told
    assert ("system box", "assay system edit box --set cooling=...") in told
    assert ("system box", "assay system edit box --set status=available") in told
    assert ("resnet", "--set resnet.input_data_types=...") in told
    assert any(each.what == "compliance test TEST04" for each in report.missing)
    assert any("accuracy run" in each.what for each in report.missing)
    assert not report.ok and not report.built
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_what_is_given_is_no_longer_missing(home: Home, tmp_path: Path) -> None:
    home.model.unlink()
    given = wish(fields={"input_data_types": "fp32", "resnet.retraining": "no"})
    assert made(home, tmp_path / "tree", wish=given).built
    with pytest.raises(NotFoundError, match="unknown field 'colour'"):
        made(home, tmp_path / "other", wish=wish(fields={"colour": "red"}))


@pytest.mark.parametrize(
    "label",
    [each for each in Label if each not in (Label.NO_ACCURACY, Label.CUSTOM_MODEL)],
    ids=lambda each: each.value,
)
@pytest.mark.parametrize("division", [Division.CLOSED, Division.OPEN])
def test_labelled_runs_are_refused_by_name(tmp_path: Path, label: Label, division: Division) -> None:
    home = full_home(tmp_path / "home", [Scenario.OFFLINE], labels=(label,))
    report = made(home, tmp_path / "tree", wish=wish(division=division))
    assert any(label.value in each.what and "--rehearsal" in each.how for each in report.missing)
    assert not (tmp_path / "tree").exists()


def test_a_rehearsal_says_so_everywhere(tmp_path: Path) -> None:
    home = full_home(tmp_path / "home", [Scenario.SINGLE_STREAM], **STAND_IN)
    fields = {"input_data_types": "fp32"}
    report = made(home, tmp_path / "tree", wish=wish(rehearsal=True, infer=False, fields=fields))
    assert report.built, report.missing
    top = tmp_path / "tree/closed/Acme"
    texts = [*top.rglob("*.md"), top / "systems/box.json"]
    assert len(texts) == 4
    for path in texts:
        said = path.read_text()
        assert "REHEARSAL, NOT TO BE SUBMITTED" in said and "stand-in-model" in said, path
    assert [path.name for path in (top / "code/resnet").iterdir()] == ["onnxruntime-rehearsal-not-to-be-submitted"]
    assert any("resnet Offline" in note and "no performance run" in note for note in report.notes)
    assert "scenario-missing" in report.findings or report.findings, "the strict check has something against it"


def test_a_labelled_benchmark_is_left_out_of_a_tree_that_others_fill(home: Home, tmp_path: Path) -> None:
    home.add(Scenario.OFFLINE, "performance", benchmark="bert-99", labels=(Label.SYNTHETIC_WEIGHTS,))
    report = made(home, tmp_path / "tree")
    assert report.built
    assert any("bert-99 is left out" in note and "synthetic-weights" in note for note in report.notes)
    asked = made(home, tmp_path / "other", wish=wish(benchmarks=("bert-99", "resnet")))
    assert any("synthetic-weights" in each.what for each in asked.missing)


def test_the_checks_have_the_last_word(home: Home, tmp_path: Path) -> None:
    """A record may say that all is well; what the logs say counts."""
    home.add(Scenario.OFFLINE, "accuracy", name="20261124-000000-last-ffff", text="accuracy=10.0%, good=1, total=50000")
    report = made(home, tmp_path / "tree", wish=wish(runs=("20261124-000000-last-ffff",)))
    assert any("accuracy-below-target" in each.what for each in report.missing)
    assert not (tmp_path / "tree").exists() and not (tmp_path / "tree.sha256").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_a_place_that_is_taken_is_left_alone(home: Home, tmp_path: Path) -> None:
    out = tmp_path / "tree"
    made(home, out)
    with pytest.raises(UsageError, match="there already"):
        made(home, out)
    before = listing(out)
    (out / "closed/Acme/systems/box.json").write_text("{}")
    assert made(home, out, force=True).built
    assert listing(out) == before
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="not replaced"):
        made(home, mine, force=True)
    assert (mine / "thesis.txt").read_text() == "years of work"


def test_what_a_killed_build_left_is_no_obstacle(home: Home, tmp_path: Path) -> None:
    left = tmp_path / ".tree.assay-part"
    (left / "closed").mkdir(parents=True)
    (left / "closed" / "half").write_text("half")
    assert made(home, tmp_path / "tree").built
    assert not left.exists() and not (tmp_path / "tree/closed/half").exists()


def test_a_trial_writes_nothing(home: Home, tmp_path: Path) -> None:
    report = made(home, tmp_path / "tree", dry_run=True)
    assert report.ok and not report.built and report.pieces > 40
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_named_runs_are_taken_and_strange_ones_refused(home: Home, tmp_path: Path) -> None:
    slow = home.add(Scenario.OFFLINE, "performance", value=1.0)
    home.comply(slow)
    named = home.runs.records()
    others = [each.id for each in named if each.mode == "performance" and each.scenario != "Offline"]
    report = made(home, tmp_path / "tree", wish=wish(runs=(slow.id, *others)))
    assert {each.performance.record.id for each in report.entries} == {slow.id, *others}
    failed = home.add(Scenario.OFFLINE, "performance", status=RunStatus.FAILED, failure="it broke")
    with pytest.raises(UsageError, match="did not finish"):
        made(home, tmp_path / "b", wish=wish(runs=(failed.id,)))
    other = home.add(Scenario.OFFLINE, "performance", round="v3.0")
    with pytest.raises(UsageError, match="another round"):
        made(home, tmp_path / "b", wish=wish(runs=(other.id,)))
    with pytest.raises(NotFoundError):
        made(home, tmp_path / "b", wish=wish(runs=("nobody",)))


@pytest.mark.parametrize("name", ["a b", "../up", "", ".hidden", "a/b"])
def test_names_that_are_no_folders(home: Home, tmp_path: Path, name: str) -> None:
    for changes in ({"submitter": name}, {"system": name}, {"implementation": name}):
        with pytest.raises(UsageError, match="cannot be the name"):
            made(home, tmp_path / "tree", wish=wish(**changes))


def test_both_categories(tmp_path: Path) -> None:
    scenarios = (Scenario.SINGLE_STREAM, Scenario.MULTI_STREAM, Scenario.SERVER, Scenario.OFFLINE)
    home = full_home(tmp_path / "home", scenarios)
    report = made(home, tmp_path / "tree", wish=wish(categories=tuple(Category)))
    assert report.built, report.missing
    assert {each.scenario for each in report.entries} == {*scenarios}
    assert check(tmp_path / "tree", "v3.1", jobs=1).strict.ok


def test_several_systems_in_one_tree(home: Home, tmp_path: Path) -> None:
    first = tuple(run.id for run in home.runs.records())
    for scenario in EDGE:
        home.comply(home.add(scenario, "performance", value=50.0, precision="bf16"))
        home.add(scenario, "accuracy", precision="bf16")
    second = tuple(run.id for run in home.runs.records() if run.id not in first)
    note = "Weights were rounded to bf16.\n"
    wishes = (wish(runs=first), wish(runs=second, system="box-bf16", calibration=note))
    report = build_all(home.runs, home.round, wishes, tmp_path / "tree", assets=home.assets)
    assert report.built, report.missing
    top = "closed/Acme"
    for system in ("box", "box-bf16"):
        assert f"{top}/systems/{system}.json" in report.files
        assert f"{top}/results/{system}/resnet/Offline/performance/run_1/mlperf_log_summary.txt" in report.files
    # Pages that both share tell of both.
    assert note.strip() in (tmp_path / "tree" / top / "documentation" / "calibration.md").read_text()
    readme = (tmp_path / "tree" / top / "code" / "resnet" / "onnxruntime" / "README.md").read_text()
    assert "--scenario MultiStream" in readme
    found = check(tmp_path / "tree", "v3.1", jobs=1)
    assert found.strict.ok and found.official.ok and found.strict.accepted == 6


def test_systems_of_one_tree_belong_together(home: Home, tmp_path: Path) -> None:
    for other, says in ((wish(), "are named box"), (wish(system="b", submitter="Other"), "one submitter")):
        with pytest.raises(UsageError, match=says):
            build_all(home.runs, home.round, (wish(), other), tmp_path / "tree", assets=home.assets)
