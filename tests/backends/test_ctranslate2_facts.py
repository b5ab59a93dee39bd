from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import pytest

from assay.backends.ctranslate2_facts import DecoderFacts, read_facts
from assay.backends.protocol import Precision
from assay.errors import InvalidInputError, MachineError
from assay.models.ctranslate2_file import write_model

from ..models.tiny_gptj import SMALL, tiny_gptj


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return tiny_gptj(tmp_path / "tiny")


def facts(model: Path, context: int | None = None, **changes: Any) -> DecoderFacts:
    given: dict[str, Any] = {"own_memory": True, "precision": Precision.FP32} | changes
    return read_facts(model, context, **given)


def gpt2(folder: Path, **further: Any) -> Path:
    """A folder of the names that are looked at: four heads of eight numbers in two layers, 100 places."""
    folder.mkdir()
    arrays = {
        "decoder/embeddings/weight": np.zeros((4, 32), np.float32),
        "decoder/num_heads": np.array(4, np.int16),
        "decoder/position_encodings/encodings": np.zeros((100, 32), np.float32),
        **{
            f"decoder/layer_{layer}/self_attention/linear_0/weight": np.zeros((96, 32), np.float32)
            for layer in range(2)
        },
        **further,
    }
    makers = {name: lambda value=array: value for name, array in arrays.items()}
    write_model(folder / "model.bin", "TransformerDecoderSpec", 8, makers)
    (folder / "vocabulary.json").write_text(json.dumps(["a", "b", "c", "d"]))
    return folder


def test_words_are_those_of_the_vocabulary(model: Path) -> None:
    found = facts(model)
    assert list(found.words) == json.loads((model / "vocabulary.json").read_text())
    assert (found.context, found.own_context) == (2048, False)
    assert facts(model, 300).context == 300


def test_a_model_with_places_has_no_more_of_them(tmp_path: Path) -> None:
    folder = gpt2(tmp_path / "gpt2")
    found = facts(folder)
    assert (found.context, found.own_context) == (100, True)
    assert facts(folder, 50).context == 50
    with pytest.raises(InvalidInputError, match="fewer places") as caught:
        facts(folder, 101)
    assert caught.value.expected == "context=100 at most"


def test_keys_and_values_of_a_token(model: Path, tmp_path: Path) -> None:
    assert facts(model).bytes_per_token == SMALL.layers * 2 * SMALL.width * 4
    assert facts(model, precision=Precision.INT8).bytes_per_token == SMALL.layers * 2 * SMALL.width * 4
    assert facts(model, precision=Precision.BF16).bytes_per_token == SMALL.layers * 2 * SMALL.width * 2
    assert facts(model, own_memory=False).bytes_per_token == 0
    # Four heads of queries that share two of keys and values: 8 numbers of each, of 64 rows.
    shared = {
        f"decoder/layer_{layer}/self_attention/{name}": value
        for layer in range(2)
        for name, value in (
            ("num_heads_kv", np.array(2, np.int32)),
            ("linear_0/weight", np.zeros((64, 32), np.float32)),
        )
    }
    assert facts(gpt2(tmp_path / "shared", **shared)).bytes_per_token == 2 * 2 * 16 * 4


def test_the_text_form_of_a_vocabulary(model: Path) -> None:
    words = json.loads((model / "vocabulary.json").read_text())
    (model / "vocabulary.json").unlink()
    (model / "vocabulary.txt").write_bytes("\n".join(words).encode() + b"\n")
    assert list(facts(model).words) == words
    (model / "vocabulary.txt").write_bytes("\r\n".join(words).encode() + b"\r\n")
    assert list(facts(model).words) == words
    words[3] = "x\r"
    (model / "vocabulary.txt").write_bytes("\n".join(words).encode() + b"\n")
    assert list(facts(model).words) == words


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda words: words[:-1], "of another model"),
        (lambda words: [*words, "more"], "of another model"),
        (lambda words: [*words[:-1], words[0]], "a word twice"),
        (lambda words: [*words[:-1], 5], "no list of words"),
        (lambda words: dict.fromkeys(words, 1), "no list of words"),
    ],
)
def test_a_vocabulary_that_does_not_fit_is_told(model: Path, change: Any, what: str) -> None:
    path = model / "vocabulary.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(InvalidInputError, match=what) as caught:
        facts(model)
    assert caught.value.where == str(path)


def test_what_a_precision_takes_is_told_before_it_is_loaded(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The weights are kept in int8: a machine that has the memory for them has it not for fp32."""
    weights = SMALL.weight_bytes  # held twice while they are loaded
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=3 * weights))
    assert facts(model, precision=Precision.INT8).words
    with pytest.raises(MachineError, match="too little memory for this model in fp32") as caught:
        facts(model)
    assert caught.value.hint == "give --precision int8"
    assert facts(model, own_memory=False).words
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=weights // 2))
    with pytest.raises(MachineError, match="for this model in int8") as caught:
        facts(model, precision=Precision.INT8)
    assert "smaller model" in str(caught.value.hint)
