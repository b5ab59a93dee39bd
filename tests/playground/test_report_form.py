from __future__ import annotations

import pytest

from assay.errors import UsageError
from assay.playground.report_form import Sent, check, numbers, unit_of


def test_figures_are_numbers_or_times() -> None:
    assert numbers({"value": " 1,050.5 ", "accuracy": "", "watts": "1e3"}) == {"value": 1050.5, "watts": 1000.0}
    assert numbers({"value": "1.5 ms"}) == {"value": 1_500_000.0}


@pytest.mark.parametrize("text", ["many", "nan", "inf", "1e999", "1" * 80, "<script>", "1 parsec"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="value is no number"):
        numbers({"value": text})


def test_units_are_those_of_the_result() -> None:
    values = {"unit": "ns", "accuracy_unit": "%"}
    assert [unit_of(name, values) for name in ("value", "accuracy", "watts", "what")] == ["ns", "%", "W", ""]
    assert unit_of("value", {}) == ""


def test_a_report_has_a_title_and_a_text() -> None:
    check(Sent(title="x", text="y"))
    for wrong in (Sent(text="y"), Sent(title="x"), Sent(title="x", text="y", verdict="maybe")):
        with pytest.raises(UsageError):
            check(wrong)
