from __future__ import annotations

from typing import Any

import pytest

from assay.playground.pictures import picture
from assay.results.page_charts import fixed
from assay.results.standing_charts import Bar, standings_chart


def test_bars_stand_in_the_order_of_their_places() -> None:
    spec: Any = standings_chart([Bar(1, "ada", 5.0, "box", "short-run"), Bar(2, "bob", 9.0)], title="ms")
    assert [each["name"] for each in spec["data"]["values"]] == ["1. ada", "2. bob"]
    assert spec["encoding"]["y"]["sort"] == {"field": "place"}
    assert spec["encoding"]["color"]["legend"] is not None
    assert spec["encoding"]["x"]["title"] == "ms"


def test_the_first_thirty_are_drawn_and_without_a_mix_there_is_no_legend() -> None:
    spec: Any = standings_chart([Bar(place, f"n{place}", 1.0) for place in range(1, 50)], title="x")
    assert len(spec["data"]["values"]) == 30
    assert spec["encoding"]["color"]["legend"] is None


@pytest.mark.parametrize("bars", [[], [Bar(1, '<b>"é', 1e-9)]])
def test_it_can_be_drawn(bars: list[Bar]) -> None:
    assert b"<svg" in bytes(picture(fixed(standings_chart(bars, title="x")), "svg").body)
