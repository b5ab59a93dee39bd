from __future__ import annotations

import pytest
from pydantic import ValidationError

from assay.community.contributor_form import ContributorForm


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (None, ""),
        ("", ""),
        (2023, "2023"),
        ("202306", "2023-06"),
        ("20230608", "2023-06-08"),
        ("2023-06-08", "2023-06-08"),
    ],
)
def test_last_participation(given: object, found: str) -> None:
    assert ContributorForm.model_validate({"last_participation_date": given}).last_participation_date == found


@pytest.mark.parametrize(
    "wrong",
    [
        {"last_participation_date": "June"},
        {"points": [{"desc": "none"}]},
        {"points": [{"point": 10**9}]},
        {"trophies": [{"url": "javascript:x"}]},
        {"url": "ftp://x.example"},
        {"name": ["a"]},
    ],
)
def test_what_is_wrong_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ContributorForm.model_validate(wrong)
