"""The explorer's parameters as they are described: all there are, and each can be meant as it is told."""

from __future__ import annotations

from typing import Any

import pytest

from assay.playground.view import _KNOWN, read_view
from assay.playground.view_parameters import PARAMETERS
from assay.results.facets import FACETS

OTHER_NAMES = {"xline", "yline", "column"}


def test_every_parameter_is_described_once() -> None:
    names = [each["name"] for each in PARAMETERS]
    assert len(set(names)) == len(names)
    assert {*_KNOWN, *FACETS} - OTHER_NAMES <= set(names)
    assert all(each["description"] for each in PARAMETERS)


@pytest.mark.parametrize("parameter", PARAMETERS, ids=lambda each: each["name"])
def test_what_is_described_can_be_meant(parameter: dict[str, Any]) -> None:
    schema = parameter["schema"].get("items", parameter["schema"])
    usual = {"metric": "mine=1/watts", "xlines": "1,2", "ylines": "3", "page": "2"}
    values = [str(each) for each in schema.get("enum", [usual.get(parameter["name"], "watts")])]
    for value in values:
        view = read_view([(parameter["name"], value)])
        assert view.unknown == ()
