from __future__ import annotations

import os
from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.cm.registry import Registry
from assay.cm.repository import create_repository
from assay.errors import NotFoundError
from assay.expressions import ExpressionError, Kind
from assay.expressions import compile as compile_text
from assay.results.metrics import Better, Metrics, Scope, comparable, load_metrics
from assay.results.metrics.catalogue import metric_files
from assay.results.metrics.examples import outcomes

SHIPPED = {
    "accuracy_margin": "percent",
    "carbon_per_million_samples": "gCO2/Msample",
    "cost_per_million_samples": "USD/Msample",
    "energy_cost_per_million_samples": "USD/Msample",
    "energy_per_million_samples": "Wh/Msample",
    "host_cores": "cores",
    "latency_headroom": "percent",
    "queries_per_joule": "queries/J",
    "rank": "one",
    "samples_per_joule": "samples/J",
    "samples_per_second_per_accelerator": "samples/s/accelerator",
    "samples_per_second_per_core": "samples/s/core",
    "samples_per_second_per_node": "samples/s/node",
    "share_of_best": "percent",
    "speedup": "ratio",
    "watts_per_accelerator": "W/accelerator",
    "watts_per_node": "W/node",
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "home")


def write(folder: Path, name: str, expression: str, more: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.yaml"
    path.write_text(f"name: {name}\ntitle: mine\nexpression: {expression}\n{more}")
    return path


def own(settings: Settings, name: str, expression: str, more: str = "") -> Path:
    return write(settings.home / "metrics", name, expression, more)


def registered(settings: Settings, alias: str) -> Path:
    path = settings.home.parent / alias
    create_repository(path, f"me@{alias}")
    Registry(settings).add(path)
    return path / "metrics"


def reason(metrics: Metrics, name: str) -> str:
    (found,) = [str(each.error) for each in metrics.broken if each.name == name]
    return found


# ---- what comes with assay


def test_what_is_shipped_is_whole(settings: Settings) -> None:
    metrics = load_metrics(settings)
    assert not metrics.broken and not metrics.replaced
    assert {name: each.unit.name if each.unit else None for name, each in metrics.by_name.items()} == SHIPPED
    for each in metrics.by_name.values():
        assert each.title and each.description.endswith(".") and each.caution.endswith(".") and each.source, each.name
        assert each.fields and each.kind is Kind.NUMBER
    assert set(metrics.asked) == {"price", "electricity_price", "grid_factor"}
    assert all(each.default is None for each in metrics.asked.values())


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_metric_gives_its_known_answers_and_a_null(settings: Settings, name: str) -> None:
    metrics = load_metrics(settings)
    found = outcomes(metrics.get(name), metrics)
    assert all(each.passed for each in found), found
    answers = [value for each in found for value in each.found]
    assert None in answers and any(value is not None for value in answers)


@pytest.mark.parametrize(("name", "scope"), [("speedup", Scope.COMPARABLE), ("rank", Scope.COMPARABLE), ("host_cores", Scope.RESULT)])  # fmt: skip
def test_what_a_metric_looks_at(settings: Settings, name: str, scope: Scope) -> None:
    assert load_metrics(settings).get(name).scope is scope


def test_what_a_metric_uses(settings: Settings) -> None:
    metrics = load_metrics(settings)
    metric = metrics.get("Samples_Per_Second_Per_Core")
    assert metric.metrics == ("host_cores",)
    assert set(metric.fields) == {"samples_per_second", "cores", "processors_per_node", "nodes"}
    assert metrics.get("carbon_per_million_samples").needs == ("grid_factor",)
    assert metrics.get("rank").better is Better.LOWER


def test_the_power_figures_of_every_scenario_agree(settings: Settings) -> None:
    """The official units: watts, millijoules per query, and millijoules per query of eight samples."""
    schema = load_metrics(settings).schema()
    efficiency = compile_text("samples_per_joule", schema)
    queries = compile_text("queries_per_joule", schema)
    single = {"joules_per_query": 0.020, "joules_per_sample": 0.020}
    multi = {"joules_per_query": 0.160, "joules_per_sample": 0.020}
    offline = {"samples_per_second": 1000, "watts": 20, "joules_per_sample": 0.020}
    assert [efficiency.evaluate(row) for row in (single, multi, offline)] == [50.0, 50.0, 50.0]
    assert [queries.evaluate(row) for row in (single, multi, offline)] == [50.0, 6.25, None]


def test_the_schema_has_fields_metrics_and_parameters(settings: Settings) -> None:
    schema = load_metrics(settings).schema()
    filter_ = compile_text('samples_per_joule > 3 and category == "edge" or price is null', schema, want=Kind.BOOLEAN)
    assert filter_.definitions == {"samples_per_joule"}
    assert filter_.missing == {"price"}
    place = compile_text("rank <= 3", schema, want=Kind.BOOLEAN, context=comparable())
    assert place.uses_window
    assert '"round", "benchmark", "scenario", "division", "category"' in place.sql().text


def test_get_of_what_is_not_there(settings: Settings) -> None:
    with pytest.raises(NotFoundError, match="expected samples_per_joule"):
        load_metrics(settings).get("sample_per_joule")


# ---- sources


def test_metrics_of_all_sources_are_there_at_once(settings: Settings) -> None:
    assert "mine" not in load_metrics(settings).by_name
    path = own(settings, "mine", "watts * 2")
    write(registered(settings, "theirs"), "theirs", "mine + 1 W", "unit: kW\n")
    metrics = load_metrics(settings)
    assert (str(metrics.get("mine").origin), str(metrics.get("theirs").origin)) == ("yours", "me@theirs")
    assert compile_text("theirs", metrics.schema()).evaluate({"watts": 500}) == 1.001
    path.write_text(path.read_text().replace("* 2", "* 4"))
    assert compile_text("theirs", load_metrics(settings).schema()).evaluate({"watts": 500}) == 2.001
    path.unlink()
    metrics = load_metrics(settings)
    assert "mine" not in metrics.by_name
    assert "theirs.yaml:3: theirs: unknown name 'mine'" in reason(metrics, "theirs")


def test_the_users_own_goes_before_assays_and_that_before_a_repositorys(settings: Settings) -> None:
    own(settings, "rank", "rank(samples_per_joule)")
    folder = registered(settings, "theirs")
    for name in ("rank", "speedup"):
        write(folder, name, "watts")
    metrics = load_metrics(settings)
    assert metrics.get("rank").fields == ("joules_per_sample",)
    assert str(metrics.get("speedup").origin) == "assay"
    assert [(each.name, str(each.origin), str(each.by)) for each in metrics.replaced] == [
        ("rank", "assay", "yours"),
        ("rank", "me@theirs", "yours"),
        ("speedup", "me@theirs", "assay"),
    ]


def test_a_broken_file_of_the_users_own_does_not_change_what_its_name_means(settings: Settings) -> None:
    own(settings, "samples_per_joule", "samples_per_second / wats")
    metrics = load_metrics(settings)
    assert "samples_per_joule" not in metrics.by_name
    with pytest.raises(ExpressionError, match="unknown name 'wats'"):
        metrics.get("samples_per_joule")


def test_broken_files_break_no_others(settings: Settings) -> None:
    folder = registered(settings, "theirs")
    write(folder, "good", "watts * 3")
    write(folder, "typo", "wats / 2")
    write(folder, "inverse", "samples_per_second / watts", "unit: ms\n")
    write(folder, "round", "watts")
    write(folder, "price", "watts")
    write(folder, "first", "second + 1")
    write(folder, "second", "first + 1")
    write(folder, "after", "first * 2")
    write(folder, "idle", "watts", "parameters: {p: {unit: W, description: none}}\n")
    write(folder, "asks", "watts * grid_factor", "parameters: {grid_factor: {unit: g/kWh, description: x}}\n")
    write(folder, "other", "watts * grid_factor", "parameters: {grid_factor: {unit: gCO2/kWh, description: x}}\n")
    write(folder, "takes", "watts * nodes", "parameters: {nodes: {unit: one, description: x}}\n")
    write(folder, "meets", "watts * rank", "parameters: {rank: {unit: one, description: x}}\n")
    write(folder, "text", "system", "unit: W\n")
    write(folder, "many", "mean(wats)")
    write(folder, "named", "watts").rename(folder / "misnamed.yaml")
    (folder / "yaml.yaml").write_text("name: [")
    (folder / "binary.yaml").write_bytes(b"\xff\xfe\0")
    (folder / "folder.yaml").mkdir()
    (folder / "link.yaml").symlink_to("/etc/hostname")
    (folder / ".hidden.yaml").write_text("name: [")
    (folder / "notes.md").write_text("not a metric")
    metrics = load_metrics(settings)
    assert set(metrics.by_name) == {*SHIPPED, "good"}
    assert {each.name for each in metrics.broken} == {
        *("typo", "inverse", "round", "price", "first", "second", "after", "idle", "asks", "other", "takes", "meets"),
        *("text", "many", "misnamed", "yaml", "binary", "folder", "link"),
    }
    told = reason(metrics, "typo").splitlines()
    assert told[0] == f"{folder}/typo.yaml:3: typo: unknown name 'wats'; expected watts or task"
    assert told[1:] == ["  wats / 2", "  ^^^^"]
    assert "the metric is said to be in ms, and comes out in samples/J" in reason(metrics, "inverse")
    assert "is a field of a result" in reason(metrics, "round")
    assert "is a parameter of the metric cost_per_million_samples" in reason(metrics, "price")
    assert "is made of itself" in reason(metrics, "first") and "is made of itself" in reason(metrics, "after")
    assert "the parameter p is not used" in reason(metrics, "idle")
    assert "unknown unit 'g'" in reason(metrics, "asks")
    assert "has it in kgCO2/kWh" in reason(metrics, "other")
    assert "has the name of a field" in reason(metrics, "takes")
    assert "has the name of a metric" in reason(metrics, "meets")
    assert "said to be in W, and is a text" in reason(metrics, "text")
    assert "unknown name 'wats'" in reason(metrics, "many")
    assert "not named after its metric" in reason(metrics, "misnamed")
    assert "misnamed.yaml" in reason(metrics, "misnamed")
    assert "a link out of its repository" in reason(metrics, "link")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_cannot_be_read_is_empty(settings: Settings) -> None:
    own(settings, "mine", "watts").parent.chmod(0)
    assert set(load_metrics(settings).by_name) == set(SHIPPED)


def test_metrics_of_other_kinds(settings: Settings) -> None:
    own(settings, "quick", "latency_p99 < 15 ms")
    own(settings, "chip", "coalesce(accelerator, processor)")
    own(settings, "typical", "median(samples_per_joule)")
    metrics = load_metrics(settings)
    assert not metrics.broken
    assert (metrics.get("quick").kind, metrics.get("chip").kind) == (Kind.BOOLEAN, Kind.TEXT)
    assert metrics.get("typical").scope is Scope.GROUP
    assert str(metrics.get("typical").unit) == "samples/J"


def test_parameters_with_defaults(settings: Settings) -> None:
    more = "parameters: {overhead: {unit: ratio, description: PUE, default: 1.5}}\n"
    own(settings, "facility_watts", "watts * overhead", f"unit: W\n{more}")
    metrics = load_metrics(settings)
    assert metrics.parameters()["overhead"].value == 1.5
    assert compile_text("facility_watts", metrics.schema()).evaluate({"watts": 100}) == 150.0


def test_the_files_are_in_the_order_of_precedence(settings: Settings) -> None:
    own(settings, "zebra", "watts")
    write(registered(settings, "theirs"), "ant", "watts")
    kinds = [origin.kind.value for origin, _ in metric_files(settings)]
    assert kinds == ["own", *["shipped"] * len(SHIPPED), "repository"]


def test_a_file_in_a_registered_repository_that_is_gone(settings: Settings) -> None:
    folder = registered(settings, "theirs")
    (folder.parent / "cmr.yaml").unlink()
    assert set(load_metrics(settings).by_name) == set(SHIPPED)
