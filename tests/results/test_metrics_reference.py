"""What the guide shows is what happens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.errors import AssayError
from assay.expressions import Kind
from assay.expressions import compile as compile_text
from assay.results.metrics import load_metrics, load_values
from assay.results.metrics.own import add, examined

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "derived-metrics.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
FILES = [(name, text) for _, text in BLOCKS for name in re.findall(r"\A# (\w+)\.yaml\n", text)]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "home")


@pytest.mark.parametrize(("name", "text"), [each for each in FILES if each[0] != "parameters"])
def test_a_metric_of_the_guide_can_be_added(settings: Settings, tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / f"{name}.yaml"
    file.write_text(text)
    added = add(settings, file)
    assert added.metric.name == name
    assert len(added.metric.examples) > 0


@pytest.mark.parametrize("text", [text for name, text in FILES if name == "parameters"])
def test_parameters_of_the_guide_have_values(settings: Settings, text: str) -> None:
    settings.home.mkdir()
    (settings.home / "parameters.yaml").write_text(text)
    metrics = load_metrics(settings)
    values = load_values(settings, metrics.asked)
    assert not values.unused
    cost = compile_text("cost_per_million_samples", metrics.schema(values), want=Kind.NUMBER)
    assert not cost.missing
    row = {"samples_per_second": 1000, "accelerator": "H100-SXM", "accelerators": 8}
    assert cost.evaluate(row) == pytest.approx(20 / 3.6)


def test_the_error_is_told_as_shown(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (told,) = [text for language, text in BLOCKS if not language]
    monkeypatch.chdir(tmp_path)
    Path("wrong.yaml").write_text(f"name: wrong\ntitle: w\nexpression: {told.splitlines()[1].strip()}\n")
    with pytest.raises(AssayError) as caught:
        add(settings, Path("wrong.yaml"))
    assert str(caught.value) + "\n" == told
    assert str(examined(settings, [Path("wrong.yaml")])[0].error) + "\n" == told


def test_the_guide_counts_right(settings: Settings) -> None:
    assert "[Seventeen come with assay]" in PAGE
    assert len(load_metrics(settings).by_name) == 17
