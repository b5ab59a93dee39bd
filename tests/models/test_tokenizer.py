from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from assay.errors import InvalidInputError, NotFoundError
from assay.models.tokenizer import TextTokenizer, open_tokenizer

from ..tasks.language_model.tiny_llama import MERGES, SPECIAL, tiny_llama, vocabulary


def of_gguf(folder: Path) -> TextTokenizer:
    return open_tokenizer(tiny_llama(folder / "tiny.gguf"))


def of_vocabulary(folder: Path, names: tuple[str, str] = ("vocab.json", "merges.txt")) -> TextTokenizer:
    (folder / names[0]).write_text(json.dumps({token: i for i, token in enumerate(vocabulary())}))
    (folder / names[1]).write_text("#version: 0.2\n" + "\n".join(MERGES) + "\n")
    return open_tokenizer(folder)


def test_ids_and_back(tmp_path: Path) -> None:
    tokenizer = of_gguf(tmp_path)
    assert (tokenizer.size, tokenizer.end) == (len(vocabulary()), 2)
    names = [vocabulary()[i] for i in tokenizer.encode("the cat in the a 12")]
    assert names == ["the", "Ġ", "c", "a", "t", "Ġ", "in", "Ġthe", "Ġa", "Ġ", "1", "2"]
    for text in ("", "the cat", "  two\n\nlines \t", "Müller € 日本 😀", "don't I'VE 3.14"):
        ids = tokenizer.encode(text)
        assert ids.dtype == np.int32
        assert tokenizer.decode(ids) == text


def test_tokens_that_stand_for_no_text(tmp_path: Path) -> None:
    tokenizer = of_gguf(tmp_path)
    ids = tokenizer.encode("<|im_start|>the<|im_end|>")
    assert [vocabulary()[i] for i in ids] == [SPECIAL[1], "the", SPECIAL[2]]
    assert tokenizer.decode(ids) == "the"
    assert tokenizer.decode(ids, special=True) == "<|im_start|>the<|im_end|>"


def test_half_a_letter_becomes_a_replacement(tmp_path: Path) -> None:
    tokenizer = of_gguf(tmp_path)
    assert tokenizer.decode(tokenizer.encode("a€")[:-1]) == "a\ufffd"


@pytest.mark.parametrize("names", [("vocab.json", "merges.txt"), ("encoder.json", "vocab.bpe")], ids=["hub", "openai"])
def test_gpt_2s_files_give_the_same_but_for_digits(tmp_path: Path, names: tuple[str, str]) -> None:
    tokenizer, other = of_vocabulary(tmp_path, names), of_gguf(tmp_path)
    text = "the cat <|endoftext|> in a hat"
    assert tokenizer.encode(text).tolist() == other.encode(text).tolist()
    assert tokenizer.end == 0


def test_added_tokens_follow(tmp_path: Path) -> None:
    (tmp_path / "added_tokens.json").write_text(
        json.dumps({"<|extra_2|>": len(vocabulary()) + 1, "<|extra_1|>": len(vocabulary())})
    )
    tokenizer = of_vocabulary(tmp_path)
    assert tokenizer.encode("<|extra_2|>").tolist() == [len(vocabulary()) + 1]


def test_a_tokenizer_json_is_read_without_its_truncation(tmp_path: Path) -> None:
    made = of_gguf(tmp_path)._inner
    made.enable_truncation(2)
    made.enable_padding(length=9)
    made.save(str(tmp_path / "tokenizer.json"))
    for path in (tmp_path / "tokenizer.json", tmp_path):
        tokenizer = open_tokenizer(path)
        assert tokenizer.decode(tokenizer.encode("the cat in")) == "the cat in"


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no tokenizer"):
        open_tokenizer(tmp_path)
    with pytest.raises(NotFoundError, match="no tokenizer"):
        open_tokenizer(tmp_path / "none")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("tokenizer.json", b"{}"),
        ("tokenizer.json", b"\xff\xfe\x00"),
        ("tokenizer.json", b"no json"),
        ("vocab.json", b"[1, 2]"),
        ("vocab.json", b'{"a": -1}'),
        ("vocab.json", b'{"a": "b"}'),
        ("merges.txt", b"a b c\n"),
        ("merges.txt", b"zz yy\n"),
        ("merges.txt", b"\xff\n"),
    ],
    ids=range(9),
)
def test_damaged_files_are_refused(tmp_path: Path, name: str, content: bytes) -> None:
    if name != "tokenizer.json":
        of_vocabulary(tmp_path)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidInputError):
        open_tokenizer(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"tokenizer.ggml.model": "llama"},
        {"tokenizer.ggml.pre": "qwen2"},
        {"tokenizer.ggml.tokens": []},
        {"tokenizer.ggml.merges": ["nopair"]},
    ],
    ids=["model", "pre", "tokens", "merges"],
)
def test_another_kind_in_a_gguf_file_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    with pytest.raises(InvalidInputError):
        open_tokenizer(tiny_llama(tmp_path / "tiny.gguf", changes=changes))
