from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.cm.meta import is_uid, new_uid, read_meta
from assay.errors import InvalidInputError, NotFoundError


def test_json_lies_over_yaml_key_by_key_and_not_deeper(tmp_path: Path) -> None:
    (tmp_path / "_cm.yaml").write_text("alias: one\nnested: {a: 1, b: 2}\nonly_yaml: yes\n")
    (tmp_path / "_cm.json").write_text('{"nested": {"a": 3}, "tags": ["x"]}')
    assert read_meta(tmp_path, "_cm") == {
        "alias": "one",
        "nested": {"a": 3},
        "only_yaml": True,
        "tags": ["x"],
    }


def test_a_uid_of_digits_and_a_date_stay_text(tmp_path: Path) -> None:
    (tmp_path / "_cm.yaml").write_text("uid: 0123456701234567\ndate_open: 2023-07-04\ncount: 12\nlist: [2023-07-05]\n")
    read = read_meta(tmp_path, "_cm")
    assert read == {"uid": "0123456701234567", "date_open": "2023-07-04", "count": 12, "list": ["2023-07-05"]}
    assert json.loads(json.dumps(read)) == read


def test_an_empty_file_is_an_empty_mapping(tmp_path: Path) -> None:
    (tmp_path / "_cm.yaml").write_text("")
    assert read_meta(tmp_path, "_cm") == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: &x [1]\nb: *x\n", "aliases are not allowed"),
        ("- 1\n", "has to be a mapping"),
        ("a: [1\n", "not YAML"),
        ("a: !!python/object/apply:os.system [id]\n", "is not allowed"),
        ("a: !!binary aGFsbG8=\n", "is not allowed"),
        ("a: !!set {x, y}\n", "is not allowed"),
        ("[" * 5000, "not YAML"),
    ],
)
def test_hostile_yaml_is_refused_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "_cm.yaml").write_text(text)
    with pytest.raises(InvalidInputError) as caught:
        read_meta(tmp_path, "_cm")
    assert says in str(caught.value) or "nested too deeply" in str(caught.value)
    assert "_cm.yaml" in str(caught.value)


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "_cm.yaml").open("wb") as stream:
        stream.truncate(9 << 20)
    with pytest.raises(InvalidInputError, match="too large"):
        read_meta(tmp_path, "_cm")


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no _cm"):
        read_meta(tmp_path, "_cm")


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("meta")
    (folder / "_cm.yaml").write_text(text, encoding="utf-8", errors="surrogatepass")
    try:
        json.dumps(read_meta(folder, "_cm"))
    except InvalidInputError as error:
        assert error.exit_code == 4


def test_uids() -> None:
    assert is_uid(new_uid()) and new_uid() != new_uid()
    assert not is_uid("abc") and not is_uid("A" * 16) and not is_uid("a0a2d123ef064b.b")
