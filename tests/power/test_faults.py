"""Faults of the simulation: named, and of one phase or both."""

from __future__ import annotations

import pytest

from assay.errors import NotFoundError, UsageError
from assay.power.faults import Fault, FaultKind
from assay.power.phase import Phase


def test_every_fault_can_be_named_and_says_what_it_does() -> None:
    for kind in FaultKind:
        assert Fault.parse(kind.value) == Fault(kind)
        assert Fault.parse(f"{kind}:testing") == Fault(kind, Phase.TESTING)
        assert len(kind.meaning) > 10


def test_what_is_none_is_told() -> None:
    with pytest.raises(NotFoundError, match="dropout"):
        Fault.parse("dropouts")
    with pytest.raises(UsageError, match="ranging or testing"):
        Fault.parse("dropout:always")


def test_a_fault_strikes_in_its_phase() -> None:
    both, one = Fault(FaultKind.SLOW), Fault(FaultKind.SLOW, Phase.RANGING)
    assert [both.strikes(phase) for phase in (None, *Phase)] == [True, True, True]
    assert [one.strikes(phase) for phase in (None, *Phase)] == [False, True, False]


def test_a_mark_names_its_phase() -> None:
    assert Phase.of_mark("2023-03-01_18-00-00_a_testing") is Phase.TESTING
    assert Phase.of_mark("notset") is None
    assert [phase.folder for phase in Phase] == ["ranging", "run_1"]
