from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable

from assay.loadgen.record import Label, RunRecord
from assay.loadgen.runs import RunFolder
from assay.power.samples import Sample
from assay.results import charts
from assay.results.figures import comparison_figure, drawn, run_figures
from assay.results.from_run import results_of

MakeRun = Callable[..., RunFolder]


def test_a_stream_has_latencies_and_throughput_offline_throughput_only(make_run: MakeRun) -> None:
    stream, offline, accuracy = make_run("SingleStream"), make_run("Offline"), make_run(mode="accuracy")
    titles = [figure.title for figure in run_figures(stream, stream.read(), prefix="a")]
    assert [title.partition(":")[0] for title in titles] == [
        "How often each latency came",
        "Latency by percentile",
        "Latency over time",
        "Throughput over time",
    ]
    assert [f.title for f in run_figures(offline, offline.read(), prefix="b")] == ["Throughput over time"]
    assert run_figures(accuracy, accuracy.read(), prefix="c") == []


def test_the_bound_of_a_server_run_is_drawn(make_run: MakeRun) -> None:
    folder = make_run("Server", settings={"server_target_latency_ns": 15_000_000})
    assert any("limit" in figure.svg for figure in run_figures(folder, folder.read(), prefix="a"))


def test_a_run_without_its_files_has_no_pictures(make_run: MakeRun) -> None:
    folder = make_run("SingleStream")
    (folder.path / "progress.jsonl").unlink()
    (folder.path / "mlperf_log_trace.json").write_text("{}")
    assert run_figures(folder, folder.read(), prefix="a") == []
    (folder.path / "mlperf_log_trace.json").unlink()
    assert run_figures(folder, folder.read(), prefix="a") == []


def test_pictures_take_the_pages_colours_and_share_no_ids() -> None:
    spec = charts.throughput_bars({"a": 1.0, "b": 2.0})
    one, two = drawn("t", "x", spec, "one"), drawn("t", "x", spec, "two")
    for figure in (one, two):
        ET.fromstring(figure.svg)
        assert not re.search(r"#[0-9a-f]{6}", figure.svg), "a colour the page cannot change"
        assert 'aria-hidden="true"' in figure.svg and "style=" not in figure.svg
        assert set(re.findall(r"url\(#([\w-]+)\)", figure.svg)) <= set(re.findall(r'id="([\w-]+)"', figure.svg))
    assert not set(re.findall(r'id="([\w-]+)"', one.svg)) & set(re.findall(r'id="([\w-]+)"', two.svg))


def test_hostile_names_stay_text() -> None:
    figure = drawn("t", "x", charts.throughput_bars({'</svg><script>x</script> id="y" url(#z)': 1.0, "b": 1.0}), "p")
    root = ET.fromstring(figure.svg)
    assert not [element for element in root.iter() if element.tag.endswith("script")]


def test_several_results_are_drawn_beside_each_other(make_record: Callable[..., RunRecord]) -> None:
    results = results_of([make_record(), make_record("SingleStream", tail="0002")])
    figure = comparison_figure(results)
    assert figure is not None and figure.text == "Offline 208.6 samples/s; SingleStream 374.5 samples/s"
    assert comparison_figure(results[:1]) is None
    twice = comparison_figure(results_of([make_record(), make_record(tail="0002")]))
    assert twice is not None and twice.text.count("Offline") == 2


def test_power_over_time_is_drawn_with_its_label(make_run: MakeRun) -> None:
    folder = make_run("Offline", labels=(Label.SIMULATED_POWER,))
    samples = [Sample(1000.0 + second, 100.0 + second) for second in range(5)]
    (folder.path / "spl.txt").write_text("".join(f"{sample.line()}\n" for sample in samples))
    figure = run_figures(folder, folder.read(), prefix="a")[-1]
    assert figure.title == "Power over time (simulated-power)"
    assert figure.text == "Power from 100 to 104 W, 102 W on average."
    assert "<svg" in figure.svg
    (folder.path / "spl.txt").write_text("nothing\n")
    assert "Power" not in run_figures(folder, folder.read(), prefix="a")[-1].title
