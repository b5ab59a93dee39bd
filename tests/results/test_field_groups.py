from __future__ import annotations

from assay.results.field_groups import GROUPS, grouped
from assay.results.fields import FIELDS


def test_every_field_stands_in_one_group() -> None:
    names = [name for _, group in GROUPS for name in group]
    assert sorted(names) == sorted(field.name for field in FIELDS)


def test_known_and_unknown_fields_are_told_apart() -> None:
    values = dict.fromkeys((field.name for field in FIELDS), None) | {"watts": 12.5, "labels": [], "qsl_seed": 2**63}
    groups = {group.title: group for group in grouped(values)}
    (watts,) = groups["Power"].known
    assert (watts.name, watts.value, watts.unit) == ("watts", 12.5, "W")
    assert watts.meaning
    assert "labels" in groups["What it is"].unknown
    # 64 bits are more than a number of JavaScript holds.
    assert groups["Where it comes from"].known[0].value == str(2**63)


def test_false_and_nothing_are_not_the_same() -> None:
    values = dict.fromkeys((field.name for field in FIELDS), None) | {"power": False, "watts": 0.0}
    known = [each.name for group in grouped(values) for each in group.known]
    assert known == ["power", "watts"]
