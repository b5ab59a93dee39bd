from __future__ import annotations

import string
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assay.backends.llamacpp import BACKEND
from assay.backends.llamacpp_perplexity import _hidden_states, _log_likelihoods, _output_matrix, _server, perplexity
from assay.backends.protocol import BackendOptions
from assay.errors import InvalidInputError, NotFoundError, RunFailedError, UsageError
from assay.models.gguf import read_gguf
from assay.models.tokenizer import open_tokenizer

from ..tasks.language_model.tiny_llama import CONTEXT, tiny_llama, vocabulary

pytest.importorskip("xllamacpp", reason="the extra llm is not installed")
TEXT = "the cat in a hat and a dog in the sun "


class Counted:
    """A listener that counts."""

    total: float | None = None
    done = 0.0
    over = False

    def start(self, label: str, *, total: float | None = None, unit: str = "") -> Counted:
        del label, unit
        self.total = total
        return self

    def advance(self, amount: float = 1) -> None:
        self.done += amount

    def update(self, *, done: float | None = None, total: float | None = None, note: str | None = None) -> None:
        del done, total, note

    def message(self, text: str) -> None:
        del text

    def finish(self) -> None:
        self.over = True


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_llama(tmp_path_factory.mktemp("llama") / "tiny.gguf")


def test_hidden_states_times_the_output_are_the_engines_own_logits(model: Path) -> None:
    """The engine tells the probability of the token that it takes next: the same as ours for it."""
    header, ids = read_gguf(model), open_tokenizer(model).encode(TEXT)
    logits = _hidden_states(_server(header, 64, 1), ids) @ _output_matrix(header).T
    session = BACKEND.open(model, BackendOptions(threads=1))
    asked = {"prompt": ids.tolist(), "max_tokens": 1, "temperature": 0, "n_probs": 1}
    (told,) = session._loaded().handle_completions(asked)["choices"][0]["logprobs"]["content"]
    session.close()
    assert int(logits[-1].argmax()) == told["id"]
    with_it = np.append(ids, np.int32(told["id"]))
    doubled = np.concatenate([logits, logits[-1:]])
    assert _log_likelihoods(doubled, with_it)[-1] == pytest.approx(told["logprob"], abs=1e-4)


def test_a_model_that_knows_nothing_is_as_perplexed_as_its_vocabulary_is_large(model: Path) -> None:
    found = perplexity(model, TEXT * 8, tokens=130, window=32)
    assert found.value == pytest.approx(len(vocabulary()), rel=0.5)
    assert found.value > len(string.ascii_lowercase) + 1
    assert found.tokens == 128


def test_every_window_is_told(model: Path) -> None:
    steps = Counted()
    perplexity(model, TEXT * 8, tokens=128, window=32, progress=steps)
    assert (steps.total, steps.done, steps.over) == (4, 4, True)


def test_certainty_is_a_perplexity_of_one() -> None:
    logits = np.full((3, 5), -100, np.float32)
    logits[0, 2] = logits[1, 4] = 100
    assert np.exp(-_log_likelihoods(logits, np.array([0, 2, 4], np.int32)).mean()) == pytest.approx(1)


def test_what_cannot_be_measured(tmp_path: Path, model: Path) -> None:
    with pytest.raises(InvalidInputError, match="shorter than a window") as short:
        perplexity(model, "the cat", window=32)
    assert short.value.hint == f"a longer text, or --window {short.value.found}"
    with pytest.raises(UsageError, match="does not fit") as few:
        perplexity(model, TEXT, tokens=16)
    assert few.value.hint == "--window 16"
    with pytest.raises(UsageError, match="made for shorter texts") as long:
        perplexity(model, TEXT, window=CONTEXT + 1)
    assert long.value.hint == f"--window {CONTEXT}"
    with pytest.raises(NotFoundError):
        perplexity(tmp_path / "none.gguf", TEXT)
    with pytest.raises(InvalidInputError, match="cannot load"):
        perplexity(tiny_llama(tmp_path / "x.gguf", changes={"general.architecture": "murmur"}), TEXT * 8, window=32)


def test_logits_that_are_more_than_a_product_are_not_reckoned(tmp_path: Path) -> None:
    header = read_gguf(tiny_llama(tmp_path / "x.gguf"))
    for key in ("llama.logit_scale", "llama.final_logit_softcapping"):
        with pytest.raises(InvalidInputError, match="changes its logits") as refused:
            _output_matrix(replace(header, metadata={**header.metadata, key: 30.0}))
        assert refused.value.found == key.removeprefix("llama.")
    with_bias = {**header.tensors, "output.bias": header.tensors["output_norm.weight"]}
    with pytest.raises(InvalidInputError, match=r"output\.bias"):
        _output_matrix(replace(header, tensors=with_bias))


def test_a_tokenizer_that_is_not_read_is_told_without_a_recipe(tmp_path: Path) -> None:
    other = tiny_llama(tmp_path / "x.gguf", changes={"tokenizer.ggml.pre": "qwen2"})
    with pytest.raises(InvalidInputError, match="qwen2") as refused:
        perplexity(other, TEXT * 8, window=32)
    assert refused.value.hint is None


def test_an_engine_that_gives_something_else(model: Path) -> None:
    server = BACKEND.open(model, BackendOptions(threads=1))._loaded()
    with pytest.raises(RunFailedError, match="hidden states"):
        _hidden_states(server, np.array([5, 6], np.int32))
