"""A trial comes back from JSON as it was, and nothing else does."""

from __future__ import annotations

import json

import pytest

from assay.campaign.tuning.aim import Measured
from assay.campaign.tuning.bench import Promise
from assay.campaign.tuning.trial import Ended, Trial, kept
from assay.errors import InvalidInputError

from .fakes import BEST

TRIAL = Trial(3, BEST, Ended.MISSED, Promise(1.0, 5, 2), Measured(1.0, None, 5, None, False, ("a", "b")), "why", 2.5)


def test_there_and_back() -> None:
    assert kept(json.loads(json.dumps(TRIAL.to_dict())), Trial, where="here") == TRIAL


@pytest.mark.parametrize(
    "change", [{"ended": "won"}, {"number": "3"}, {"candidate": {}}, {"measured": {"figure": "x"}}]
)
def test_another_form_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(InvalidInputError, match="not what a search of this version keeps") as caught:
        kept({**TRIAL.to_dict(), **change}, Trial, where="here")
    assert caught.value.where == "here" and "--restart" in (caught.value.hint or "")
