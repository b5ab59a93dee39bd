from __future__ import annotations

from datetime import datetime
from pathlib import Path

from assay.campaign.flow.steps import Expected, State
from assay.campaign.flow.told import after, clock, document, left, left_of, values_of, words_of_time

from .lab import flow_of


def test_what_is_left(lab: Path, home: Path) -> None:
    flow = flow_of(lab, home, division="open")
    standings = flow.standings()
    whole = sum(each.step.expected.seconds for each in standings.values())
    assert left(standings) == Expected(whole, rough=True)
    rest = after(standings.values())
    assert rest[0] == standings["system/box"].step.expected and rest[-1] == left(standings)
    assert left_of(standings).startswith("~") and ", done " in left_of(standings)
    values = values_of(flow)
    assert (values["campaign"], values["steps"], values["steps_done"]) == ("lab", len(flow.steps), 0)
    found = document(standings["build"])
    assert (found["state"], found["runs"], found["expected_seconds"]) == (State.TODO.value, [], 5.0)


def test_times_as_people_read_them() -> None:
    assert words_of_time(Expected(90.0)) == "1m 30s" and words_of_time(Expected(90.0, rough=True)) == "~1m 30s"
    noon = datetime(2026, 11, 23, 12, 0)
    assert clock(1800, noon) == "12:30"
    assert clock(86400, noon) == "Tue 24 Nov 12:00"
