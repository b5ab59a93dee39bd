from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from assay.cm.artifact import read_artifact
from assay.community.challenge import Challenge, HowTo, Moment, Ranking, Scoring, Status
from assay.community.challenge_form import challenge_of
from assay.errors import InvalidInputError

from .conftest import NOW, MakeEntry


@pytest.fixture
def read(make_challenge: MakeEntry) -> Any:
    def read(**meta: Any) -> Challenge:
        artifact = read_artifact(make_challenge(**meta))
        return challenge_of(artifact, artifact.meta, "local", NOW)[0]

    return read


def test_every_field_of_cm_is_read(read: Any) -> None:
    found = read(
        date_open="20260701", date_close=20260731, date_close_extension="2026-08-31", points="2", trophies=True,
        prize="a paper", prize_short="paper", url="https://a.example/x", urls=[{"name": "B", "url": "http://b.example"}],
        experiments=[{"tags": "mlperf,v3.0"}, {"name": "mlperf-inference--v3.0--edge"}], reproduced_papers_tags=["a", "b"],
        under_preparation=False, hot=True, sort=-20, notes="n", digital_library_url="https://dl.example",
        use_self_url=True, report_url="https://r.example", dashboard_url="https://d.example", dashboard_note="d",
        tags=["x", "y"],
    )  # fmt: skip
    assert (found.date_open, found.date_close, found.last_day) == (
        date(2026, 7, 1),
        date(2026, 7, 31),
        date(2026, 8, 31),
    )
    assert (found.points, found.trophies, found.hot, found.sort) == (2, True, True, -20)
    assert found.urls == ("https://a.example/x", "http://b.example")
    assert [(each.tags, each.name) for each in found.experiments] == [
        ("mlperf,v3.0", ""),
        ("", "mlperf-inference--v3.0--edge"),
    ]
    assert found.reproduced_papers_tags == "a,b"
    assert found.tags == ("x", "y")
    assert found.scoring == Scoring(accepted=2)


def test_every_field_of_ours_is_read(read: Any) -> None:
    found = read(
        timezone="Asia/Tokyo", rounds=["v3.1"], tasks="a, b", benchmarks=["resnet"], categories=["edge"],
        divisions=["open"], scenarios=["Offline"], filter='accelerator == "A30"', private=True,
        ranking={"metric": "samples_per_joule", "lowest": False, "per": ["benchmark", "category"]},
        scoring={"accepted": 1, "first": 5}, timeline=[{"date": "20260701", "what": "opens"}],
        rules=["**be kind**"], how_to=[{"title": "Run", "command": "assay run resnet50"}],
    )  # fmt: skip
    assert found.timezone == "Asia/Tokyo"
    assert found.tasks == ("a", "b")
    assert found.ranking == Ranking("samples_per_joule", False, ("benchmark", "category"))
    assert found.scoring == Scoring(1, 5, 0, 0, 1)
    assert found.timeline == (Moment(date(2026, 7, 1), "opens"),)
    assert found.how_to == (HowTo("Run", "assay run resnet50"),)
    assert found.private


def test_unknown_fields_are_kept_and_secrets_are_not(read: Any) -> None:
    found = read(colour="blue", password_hash="$2b$12$abc", _password_hash="x", _date_close="20200101")
    assert found.other == {"colour": "blue", "_date_close": "20200101"}
    assert "$2b$" not in repr(found)


def test_an_extension_may_have_no_day(read: Any) -> None:
    found = read(date_close="20260731", date_close_extension=True)
    assert (found.date_close_extension, found.until_done, found.last_day) == (None, True, date(2026, 7, 31))
    assert not read(date_close_extension="20260831").until_done


def test_days_in_the_wrong_order_are_told_and_the_challenge_is_listed(make_challenge: MakeEntry) -> None:
    artifact = read_artifact(make_challenge(date_open="20260801", date_close="20260701"))
    found, (problem,) = challenge_of(artifact, artifact.meta, "local", NOW)
    assert (found.date_open, found.date_close, found.status) == (date(2026, 8, 1), date(2026, 7, 1), Status.CLOSED)
    assert problem.listed
    assert problem.reason.endswith("it closes before it opens")


@pytest.mark.parametrize(
    ("meta", "key"),
    [
        ({"date_close": "soon"}, "date_close"),
        ({"date_close": "20260231"}, "date_close"),
        ({"date_open": "99990101"}, "date_open"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../../etc/passwd"}, "timezone"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"urls": ["https://ok.example", "data:text/html,x"]}, "urls.1"),
        ({"report_url": 'https://x.example/"><script>'}, "report_url"),
        ({"points": -1}, "points"),
        ({"filter": "watts <"}, "filter"),
        ({"filter": "(" * 3000}, "filter"),
        ({"ranking": {"metric": "watts; import os"}}, "ranking.metric"),
        ({"ranking": {"per": ["uid; DROP TABLE rows"]}}, "ranking.per"),
        ({"ranking": {"per": ["watts"]}}, "ranking.per"),
        ({"ranking": {"matric": "watts"}}, "ranking.matric"),
        ({"scoring": {"first": 10**9}}, "scoring.first"),
        ({"timeline": [{"date": "20260701"}]}, "timeline.0.what"),
        ({"rules": ["x" * 30_000]}, "rules.0"),
        ({"how_to": [["a"]]}, "how_to.0"),
        ({"tasks": ["x"] * 1000}, "tasks"),
        ({"title": ["no", "title"]}, "title"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_key(read: Any, meta: dict[str, Any], key: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read(**meta)
    assert key in str(caught.value)
    assert "_cm.yaml" in str(caught.value)


def test_an_entry_without_a_uid_is_none(read: Any) -> None:
    with pytest.raises(InvalidInputError, match="uid"):
        read(uid="short")
