from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.errors import InvalidInputError, NotFoundError
from assay.models.text.vocabulary import find_vocabulary, read_vocabulary

from .made import pieces, write_vocabulary


def test_a_piece_is_numbered_by_its_line_whatever_it_is(tmp_path: Path) -> None:
    found = read_vocabulary(write_vocabulary(tmp_path), len(pieces()))
    assert found.ids == {piece: number for number, piece in enumerate(pieces())}  # of two equal ones the last holds
    assert found.pieces[found.ids["\u2028"]] == "\u2028"
    assert (found.unknown, found.id_of("no such piece")) == (1, 1)


def test_windows_line_ends_are_none(tmp_path: Path) -> None:
    path = tmp_path / "vocab.txt"
    path.write_bytes("\r\n".join(pieces()).encode())
    (tmp_path / "other").mkdir()
    assert read_vocabulary(path) == read_vocabulary(write_vocabulary(tmp_path / "other"))


def test_a_tokenizer_file_gives_the_same(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    ids = {piece: number for number, piece in enumerate(pieces())}
    path.write_text(json.dumps({"model": {"type": "WordPiece", "vocab": ids}}))
    own, other = read_vocabulary(path), read_vocabulary(write_vocabulary(tmp_path))
    assert own == other


def test_it_is_looked_for_beside_the_model(tmp_path: Path) -> None:
    path = write_vocabulary(tmp_path)
    model = tmp_path / "model.onnx"
    model.touch()
    assert (
        find_vocabulary(None, model) == find_vocabulary(None, tmp_path) == find_vocabulary(str(tmp_path), None) == path
    )
    assert find_vocabulary(str(path), None) == path


def test_without_one_it_is_said_how_to_give_it(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no vocabulary") as caught:
        find_vocabulary(None, tmp_path)
    assert "--recipe vocabulary=" in str(caught.value.hint)
    with pytest.raises(NotFoundError, match="no vocabulary"):
        find_vocabulary(None, None)
    with pytest.raises(NotFoundError, match="is not there"):
        find_vocabulary(str(tmp_path / "none.txt"), None)
    with pytest.raises(NotFoundError, match="is not there"):
        read_vocabulary(tmp_path / "none.txt")


def test_one_of_another_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="not that of the model") as caught:
        read_vocabulary(write_vocabulary(tmp_path), 30_522)
    assert "30,522" in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        b"the\na\n",
        b"[UNK]\n[PAD]\n[CLS]\n[SEP]\n",
        b"\xff\xfe\x00",
        b"",
    ],
    ids=["words only", "padding is not 0", "no text", "empty"],
)
def test_what_is_no_vocabulary_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "vocab.txt"
    path.write_bytes(content)
    with pytest.raises(InvalidInputError, match="vocabulary") as caught:
        read_vocabulary(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "raw",
    [
        [],
        {"model": {"type": "BPE", "vocab": {"a": 0}}},
        {"model": {"vocab": {"a": -1}}},
        {"model": {"vocab": {"a": 1e9}}},
    ],
    ids=["a list", "another kind", "a negative id", "no whole number"],
)
def test_a_tokenizer_file_without_pieces_is_refused(tmp_path: Path, raw: object) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(raw))
    with pytest.raises(InvalidInputError, match=r"vocabulary|id of"):
        read_vocabulary(path)
