"""Errors of gRPC in our words; the rest is tested on a real server in test_kserve."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from assay.backends.kserve import BACKEND
from assay.backends.kserve_options import read_remote
from assay.backends.protocol import NO_FILE, BackendOptions
from assay.errors import AssayError, InvalidInputError, MissingDependencyError, NotFoundError, RunFailedError

grpc = pytest.importorskip("grpc", reason="the extra remote is not installed")
pytest.importorskip("tritonclient.grpc", reason="the extra remote is not installed")

from assay.backends.kserve_grpc import GrpcConnection, _outputs, load_stubs  # noqa: E402

REMOTE = read_remote({"address": "grpc://127.0.0.1:1", "model": "m"})


def failure(code: Any, kind: type[AssayError]) -> AssayError:
    connection = GrpcConnection(REMOTE)
    error = SimpleNamespace(code=lambda: code, details=lambda: "said\nso")
    made = connection._failure(error, kind)
    connection.close()
    return made


def test_every_code_becomes_an_error_of_ours() -> None:
    for code in grpc.StatusCode:
        error = failure(code, RunFailedError)
        assert isinstance(error, RunFailedError)
        assert error.where == "grpc://127.0.0.1:1"


def test_before_the_run_something_is_missing_or_is_no_server() -> None:
    assert isinstance(failure(grpc.StatusCode.UNIMPLEMENTED, NotFoundError), InvalidInputError)
    assert "is not there" in failure(grpc.StatusCode.NOT_FOUND, NotFoundError).what
    assert "no server answers" in failure(grpc.StatusCode.UNAVAILABLE, NotFoundError).what
    assert failure(grpc.StatusCode.INTERNAL, NotFoundError).found == "said so"


def test_outputs_come_raw_or_typed() -> None:
    _, messages, _ = load_stubs()
    raw = messages.ModelInferResponse()
    raw.outputs.add(name="a", datatype="INT64", shape=[2])
    raw.raw_output_contents.append(np.array([1, 2], np.int64).tobytes())
    typed = messages.ModelInferResponse()
    typed.outputs.add(name="a", datatype="INT64", shape=[2]).contents.int64_contents.extend([1, 2])
    for answer in (raw, typed):
        assert _outputs(answer)["a"].tolist() == [1, 2]
    raw.outputs.add(name="b", datatype="INT64", shape=[2])
    with pytest.raises(RunFailedError, match="without content"):
        _outputs(raw)
    empty = messages.ModelInferResponse()
    empty.outputs.add(name="a", datatype="FP32", shape=[2])
    with pytest.raises(RunFailedError, match="another number of values"):
        _outputs(empty)


def test_a_missing_library_is_told_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tritonclient.grpc", None)
    with pytest.raises(MissingDependencyError) as caught:
        BACKEND.open(NO_FILE, BackendOptions(extra={"address": "grpc://127.0.0.1:1", "model": "m"}))
    assert "assay[remote]" in (caught.value.hint or "")
    assert any("http only" in note for note in BACKEND.capabilities().notes)
