from __future__ import annotations

import dataclasses

import pytest

from assay.expressions import tree


def test_nodes_are_values() -> None:
    one = tree.Name(span=(0, 1), name="x")
    assert one == tree.Name(span=(0, 1), name="x", depth=3)
    assert "depth" not in repr(one)
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.name = "y"  # type: ignore[misc]


def test_every_part_of_a_tree_has_a_place() -> None:
    kinds = [kind for kind in vars(tree).values() if isinstance(kind, type) and issubclass(kind, tree.Node)]
    assert len(kinds) == 12
    assert all("span" in {field.name for field in dataclasses.fields(kind)} for kind in kinds)
