from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from assay.base.yamlfile import Located, merge, read_yaml, validate
from assay.errors import InvalidInputError, NotFoundError


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    count: int


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    inner: dict[str, Inner] = {}


@pytest.fixture
def write(tmp_path: Path) -> object:
    def make(text: str | bytes, name: str = "a.yaml") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return make


def read(write: object, text: str | bytes) -> Located:
    return read_yaml(write(text))  # type: ignore[operator]


def test_values_know_their_lines(write: object) -> None:
    document = read(write, "name: x\ninner:\n  a:\n    count: 3\nlist:\n- 1\n- b: 2\n")
    assert document.value == {"name": "x", "inner": {"a": {"count": 3}}, "list": [1, {"b": 2}]}
    assert document.where(("inner", "a", "count")).endswith("a.yaml:4: inner.a.count")
    assert document.where(("list", 1, "b")).endswith("a.yaml:7: list.1.b")
    assert document.where(("inner", "a", "missing")).endswith("a.yaml:3: inner.a.missing")
    assert document.where(()).endswith("a.yaml:1")


@pytest.mark.parametrize(
    ("text", "words", "place"),
    [
        ("a: 1\nb: 2\na: 3\n", "twice", ":3: a"),
        ("a: &x 1\nb: *x\n", "aliases", ":1"),
        ("- 1\n", "mapping", ":1"),
        ("a: [1\n", "not YAML", ":2"),
        ("a: !!python/name:os.system ''\n", "not YAML|not a value", "a.yaml"),
        (b"\xff", "UTF-8", "a.yaml"),
        ("a: 2026-99-99\n", "not YAML|not a value", "a.yaml"),
    ],
)
def test_what_is_refused_and_where(write: object, text: str | bytes, words: str, place: str) -> None:
    with pytest.raises(InvalidInputError, match=words) as caught:
        read(write, text)
    assert place in str(caught.value.where)


def test_a_tag_runs_nothing(write: object, tmp_path: Path) -> None:
    with contextlib.suppress(InvalidInputError):
        read(write, f"a: !!python/object/apply:os.mkdir ['{tmp_path / 'made'}']\n")
    assert not (tmp_path / "made").exists()


def test_an_empty_file_is_an_empty_mapping(write: object) -> None:
    assert read(write, "# nothing\n").value == {}


def test_size_and_depth_are_bounded(write: object) -> None:
    with pytest.raises(InvalidInputError, match="too large"):
        read(write, b"#" * (2 << 20) + b"\n\n")
    with pytest.raises(InvalidInputError):
        read(write, "a: " + "[" * 20_000)


def test_an_absent_file(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_yaml(tmp_path / "none.yaml")


def test_a_model_accepts_or_points_at_the_key(write: object) -> None:
    assert validate(Outer, read(write, "name: x\ninner: {a: {count: 1}}")).inner["a"].count == 1
    with pytest.raises(InvalidInputError) as caught:
        validate(Outer, read(write, "name: x\ninner:\n  a:\n    count: many\n"))
    assert str(caught.value.where).endswith("a.yaml:4: inner.a.count")
    assert caught.value.found == "'many'"
    with pytest.raises(InvalidInputError, match="and 1 more") as caught:
        validate(Outer, read(write, "nmae: x\n"))
    with pytest.raises(InvalidInputError) as caught:
        validate(Outer, read(write, "name: x\nextra: 1\n"))
    assert caught.value.expected == "a key of this list: name, inner"
    assert str(caught.value.where).endswith(":2: extra")


def test_merging_goes_key_by_key_and_keeps_places(write: object) -> None:
    base = read_yaml(write("a: {x: 1, y: 2}\nb: [1, 2]\n", "base.yaml"))  # type: ignore[operator]
    over = read_yaml(write("a:\n  y: 3\nb: [9]\n", "over.yaml"))  # type: ignore[operator]
    merged = merge(base, over)
    assert merged.value == {"a": {"x": 1, "y": 3}, "b": [9]}
    assert "over.yaml:2" in merged.where(("a", "y"))
    assert "base.yaml:1" in merged.where(("a", "x"))
    assert base.value == {"a": {"x": 1, "y": 2}, "b": [1, 2]}


@given(st.text(max_size=200))
def test_any_text_is_a_mapping_or_an_input_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("yaml") / "a.yaml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    with contextlib.suppress(InvalidInputError):
        assert isinstance(read_yaml(path).value, dict)
