from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assay.assets.catalogue import load_catalogue
from assay.assets.store import AssetStore
from assay.base.settings import Settings
from assay.campaign.flow.steps import Kind
from assay.campaign.flow.survey import find_step
from assay.errors import InvalidInputError, NotFoundError, UsageError

from ...conftest import make_pictures
from ...submission.building.made import DESCRIPTION
from ..test_execute import MANIFEST
from .lab import ENTRY, flow_of


def test_all_that_the_round_asks(lab: Path, home: Path) -> None:
    flow = flow_of(lab, home, {"scenarios": []})
    runs = [step.name for step in flow.steps if step.kind is Kind.PERFORMANCE]
    assert runs == [f"colours/{each}/performance" for each in ("SingleStream", "MultiStream", "Offline")]
    tests = {step.test for step in flow.steps if step.kind is Kind.COMPLIANCE}
    assert tests == {"TEST01", "TEST04", "TEST05"} and len(flow.steps) == 3 + 3 * 5 + 3
    assert find_step(flow, "offline/test01").needs == ("colours/Offline/performance", "colours/Offline/accuracy")
    assert not flow.journal.path.exists()


def test_the_open_division_asks_no_compliance_tests(lab: Path, home: Path) -> None:
    assert not [step for step in flow_of(lab, home, division="open").steps if step.kind is Kind.COMPLIANCE]


def test_the_same_files_give_the_same_hashes_and_a_changed_one_another(lab: Path, home: Path) -> None:
    first, second = flow_of(lab, home), flow_of(lab, home)
    assert [step.own for step in first.steps] == [step.own for step in second.steps]
    (lab / "photos" / "more_1.png").write_bytes((lab / "photos" / "p_01_1.png").read_bytes())
    changed = flow_of(lab, home)
    assert {a.name for a, b in zip(first.steps, changed.steps, strict=True) if a.own != b.own} == {"colours/fetch"}
    other = flow_of(lab, home, out="other")
    assert {a.name for a, b in zip(changed.steps, other.steps, strict=True) if a.own != b.own} == {"build"}


def test_what_the_user_registered_counts_by_its_content(lab: Path, home: Path) -> None:
    settings = Settings(home=home, offline=True)
    entry = {"dataset": None}

    def fetch() -> tuple[str, str]:
        step = find_step(flow_of(lab, home, entry), "fetch")
        return step.own, step.what

    def register(count: int) -> None:
        folder = make_pictures(lab / f"imagenet-{count}", count)
        names = sorted(path.name for path in folder.iterdir())
        (folder / "val_map.txt").write_text("".join(f"{name} {number % 3}\n" for number, name in enumerate(names)))
        AssetStore(settings, load_catalogue(settings)).register("imagenet2012", folder, partial=True)

    (home / "manifests" / "colours.yaml").write_text(MANIFEST.replace("imagenet-foolbox-20", "imagenet2012"))
    before, what = fetch()
    assert "only you can get imagenet2012" in what
    register(3)
    some, what = fetch()
    register(4)
    assert len({before, some, fetch()[0]}) == 3 and "only you" not in what


def test_what_would_fail_later_is_told_first(lab: Path, home: Path) -> None:
    with pytest.raises(UsageError, match="closed division"):
        flow_of(lab, home, {"duration": None, "samples": None}, rehearsal=False)
    with pytest.raises(UsageError, match="no Server"):
        flow_of(lab, home, {"scenarios": ["Server"]})
    with pytest.raises(UsageError, match="are both resnet SingleStream of ./box.json"):
        flow_of(lab, home, entries=[ENTRY, {"name": "mobilenet-v2", "duration": "1s"}])
    with pytest.raises(NotFoundError):
        flow_of(lab, home, system="nowhere")
    with pytest.raises(NotFoundError, match="unknown field"):
        flow_of(lab, home, fields={"resnet.retrainin": "no"})
    with pytest.raises(InvalidInputError, match=r"resnet.weight_transformations"):
        flow_of(lab, home, fields={"retraining": "no"})
    (lab / "box.json").write_text(json.dumps({**DESCRIPTION, "cooling": ""}))
    with pytest.raises(InvalidInputError, match="cooling"):
        flow_of(lab, home)


