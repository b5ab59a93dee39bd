from __future__ import annotations

from pathlib import Path

import pytest

from assay.errors import InvalidInputError, NotFoundError
from assay.system.fields import Kind, Needed, NotApplicable, field_list, read_fields

# Counts of the official lists at v3.1 (submission_checker.py): required, refused when empty, network, power.
REQUIRED, FILLED, NETWORK, POWER = 35, 26, 13, 14


def names(round_name: str, needed: Needed) -> list[str]:
    fields = field_list()
    return [each.name for each in fields.fields if each.needed is needed and fields.asked_in(each, round_name)]


def test_the_lists_are_as_long_as_the_official_ones() -> None:
    fields = field_list()
    assert len(names("v3.1", Needed.ALWAYS)) == REQUIRED
    assert len(names("v3.0", Needed.ALWAYS)) == REQUIRED - 2
    assert len(names("v3.1", Needed.NETWORK)) == NETWORK
    assert names("v2.0", Needed.NETWORK) == []
    assert len(names("v3.1", Needed.POWER)) == POWER
    assert sum(1 for each in fields.fields if fields.filled_in(each, "v3.1")) == FILLED


def test_choices_are_filled_in_every_round() -> None:
    fields = field_list()
    for each in fields.fields:
        if each.kind is Kind.CHOICE:
            assert fields.filled_in(each, "v2.0")
            assert each.choices


def test_na_is_never_an_answer_to_what_every_machine_has() -> None:
    fields = field_list()
    for name in ("host_processor_model_name", "number_of_nodes", "submitter", "cooling", "framework"):
        field = fields.get(name)
        assert field is not None
        assert field.na is NotApplicable.NEVER
    assert fields.get("no_such_field") is None


def test_an_unknown_round_has_close_names() -> None:
    fields = field_list()
    with pytest.raises(NotFoundError, match=r"v3\.1"):
        fields.asked_in(fields.fields[0], "v3.11")


def test_words_compare_without_case() -> None:
    fields = field_list()
    assert {"tbd", "?", "to be filled by o.e.m."} <= fields.placeholders
    assert {"n/a", "null", "-"} <= fields.not_applicable


def test_a_wrong_file_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "fields.yaml"
    path.write_text(
        "format: 1\nrounds: [v3.1]\nplaceholders: []\nnot_applicable: []\nfields:\n  a: {title: x, kind: colour}\n"
    )
    with pytest.raises(InvalidInputError) as caught:
        read_fields(path)
    assert ":6" in str(caught.value.where)
