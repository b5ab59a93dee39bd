from __future__ import annotations

import pytest

from assay.errors import NotFoundError
from assay.rules.findings import catalogue, finding_kind
from assay.rules.load import load_round, round_names
from assay.rules.submission import Level


def test_every_kind_says_what_it_is_and_what_to_do() -> None:
    for kind in catalogue().values():
        assert kind.title[0].islower() or kind.title.split()[0] in {
            "LoadGen",
            "TEST01",
            "TEST04",
            "TEST05",
            "PTDaemon",
        }, kind.code
        assert not kind.title.endswith("."), kind.code
        assert kind.explain.endswith("."), kind.code
        assert kind.fix.endswith("."), kind.code
        assert kind.source, kind.code


def test_a_level_holds_since_the_round_that_is_named() -> None:
    kind = finding_kind("seed-wrong")
    levels = [kind.official_level(load_round(name)) for name in round_names()]
    assert levels == [Level.NOTE, Level.NOTE, Level.NOTE, Level.REJECT, Level.REJECT]
    assert {kind.strict_level(load_round(name)) for name in round_names()} == {Level.REJECT}


def test_an_unknown_code_is_told_with_the_closest() -> None:
    with pytest.raises(NotFoundError, match="seed-wrong"):
        finding_kind("seeds-wrong")


def test_whatever_the_tool_refuses_the_rules_do_not_pass_over() -> None:
    lenient = [
        (kind.code, name)
        for kind in catalogue().values()
        for name in round_names()
        if kind.official_level(load_round(name)) in (Level.FLAG, Level.REJECT)
        and kind.strict_level(load_round(name)) not in (Level.FLAG, Level.REJECT)
    ]
    # Git changes the ends of lines, as it did in all of v2.0; the tools look at them only when asked to before v3.1.
    assert {each for each in lenient if each[0] != "power-hash-line-ends"} == set()
    assert ("power-hash-line-ends", "v3.1") not in lenient
