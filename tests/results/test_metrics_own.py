from __future__ import annotations

from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.errors import InvalidInputError, NotFoundError, UsageError
from assay.expressions import ExpressionError
from assay.results.metrics import load_metrics
from assay.results.metrics.own import add, examined

GOOD = "name: mine\ntitle: m\nexpression: watts * 2\nunit: kW\nexamples:\n  - {given: {watts: 500}, expect: 1}\n"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "home")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    # Named otherwise than the metric, as a draft may be.
    path = tmp_path / "draft.yaml"
    path.write_text(GOOD)
    return path


def test_added_files_are_there_at_once(settings: Settings, file: Path) -> None:
    added = add(settings, file)
    assert (added.metric.name, added.written, added.same, added.replaces) == ("mine", True, False, None)
    assert added.path == settings.home / "metrics" / "mine.yaml"
    assert added.path.read_text() == GOOD
    assert str(load_metrics(settings).get("mine").unit) == "kW"
    again = add(settings, file)
    assert (again.written, again.same) == (False, True)


def test_a_dry_run_writes_nothing(settings: Settings, file: Path) -> None:
    added = add(settings, file, dry_run=True)
    assert not added.written
    assert not settings.home.exists()


def test_what_is_there_is_replaced_by_force_alone(settings: Settings, file: Path) -> None:
    add(settings, file)
    file.write_text(GOOD.replace("title: m", "title: new"))
    with pytest.raises(UsageError, match="you have a metric 'mine' already"):
        add(settings, file)
    assert load_metrics(settings).get("mine").title == "m"
    assert str(add(settings, file, force=True).replaces) == "yours"
    assert load_metrics(settings).get("mine").title == "new"
    assert [path.name for path in (settings.home / "metrics").iterdir()] == ["mine.yaml"]


def test_a_file_in_its_own_place_is_there_already(settings: Settings, file: Path) -> None:
    path = add(settings, file).path
    assert add(settings, path).same
    path.write_text(path.read_text().replace("watts * 2", "wats * 2"))
    with pytest.raises(ExpressionError, match="unknown name 'wats'"):
        add(settings, path)


def test_one_may_go_before_assays(settings: Settings, file: Path) -> None:
    file.write_text("name: speedup\ntitle: m\nexpression: samples_per_second / baseline(samples_per_second) - 1\n")
    assert str(add(settings, file).replaces) == "assay"


def test_what_would_break_others_needs_force(settings: Settings, file: Path) -> None:
    file.write_text("name: host_cores\ntitle: m\nexpression: system\n")
    with pytest.raises(UsageError, match="with it samples_per_second_per_core could not be reckoned any more"):
        add(settings, file)
    assert add(settings, file, force=True).breaks == ("samples_per_second_per_core",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: m\ntitle: m\nexpression: wats * 2\n", ":3: m: unknown name 'wats'"),
        ("name: m\ntitle: m\nexpression: watts\nunit: ms\n", ":3: m: the metric is said to be in ms"),
        ("name: m\ntitle: m\nexpression: m + 1\n", ":3: m: the metric m is made of itself: m -> m"),
        ("name: watts\ntitle: m\nexpression: latency\n", ": watts is a field of a result"),
        ("name: m\ntitle: m\nexpression: watts +\n", ":3: m: "),
        (
            "name: m\ntitle: m\nexpression: watts\nunits: W\n",
            ":4: units: Extra inputs are not permitted; expected unit",
        ),
        (GOOD.replace("expect: 1", "expect: 2"), ":6: examples.0: the example does not come out"),
        (GOOD.replace("watts: 500", "wats: 500"), ":6: examples.0.given.wats: unknown field"),
    ],
)
def test_a_mistake_is_told_and_nothing_is_written(settings: Settings, file: Path, text: str, told: str) -> None:
    file.write_text(text)
    with pytest.raises(InvalidInputError) as caught:
        add(settings, file)
    assert f"{file}{told}" in str(caught.value) or told in str(caught.value)
    assert not settings.home.exists()
    (report,) = examined(settings, [file])
    assert not report.passed


def test_no_file(settings: Settings, file: Path) -> None:
    with pytest.raises(NotFoundError):
        add(settings, file.with_name("none.yaml"))
    assert isinstance(examined(settings, [file.with_name("none.yaml")])[0].error, NotFoundError)


def test_all_metrics_are_tested_and_broken_ones_told(settings: Settings, file: Path) -> None:
    reports = examined(settings)
    assert len(reports) == len(load_metrics(settings).by_name)
    assert all(each.passed and each.outcomes for each in reports)
    add(settings, file)
    (settings.home / "metrics" / "bad.yaml").write_text("name: bad\ntitle: b\nexpression: wats\n")
    failed = [each for each in examined(settings) if not each.passed]
    assert [each.name for each in failed] == ["bad"]
