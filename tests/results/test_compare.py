from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import UsageError
from assay.loadgen.record import Artefact, Label, MeasuredPower, RunRecord, RunStatus
from assay.loadgen.verdict import Verdict
from assay.results.compare import Change, ComparedFigure, compare

MakeRecord = Callable[..., RunRecord]


def named(comparison: object) -> dict[str, ComparedFigure]:
    return {figure.name: figure for figure in comparison.figures}  # type: ignore[attr-defined]


def test_a_higher_rate_is_better_and_a_higher_latency_is_worse(make_record: MakeRecord) -> None:
    first = make_record("SingleStream", tail="0001")
    slower = replace(
        make_record("SingleStream", tail="0002"),
        figures=replace(first.figures, value=6.18, samples_per_second=187.25, latency_ns={"p50": 2.6e6, "p99": 9.2e6}),
    )
    figures = named(compare([first, slower]))
    assert figures["result"].ratio(1) == pytest.approx(2.0) and figures["result"].change(1) is Change.WORSE
    assert figures["throughput"].ratio(1) == pytest.approx(0.5) and figures["throughput"].change(1) is Change.WORSE
    assert figures["p50"].change(1) is Change.SAME
    assert figures["p99"].values == (4.6, 9.2) and figures["p99"].change(1) is Change.WORSE
    assert figures["p90"].values == (3.1, None) and figures["p90"].change(1) is None
    assert figures["length"].change(1) is None


def test_scenarios_have_only_throughput_in_common(make_record: MakeRecord) -> None:
    comparison = compare([make_record("Offline"), make_record("SingleStream", tail="0002")])
    assert set(named(comparison)) == {"throughput", "peak memory", "length"}
    assert any("scenarios differ" in caution for caution in comparison.cautions)


def test_accuracies_are_compared_by_metric(make_record: MakeRecord) -> None:
    one, two = make_record(mode="accuracy"), make_record(mode="accuracy", tail="0002")
    two = replace(two, figures=replace(two.figures, accuracy={"acc": 45.0}))
    figure = named(compare([one, two]))["acc"]
    assert figure.values == (90.0, 45.0) and figure.change(1) is Change.WORSE


def test_settings_that_differ_are_marked(make_record: MakeRecord) -> None:
    settings = {
        s.name: s for s in compare([make_record(), make_record(tail="0002", batch_size=16, settings={"x": 1})]).settings
    }
    assert settings["batch size"].values == ("8", "16") and settings["batch size"].differs
    assert settings["loadgen: x"].values == (None, "1") and settings["loadgen: x"].differs
    assert not settings["engine"].differs


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model": Artefact("other", None)}, "the models differ"),
        ({"dataset": Artefact("other", None)}, "the data differ"),
        ({"host": {"cpu": "other"}}, "the machines differ"),
        ({"round": "v3.0"}, "the benchmarks differ"),
        ({"status": RunStatus.FAILED}, "is failed"),
        ({"verdict": Verdict(False, False, (), (), ())}, "is INVALID"),
        ({"mode": "accuracy"}, "no figures in common"),
    ],
)
def test_cautions(make_record: MakeRecord, changes: dict[str, object], says: str) -> None:
    comparison = compare([make_record(), replace(make_record(tail="0002"), **changes)])
    assert any(says in caution for caution in comparison.cautions)


def test_like_runs_need_no_caution(make_record: MakeRecord) -> None:
    comparison = compare([make_record(), make_record(tail="0002"), make_record(tail="0003")])
    assert comparison.cautions == () and len(named(comparison)["throughput"].values) == 3
    assert not any(setting.differs for setting in comparison.settings)


def test_one_run_is_no_comparison(make_record: MakeRecord) -> None:
    with pytest.raises(UsageError, match="two runs"):
        compare([make_record()])


@given(st.floats(0.001, 1e9), st.floats(0.001, 1e9), st.booleans())
def test_what_is_better_one_way_is_worse_the_other(a: float, b: float, lower: bool) -> None:
    change = ComparedFigure("x", "", (a, b), lower).change(1)
    opposite = ComparedFigure("x", "", (a, b), not lower).change(1)
    assert {change, opposite} in ({Change.BETTER, Change.WORSE}, {Change.SAME})


def test_a_first_figure_of_zero_gives_no_ratio() -> None:
    assert ComparedFigure("x", "", (0.0, 2.0), True).ratio(1) is None


def test_power_of_one_kind_is_put_beside_each_other(make_record: MakeRecord) -> None:
    first, second = (MeasuredPower("x", watts, 10.0, 9, 500.0, 0.5, 100 / watts) for watts in (50.0, 40.0))
    one, two = make_record(power=first), make_record(tail="0002", power=second)
    found = {figure.name: figure for figure in compare([one, two]).figures}
    assert found["power"].change(1) is Change.BETTER and found["efficiency"].change(1) is Change.BETTER
    simulated = make_record(tail="0003", power=second, labels=(Label.SIMULATED_POWER,))
    assert not [each.name for each in compare([one, simulated]).figures if "power" in each.name]
    names = [each.name for each in compare([simulated, make_record()]).figures]
    assert "power, simulated-power" in names and "efficiency, simulated-power" in names
