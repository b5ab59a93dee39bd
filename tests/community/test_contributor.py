from __future__ import annotations

from collections.abc import Sequence

import pytest

from assay.base.settings import Settings
from assay.cm.artifact import CONTRIBUTOR, REPORT
from assay.cm.repository import local_repository
from assay.community.challenges import load_challenges
from assay.community.contributor import (
    ContributorStanding,
    ensure_contributor,
    find_contributor,
    load_contributors,
)
from assay.errors import NotFoundError
from assay.results.audience import ANYBODY, EVERYBODY, Audience
from assay.results.row import Row
from assay.results.store import open_store

from ..results.rows import put
from .boards import MOMENT, accepted
from .conftest import NOW, UID, MakeEntry


def standings(
    settings: Settings, rows: Sequence[Row] = (), audience: Audience = ANYBODY
) -> tuple[ContributorStanding, ...]:
    if rows:
        put(settings, rows)
    challenges = load_challenges(settings, audience, NOW).items
    with open_store(settings) as store:
        seen = store.seen_by(audience, MOMENT)
        try:
            found = load_contributors(settings, seen, challenges, audience=audience)
            for each in found:
                again = find_contributor(settings, seen, challenges, each.account.upper(), audience=audience)
                assert again == each
            with pytest.raises(NotFoundError, match="unknown contributor 'nobody'"):
                find_contributor(settings, seen, challenges, "nobody", audience=audience)
            return found
        finally:
            seen.close()


def test_an_entry_of_cm_is_read(settings: Settings, make_entry: MakeEntry, make_challenge: MakeEntry) -> None:
    make_challenge("go", tags=("mlperf", "v9.9"))
    make_entry(
        CONTRIBUTOR, "ada", "00000000000000d1", readme="# Me", name="Ada L.", organization="Acme",
        url="https://ada.example", challenges=["mlperf,v9.9", "long-gone"], ongoing=["go"],
        points=[{"point": 3, "desc": "for the logo"}, {"point": 1}], trophies=[{"url": "https://t.example"}],
        last_participation_date=202306,
    )  # fmt: skip
    make_entry(CONTRIBUTOR, "ghost", "00000000000000d2", skip=True)
    make_entry(CONTRIBUTOR, "broken", "00000000000000d3", points="many")
    (ada,) = standings(settings)
    assert (ada.place, ada.name, ada.organisation, ada.urls) == (1, "Ada L.", "Acme", ("https://ada.example",))
    assert (ada.points, ada.awarded, ada.reckoned) == (4, 4, 0)
    assert [(each.points, each.why, each.by_hand) for each in ada.trail] == [
        (3, "for the logo", True),
        (1, "awarded", True),
    ]
    assert ada.challenges == (UID, "long-gone")
    assert (ada.ongoing, ada.trophies, ada.readme) == ((UID,), ("https://t.example",), "# Me")
    assert ada.last_participation == "2023-06"


def test_points_are_the_sum_of_the_trail_and_equal_points_share_a_place(
    settings: Settings, make_entry: MakeEntry, make_challenge: MakeEntry
) -> None:
    make_challenge(scoring={"accepted": 1, "first": 5, "report": 2})
    make_entry(CONTRIBUTOR, "bob", "00000000000000d1", name="Bob", points=[{"point": 5}])
    rows = [accepted(1, "ada", 10.0), accepted(2, "bob", 5.0), accepted(3, "cy", 4.0, challenges=())]
    make_entry(REPORT, "again", "00000000000000e1", tags=(f"result-{rows[0].uid}",), contributor="di",
               verdict="reproduced", date="20261130")  # fmt: skip
    found = standings(settings, rows)
    assert [(each.place, each.account, each.points) for each in found] == [
        (1, "ada", 6),
        (1, "bob", 6),
        (3, "di", 2),
        (4, "cy", 0),
    ]
    for each in found:
        assert each.points == sum(entry.points for entry in each.trail) == each.awarded + each.reckoned
    ada, bob, di, cy = found
    assert [entry.uid for entry in ada.results] == [rows[0].uid]
    assert (ada.challenges, ada.ongoing, ada.last_participation) == ((UID,), (UID,), "2026-11-02")
    assert (bob.awarded, bob.reckoned) == (5, 1)
    assert di.reports == ("00000000000000e1",)
    assert (len(cy.results), cy.challenges) == (1, ())


def test_what_an_audience_may_not_see_neither_counts_nor_shows(
    settings: Settings, make_entry: MakeEntry, make_challenge: MakeEntry
) -> None:
    make_challenge("secret", private=True)
    make_entry(CONTRIBUTOR, "ada", "00000000000000d1", challenges=[UID])
    rows = [accepted(1, "ada", 10.0, access=f"challenge:{UID}"), accepted(2, "bob", 10.0, access="account:bob")]
    make_entry(REPORT, "hush", "00000000000000e1", private=True, contributor="cy")
    (ada,) = standings(settings, rows)
    assert (ada.points, ada.results, ada.challenges, ada.last_participation) == (0, (), (), "")
    whole = {each.account: each for each in standings(settings, audience=EVERYBODY)}
    assert set(whole) == {"ada", "bob", "cy"}
    assert whole["ada"].challenges == (UID,)
    assert whole["ada"].points > 0


def test_an_entry_is_made_and_completed_and_what_stands_there_stays(settings: Settings) -> None:
    repository = local_repository(settings)
    with repository.editing() as editor:
        ensure_contributor(editor, "ada", name="Ada", organisation="Acme", challenges=[UID], day="20261201")
        first = editor.get(CONTRIBUTOR, "ada")
        ensure_contributor(editor, "ada", name="Other", organisation="", challenges=[UID], day="20251201")
        assert first is not None
        assert editor.get(CONTRIBUTOR, "ada") == first
        ensure_contributor(editor, "ada", challenges=["b" * 16], day="20261202")
        after = editor.get(CONTRIBUTOR, "ada")
    assert after is not None
    assert after.meta["challenges"] == [UID, "b" * 16]
    assert after.meta["last_participation_date"] == "20261202"
    assert (after.meta["name"], after.meta["organization"]) == ("Ada", "Acme")
