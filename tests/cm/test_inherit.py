from __future__ import annotations

from pathlib import Path

import pytest

from assay.cm.artifact import Artifact
from assay.cm.inherit import effective_meta, merged
from assay.cm.names import Name
from assay.errors import InvalidInputError

_AUTOMATION = {"automation_alias": "script", "automation_uid": "5b4e0237da074764"}


def _shelf(**metas: dict[str, object]) -> tuple[dict[str, Artifact], list[Name]]:
    asked: list[Name] = []
    return {name: Artifact(Path(name), {"alias": name, **_AUTOMATION, **meta}) for name, meta in metas.items()}, asked  # type: ignore[arg-type]


def test_mappings_merge_deeply_and_lists_are_appended() -> None:
    base = {"a": {"x": 1, "y": [1]}, "t": ["a"], "n": 1}
    over = {"a": {"y": [2], "z": 3}, "t": ["b"], "n": 2}
    assert merged(base, over) == {"a": {"x": 1, "y": [1, 2], "z": 3}, "t": ["a", "b"], "n": 2}  # type: ignore[arg-type]


def test_bases_are_followed_and_disappear() -> None:
    shelf, asked = _shelf(
        one={"_base": "two", "v": 1},
        two={"_base": "cfg::three", "tags": ["t2"]},
        three={"tags": ["t3"], "v": 3},
    )

    def lookup(kind: Name, name: Name) -> Artifact:
        asked.append(kind)
        return shelf[name.alias]

    meta = effective_meta(shelf["one"], lookup)
    assert meta["tags"] == ["t3", "t2"]
    assert meta["v"] == 1 and meta["alias"] == "one" and "_base" not in meta
    assert asked == [Name("script", "5b4e0237da074764"), Name("cfg")]


def test_a_circle_ends(tmp_path: Path) -> None:
    shelf, _ = _shelf(one={"_base": "two"}, two={"_base": "one"})
    with pytest.raises(InvalidInputError, match="more than 10 deep"):
        effective_meta(shelf["one"], lambda _, name: shelf[name.alias])
