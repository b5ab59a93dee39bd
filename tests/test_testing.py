"""The contracts have to find what is wrong, not only to pass."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.backends.null import BACKEND, NullSession
from assay.backends.protocol import Backend, BackendOptions
from assay.base.tensors import Array
from assay.errors import InvalidInputError
from assay.loadgen.logs import read_accuracy
from assay.testing import BackendContract, refusal, tiny_logits, write_accuracy_log


class Session(NullSession):
    """A session whose streams do as they like."""

    def __init__(self, model: Path, answer: Any) -> None:
        opened = BACKEND.open(model, BackendOptions())
        super().__init__(opened.inputs, opened.outputs)
        self._answer = answer

    def stream(self) -> Any:
        return self

    def run(self, inputs: Sequence[Array]) -> Sequence[Array]:
        return (self._answer(inputs[0]),)


class Engine:
    name, title = "engine", "Engine"

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def capabilities(self) -> Any:
        return BACKEND.capabilities()

    def open(self, model: Path, options: BackendOptions) -> Any:
        return Session(model, self._answer) if model.read_bytes()[:1] == b"\x08" else None


def contract(answer: Any) -> BackendContract:
    class OfEngine(BackendContract):
        def backend(self) -> Backend:
            return Engine(answer)

    return OfEngine()


def test_the_tiny_model_is_right_for_a_right_engine(tmp_path: Path) -> None:
    good = contract(tiny_logits)
    good.test_every_batch_size_gives_a_row_for_each_sample(tmp_path)
    good.test_streams_run_side_by_side(tmp_path)


@pytest.mark.parametrize(
    ("answer", "test"),
    [
        (lambda x: tiny_logits(x) + 1, "test_every_batch_size_gives_a_row_for_each_sample"),
        (lambda x: tiny_logits(x)[:1], "test_every_batch_size_gives_a_row_for_each_sample"),
        (lambda x: tiny_logits(x).astype(np.float64), "test_every_batch_size_gives_a_row_for_each_sample"),
        (lambda x: tiny_logits(np.zeros_like(x)), "test_part_of_a_larger_array_is_taken_as_well"),
        (lambda x: x.__imul__(2), "test_inputs_are_left_as_they_are"),
        (tiny_logits, "test_what_is_no_model_is_refused"),
        (tiny_logits, "test_a_format_is_met_or_refused"),
    ],
)
def test_an_engine_that_does_wrong_is_found_out(tmp_path: Path, answer: Any, test: str) -> None:
    with pytest.raises(AssertionError):
        getattr(contract(answer), test)(tmp_path)


def test_answers_that_another_stream_overwrites_are_found_out(tmp_path: Path) -> None:
    buffer = np.zeros((8, 10), np.float32)

    def shared(images: Any) -> Any:
        buffer[: len(images)] = tiny_logits(images)
        return buffer[: len(images)]

    with pytest.raises(AssertionError):
        contract(shared).test_answers_hold_until_the_next_call_on_the_same_stream(tmp_path)


def test_a_refusal_has_to_say_something() -> None:
    def call(text: str) -> None:
        raise InvalidInputError(text)

    assert refusal(InvalidInputError, call, "the model is wrong").what == "the model is wrong"
    with pytest.raises(AssertionError, match="too little"):
        refusal(InvalidInputError, call, "wrong")
    with pytest.raises(AssertionError, match="nothing was refused"):
        refusal(InvalidInputError, len, "")


def test_logs_are_in_loadgens_form(tmp_path: Path) -> None:
    read = read_accuracy(write_accuracy_log(tmp_path / "log.json", [(3, b"\xab\x01"), (0, b"")]))
    assert read.qsl_idx.tolist() == [3, 0]
    assert read.data == (b"\xab\x01", b"")


def test_every_test_of_a_contract_says_what_it_holds() -> None:
    tests = [name for name, _ in inspect.getmembers(BackendContract) if name.startswith("test_")]
    assert len(tests) >= 12
    assert all(name.count("_") >= 4 for name in tests)
