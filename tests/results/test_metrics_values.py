from __future__ import annotations

from pathlib import Path

import pytest

from assay.base.settings import Settings
from assay.errors import InvalidInputError, NotFoundError
from assay.expressions import ExpressionError
from assay.expressions import compile as compile_text
from assay.results.metrics import NO_VALUES, Metrics, Values, load_metrics, load_values

CASES = """\
grid_factor: 350 gCO2/kWh
price:
  - {when: 'accelerator like "H100%"', value: 2.5 USD/h/accelerator * accelerators}
  - {when: accelerator is null, value: 1.5 USD/h/node * nodes}
  - {when: system == "box", value: 9 USD/h}
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "home").mkdir()
    return Settings(tmp_path / "home")


@pytest.fixture
def metrics(settings: Settings) -> Metrics:
    return load_metrics(settings)


def write(settings: Settings, text: str) -> Path:
    path = settings.home / "parameters.yaml"
    path.write_text(text)
    return path


def cost(metrics: Metrics, values: Values, **row: object) -> object:
    return compile_text("cost_per_million_samples", metrics.schema(values)).evaluate(row)


def test_without_values_what_needs_them_is_null(settings: Settings, metrics: Metrics) -> None:
    assert load_values(settings, metrics.asked) == NO_VALUES
    assert cost(metrics, NO_VALUES, samples_per_second=1000) is None


def test_values_given_on_the_command_line(settings: Settings, metrics: Metrics) -> None:
    values = load_values(settings, metrics.asked, {"price": "3.6 USD/h", "grid_factor": "350 gCO2/kWh"})
    assert values.numbers == {"price": 3.6, "grid_factor": pytest.approx(0.35)}
    assert cost(metrics, values, samples_per_second=1000) == pytest.approx(1.0)
    assert values.texts["price"] == ("3.6 USD/h", "--set price")


def test_the_file_holds_until_something_else_is_given(settings: Settings, metrics: Metrics) -> None:
    path = write(settings, "price: 7.2 USD/h\n")
    values = load_values(settings, metrics.asked)
    assert cost(metrics, values, samples_per_second=1000) == pytest.approx(2.0)
    assert values.texts["price"] == ("7.2 USD/h", f"{path}:1: price")
    values = load_values(settings, metrics.asked, {"price": "3.6 USD/h"})
    assert cost(metrics, values, samples_per_second=1000) == pytest.approx(1.0)


def test_a_formula_over_the_fields_of_a_result(settings: Settings, metrics: Metrics) -> None:
    values = load_values(settings, metrics.asked, {"price": "1.8 USD/h/accelerator * accelerators"})
    assert cost(metrics, values, samples_per_second=1000, accelerators=4) == pytest.approx(2.0)
    assert cost(metrics, values, samples_per_second=1000) is None
    assert "price" not in metrics.parameters(values) and "price" in metrics.definitions(values)


def test_a_table_of_prices(settings: Settings, metrics: Metrics) -> None:
    write(settings, CASES)
    values = load_values(settings, metrics.asked)
    assert values.numbers == {"grid_factor": pytest.approx(0.35)}
    rows = [
        ({"accelerator": "H100-SXM-80GB", "accelerators": 8}, 20 / 3.6),
        ({"accelerator": None, "nodes": 2}, 3 / 3.6),
        ({"accelerator": "A100", "system": "box"}, 9 / 3.6),
        ({"accelerator": "A100", "system": "other"}, None),
        # The first case that holds counts, also when its value is not known.
        ({"accelerator": "H100-PCIe", "accelerators": None, "system": "box"}, None),
    ]
    for row, value in rows:
        found = cost(metrics, values, samples_per_second=1000, **row)
        assert found == (None if value is None else pytest.approx(value))
    # What is given goes before the table.
    values = load_values(settings, metrics.asked, {"price": "3.6 USD/h"})
    assert not values.formulas
    assert cost(metrics, values, samples_per_second=1000) == pytest.approx(1.0)


def test_the_largest_table_is_read(settings: Settings, metrics: Metrics) -> None:
    lines = [f"  - {{when: 'accelerator == \"X{n}\"', value: {n} USD/h/accelerator * accelerators}}\n" for n in range(41)]  # fmt: skip
    write(settings, "price:\n" + "".join(lines[:40]))
    values = load_values(settings, metrics.asked)
    assert cost(metrics, values, samples_per_second=1e6, accelerator="X39", accelerators=1) == pytest.approx(39 / 3600)
    write(settings, "price:\n" + "".join(lines))
    with pytest.raises(InvalidInputError, match="at most 40"):
        load_values(settings, metrics.asked)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("price: 3 EUR/h\n", ":1: price: this is in EUR/h; expected something in USD/h\n  3 EUR/h\n  ^^^^^^^"),
        ("price: 3 USD/hr\n", ":1: price: unknown unit 'hr'"),
        ("price: 0.5\n", ":1: price: this is in no unit; expected something in USD/h\n  0.5\n  ^^^"),
        ('price: "0.5"\n', ":1: price: this is in no unit; expected something in USD/h"),
        ('price: [{when: wats > 3, value: 1 USD/h}]\n', ":1: price.0.when: unknown name 'wats'"),
        ('price: [{when: watts, value: 1 USD/h}]\n', ":1: price.0.when: a boolean is needed"),
        ('price: [{when: true, value: 1 W}]\n', ":1: price.0.value: this is in W"),
        ('price: [{when: [1], value: 1 W}]\n', ":1: price.0.when: Input should be a valid string"),
        ('price: [{when: "true"}]\n', ":1: price.0.value: Field required"),
        ("price: []\n", ":1: price"),
        ("price: samples_per_joule\n", ":1: price: unknown name 'samples_per_joule'"),
        ("price: 1e308 USD/h * 1e308\n", ":1: price: the value of price is no number to reckon with"),
        ("[1]\n", ":1: the document has to be a mapping"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_the_file_is_told_with_its_place(
    settings: Settings, metrics: Metrics, text: str, told: str
) -> None:
    path = write(settings, text)
    with pytest.raises(InvalidInputError) as caught:
        load_values(settings, metrics.asked)
    assert str(caught.value).startswith(f"{path}{told}")


def test_wrong_names(settings: Settings, metrics: Metrics) -> None:
    with pytest.raises(NotFoundError, match="unknown parameter 'prize'; expected price"):
        load_values(settings, metrics.asked, {"prize": "1 USD/h"})
    write(settings, "prize: 1 USD/h\nprice: 2 USD/h\n")
    values = load_values(settings, metrics.asked)
    assert (values.unused, values.numbers) == (("prize",), {"price": 2.0})


def test_a_value_in_another_unit_points_at_it(settings: Settings, metrics: Metrics) -> None:
    with pytest.raises(ExpressionError) as caught:
        load_values(settings, metrics.asked, {"grid_factor": "0.35 kg/kWh"})
    assert str(caught.value).splitlines()[0].startswith("--set grid_factor: unknown unit 'kg'")
    assert str(caught.value).splitlines()[1:] == ["  0.35 kg/kWh", "       ^^^^^^"]
