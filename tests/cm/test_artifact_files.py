from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from assay.cm.artifact_files import dump_yaml, edited_yaml, same, save_meta
from assay.cm.meta import parse_yaml, read_meta

YAML = """\
# who wrote it, and why
alias: one   # the name
uid: 0123456789abcdef

# what it is about
tags:
- a  # first
- b

# about the limits
limits:
  ms: 15
"""
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
METAS = st.dictionaries(st.text(min_size=1, max_size=8), VALUES, max_size=6)


def test_a_json_or_nothing_is_written_as_json(tmp_path: Path) -> None:
    save_meta(tmp_path / "new", "_cm", {"b": 1, "a": 2})
    assert (tmp_path / "new" / "_cm.json").read_text() == '{\n  "a": 2,\n  "b": 1\n}\n'
    save_meta(tmp_path / "new", "_cm", {"a": 3})
    assert json.loads((tmp_path / "new" / "_cm.json").read_text()) == {"a": 3}


def test_a_yaml_keeps_its_comments_and_gets_no_json_beside_it(tmp_path: Path) -> None:
    (tmp_path / "_cm.yaml").write_text(YAML)
    wanted = {**read_meta(tmp_path, "_cm"), "tags": ["a", "b", "c"], "extra": {"x": None}}
    save_meta(tmp_path, "_cm", wanted)
    assert [path.name for path in tmp_path.iterdir()] == ["_cm.yaml"]
    text = (tmp_path / "_cm.yaml").read_text()
    assert read_meta(tmp_path, "_cm") == wanted
    for line in (
        "# who wrote it, and why",
        "alias: one   # the name",
        "# what it is about",
        "# about the limits",
        "  ms: 15",
    ):
        assert line in text
    assert text.index("# about the limits") < text.index("limits:") < text.index("extra:")


def test_a_key_that_goes_takes_its_lines_and_nobody_elses(tmp_path: Path) -> None:
    old = parse_yaml(YAML, "x")
    assert edited_yaml(YAML, old, {key: value for key, value in old.items() if key != "tags"}) == (
        "# who wrote it, and why\nalias: one   # the name\nuid: 0123456789abcdef\n\n# what it is about\n"
        "\n# about the limits\nlimits:\n  ms: 15\n"
    )


def test_other_forms_of_yaml_are_written_anew() -> None:
    for text in ("{a: 1, b: [x]}\n", "  a: 1\n  b: [x]\n", "a: 1\nb: [x]\n...\n"):
        old = parse_yaml(text, "x")
        assert parse_yaml(edited_yaml(text, old, {**old, "c": 2}), "x") == {"a": 1, "b": ["x"], "c": 2}


def test_of_two_files_the_one_that_decides_is_changed(tmp_path: Path) -> None:
    (tmp_path / "_cm.yaml").write_text("a: 1\nb: 2\nboth: old\n")
    (tmp_path / "_cm.json").write_text('{"both": "new", "c": 3}')
    before = (tmp_path / "_cm.yaml").read_text()
    save_meta(tmp_path, "_cm", {**read_meta(tmp_path, "_cm"), "a": 10, "d": 4})
    assert (tmp_path / "_cm.yaml").read_text() == before
    # Not "b": a later edit of it in the YAML has to count.
    assert json.loads((tmp_path / "_cm.json").read_text()) == {"a": 10, "both": "new", "c": 3, "d": 4}
    save_meta(tmp_path, "_cm", {"b": 2, "c": 3})
    assert read_meta(tmp_path, "_cm") == {"b": 2, "c": 3}


def test_numbers_and_truth_are_told_apart() -> None:
    assert not same(1, True) and not same(1, 1.0) and same({"a": [1]}, {"a": [1]})
    assert edited_yaml("a: 1\n", {"a": 1}, {"a": True}) == "a: true\n"


@settings(deadline=None)
@given(METAS, METAS)
def test_whatever_is_saved_is_read_back(tmp_path_factory: Any, first: dict[str, Any], second: dict[str, Any]) -> None:
    one, other, both = (tmp_path_factory.mktemp("m") for _ in range(3))
    (other / "_cm.yaml").write_text(dump_yaml(first), encoding="utf-8")
    (both / "_cm.yaml").write_text(dump_yaml(first), encoding="utf-8")
    (both / "_cm.json").write_text(json.dumps(dict(list(second.items())[:2])))
    for folder in (one, other, both):
        save_meta(folder, "_cm", second)
        assert same(read_meta(folder, "_cm"), second)
    assert not (other / "_cm.json").exists()
