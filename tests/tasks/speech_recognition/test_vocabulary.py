from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer, decoders, models

from assay.errors import InvalidInputError, NotFoundError
from assay.tasks.speech_recognition.vocabulary import open_vocabulary


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder with a tokenizer of a few words and the bytes between them."""
    words = {"\u0120and": 0, "\u0120Mr": 1, ".": 2, "\u0120Caf": 3, "\u00c3\u00a9": 4, "<unk>": 5}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|endoftext|>"])
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def test_tokens_are_read_without_the_special_ones(model: Path) -> None:
    say = open_vocabulary(model)
    assert say([0, 1, 2, 3, 4, 6]) == "and mr cafe"
    assert say([]) == ""


@pytest.mark.parametrize("wrong", [7, -1, 2**40])
def test_a_token_that_there_is_not_is_refused(model: Path, wrong: int) -> None:
    with pytest.raises(InvalidInputError, match="a token that there is not") as caught:
        open_vocabulary(model)([0, wrong])
    assert (caught.value.expected, caught.value.found) == ("0 to 6", str(wrong))


def test_a_folder_without_a_tokenizer_is_told(tmp_path: Path) -> None:
    for folder in (tmp_path, None):
        with pytest.raises(NotFoundError, match=r"tokenizer\.json is missing"):
            open_vocabulary(folder)


def test_what_is_no_tokenizer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text('{"model": 3}')
    with pytest.raises(InvalidInputError, match=r"not a tokenizer\.json"):
        open_vocabulary(tmp_path)
