from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.errors import AssayError, InvalidInputError, MachineError, NotFoundError, RunFailedError
from assay.harness.outcome import Ending, Failure, Outcome, Probe


def test_an_outcome_comes_back_as_it_was(tmp_path: Path) -> None:
    outcome = Outcome(
        Ending.FAILED,
        Failure("InvalidInputError", "bad", "x.onnx", "a", "b", "c"),
        {"engine": "e"},
        12,
        {"a.jpg": "cut off"},
        {"run": 1.5},
        100,
        Probe(10, 20, 9, 18, 8, 400.0),
    )
    outcome.write(tmp_path)
    assert Outcome.read(tmp_path) == outcome


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (InvalidInputError("what", where="f", hint="h"), InvalidInputError),
        (MemoryError(), MachineError),
        (ValueError("x"), RunFailedError),
        (SystemExit(3), RunFailedError),
    ],
)
def test_an_error_crosses_the_border_with_its_class(error: BaseException, kind: type[AssayError]) -> None:
    again = Failure.of(error).error()
    assert type(again) is kind
    if isinstance(error, AssayError):
        assert again.to_dict() == error.to_dict()


@pytest.mark.parametrize("kind", ["annotations", "Path", "nearest", "no_such_name"])
def test_a_forged_class_is_a_failed_run(kind: str) -> None:
    assert type(Failure(kind, "x").error()) is RunFailedError


def test_no_outcome_and_a_wrong_one_are_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        Outcome.read(tmp_path)
    (tmp_path / "outcome.json").write_text(json.dumps({"ending": "unheard of"}))
    with pytest.raises(InvalidInputError, match="not an outcome"):
        Outcome.read(tmp_path)
