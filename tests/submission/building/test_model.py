from __future__ import annotations

from pathlib import Path

from assay.rules.model import Division, Scenario
from assay.submission.building.model import BuildReport, Entry, Missing, Taken

from .made import make_home, wish


def test_names_of_places(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    folder = home.add(Scenario.OFFLINE, "performance")
    run = Taken(folder.read(), folder.path)
    entry = Entry(home.round.benchmark("resnet"), Scenario.OFFLINE, run)
    assert entry.name == "resnet Offline" and entry.runs == (run,)
    assert Entry(entry.benchmark, entry.scenario, run, run).runs == (run, run)
    assert wish(division=Division.OPEN).top == "open/Acme"


def test_a_report_tells_done_from_tried() -> None:
    report = BuildReport(Path("tree"), "v3.1", wish(), ())
    assert report.ok and report.built
    assert not BuildReport(Path("tree"), "v3.1", wish(), (), dry_run=True).built
    lacking = BuildReport(Path("tree"), "v3.1", wish(), (), (Missing("a", "b", "c", spared=True),))
    assert not lacking.ok and not lacking.built
    assert lacking.missing[0].to_dict() == {"where": "a", "what": "b", "how": "c", "rehearsal_goes_without": True}
