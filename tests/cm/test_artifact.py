from __future__ import annotations

from pathlib import Path

import pytest

from assay.cm.artifact import EXPERIMENT, Artifact, read_artifact, union, write_artifact
from assay.cm.names import Name
from assay.errors import InvalidInputError


def test_what_was_written_is_read_with_unknown_fields(tmp_path: Path) -> None:
    meta = {
        "uid": "0" * 16,
        "alias": "one",
        "tags": ["b", "a"],
        "automation_alias": "experiment",
        "_hot": {"x": [1, None]},
    }
    write_artifact(Artifact(tmp_path / "one", meta))
    read = read_artifact(tmp_path / "one")
    assert read.meta == meta
    assert (read.alias, read.uid, read.tags) == ("one", "0" * 16, ("b", "a"))
    assert read.automation == Name("experiment")


def test_the_file_has_cms_form(tmp_path: Path) -> None:
    write_artifact(Artifact(tmp_path, {"uid": "1" * 16, "alias": "x", "tags": ["t"]}))
    assert (
        tmp_path / "_cm.json"
    ).read_bytes() == b'{\n  "alias": "x",\n  "tags": [\n    "t"\n  ],\n  "uid": "1111111111111111"\n}\n'


def test_tags_as_text_and_missing_tags() -> None:
    assert Artifact(Path("x"), {"tags": "a, b,,"}).tags == ("a", "b")
    assert Artifact(Path("x"), {}).tags == ()
    assert Artifact(Path("x"), {"alias": None}).alias == ""


def test_an_artifact_without_a_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "_cm.json").write_text('{"alis": "typo"}')
    with pytest.raises(InvalidInputError, match="neither alias nor uid"):
        read_artifact(tmp_path)


def test_union_keeps_order_and_drops_repeats() -> None:
    assert union(("a", "b"), ("c", "a")) == ["a", "b", "c"]


def test_the_experiment_automation_is_cms_own() -> None:
    assert (EXPERIMENT.alias, EXPERIMENT.uid) == ("experiment", "a0a2d123ef064bcb")