def test_the_closed_division_takes_no_benchmark_in_part(lab: Path, home: Path) -> None:
    real: dict[str, Any] = {"name": "resnet50", "scenarios": ["Offline"]}
    with pytest.raises(UsageError, match="more scenarios") as caught:
        flow_of(lab, home, rehearsal=False, entries=[real])
    assert caught.value.hint is not None and caught.value.hint.startswith("add SingleStream, MultiStream,")
    # What follows from SingleStream on the edge needs no run.
    flow = flow_of(lab, home, rehearsal=False, entries=[{**real, "scenarios": ["SingleStream"]}])
    assert [step.name for step in flow.steps if step.kind is Kind.PERFORMANCE] == ["resnet50/SingleStream/performance"]


def test_a_step_that_is_not_there_or_not_one(lab: Path, home: Path) -> None:
    flow = flow_of(lab, home, {"scenarios": ["SingleStream", "Offline"]})
    with pytest.raises(InvalidInputError, match="several"):
        find_step(flow, "performance")
    with pytest.raises(InvalidInputError, match="no step"):
        find_step(flow, "lunch")


def test_settings_of_one_benchmark_side_by_side(lab: Path, home: Path) -> None:
    (lab / "box-2.json").write_text((lab / "box.json").read_text())
    (lab / "small.yaml").write_text("format: 1\nbatch_size: 2\nthreads: 3\n")
    other = {**ENTRY, "label": "small", "system": "./box-2.json", "setting": "small.yaml", "threads": 1}
    flow = flow_of(lab, home, entries=[ENTRY, other], division="open")
    names = [step.name for step in flow.steps]
    assert names[:4] == ["system/box", "system/box-2", "colours/fetch", "small/fetch"]
    requests = {step.entry: step.request for step in flow.steps if step.kind is Kind.ACCURACY}
    assert requests["small"] is not None and requests["small"].threads == 1
    # A system has one result of each; two scenarios of it may have two settings.
    with pytest.raises(UsageError, match="are both"):
        flow_of(lab, home, entries=[ENTRY, {**other, "system": "./box.json"}])
    offline = {**other, "system": "./box.json", "scenarios": ["Offline"]}
    assert len(flow_of(lab, home, entries=[ENTRY, offline]).campaign.form.systems) == 1
    elsewhere = lab / "other" / "box.json"
    elsewhere.parent.mkdir()
    elsewhere.write_text((lab / "box.json").read_text())
    with pytest.raises(UsageError, match="two systems"):
        flow_of(lab, home, entries=[ENTRY, {**other, "system": "./other/box.json"}])


def test_both_categories_ask_for_the_scenarios_of_both(lab: Path, home: Path) -> None:
    flow = flow_of(lab, home, {"scenarios": []}, category="both")
    runs = [step.name.split("/")[1] for step in flow.steps if step.kind is Kind.PERFORMANCE]
    assert sorted(runs) == ["MultiStream", "Offline", "Server", "SingleStream"]


def test_the_rate_is_searched_where_nobody_gives_one(lab: Path, home: Path) -> None:
    def kinds(**entry: object) -> list[Kind]:
        flow = flow_of(lab, home, {"scenarios": ["Server"], **entry}, category="datacenter")
        return [step.kind for step in flow.steps if step.name.startswith("colours/Server/") and not step.test]

    searched = [Kind.ACCURACY, Kind.FIND, Kind.PERFORMANCE]
    assert kinds() == kinds(find_rate=True) == kinds(duration=None) == searched
    assert kinds(find_rate=False) == kinds(target_qps={"Server": 9}) == [Kind.ACCURACY, Kind.PERFORMANCE]


def test_a_system_that_is_not_kept_is_described_when_the_campaign_says_so(lab: Path, home: Path) -> None:
    flow = flow_of(lab, home, system="new", describe={"cooling": "air"})
    assert flow.steps[0].name == "system/new" and "describe this machine" in flow.steps[0].what
    with pytest.raises(NotFoundError):
        flow_of(lab, home, system="new")
