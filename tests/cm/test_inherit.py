from __future__ import annotations

from pathlib import Path

import pytest

from assay.cm.artifact import Artifact
from assay.cm.inherit import effective_meta, merged
from assay.cm.names import Address, Name
from assay.errors import InvalidInputError, NotFoundError

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

    def lookup(kind: Name, address: Address) -> Artifact:
        asked.append(kind)
        return shelf[address.artifact.alias]

    meta = effective_meta(shelf["one"], lookup)
    assert meta["tags"] == ["t3", "t2"]
    assert meta["v"] == 1 and meta["alias"] == "one" and "_base" not in meta
    assert asked == [Name("script", "5b4e0237da074764"), Name("cfg")]


def test_a_circle_is_told_with_the_whole_chain() -> None:
    shelf, _ = _shelf(one={"_base": "two"}, two={"_base": "three"}, three={"_base": "two"})
    with pytest.raises(InvalidInputError, match=r"circle.*script::one -> script::two -> script::three -> script::two"):
        effective_meta(shelf["one"], lambda _, at: shelf[at.artifact.alias])


def test_ten_bases_are_taken_and_eleven_are_not() -> None:
    shelf, _ = _shelf(
        **{f"n{number}": {"_base": f"n{number + 1}", f"v{number}": 1} for number in range(11)}, n11={"v11": 1}
    )
    assert effective_meta(shelf["n1"], lambda _, at: shelf[at.artifact.alias])["v11"] == 1
    with pytest.raises(InvalidInputError, match="more than 10 deep.*n0 -> script::n1 ->"):
        effective_meta(shelf["n0"], lambda _, at: shelf[at.artifact.alias])


def test_a_base_that_cannot_be_used_is_told_with_who_wants_it() -> None:
    shelf, _ = _shelf(one={"_base": ["x"]}, two={"_base": "a:b:c"}, three={"_base": "gone"})

    def lookup(kind: Name, address: Address) -> Artifact:
        raise NotFoundError("unknown script 'gone'")

    with pytest.raises(InvalidInputError, match="_base is no text"):
        effective_meta(shelf["one"], lookup)
    with pytest.raises(InvalidInputError, match="two: the base 'a:b:c' cannot be used"):
        effective_meta(shelf["two"], lookup)
    with pytest.raises(NotFoundError, match="three: the base 'gone' is not there"):
        effective_meta(shelf["three"], lookup)
