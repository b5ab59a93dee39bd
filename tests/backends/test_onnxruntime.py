from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from assay.backends import onnxruntime as module
from assay.backends.onnxruntime import BACKEND
from assay.backends.protocol import Backend, BackendOptions, Precision
from assay.errors import InvalidInputError, MissingDependencyError, RunFailedError, UsageError
from assay.testing import BackendContract, tiny_logits

IMAGES = np.random.default_rng(0).standard_normal((2, 3, 8, 8)).astype(np.float32)


class TestOnnxRuntime(BackendContract):
    def backend(self) -> Backend:
        return BACKEND


def refused(model: Path, options: BackendOptions) -> UsageError:
    with pytest.raises(UsageError) as caught:
        BACKEND.open(model, options)
    return caught.value


def test_bf16_says_what_to_do_instead(model: Path) -> None:
    error = refused(model, BackendOptions(precision=Precision.BF16))
    assert "bf16" in error.what
    assert error.hint is not None
    assert "--backend openvino" in error.hint


def test_int8_answers_are_close_to_fp32(int8_model: Path) -> None:
    session = BACKEND.open(int8_model, BackendOptions(precision=Precision.INT8, threads=1))
    assert session.describe()["precision"] == "int8"
    answer = np.asarray(session.stream().run((IMAGES,))[0])
    # Scores span 11, so a step of 8 bits is 0.04.
    assert 0.01 < np.abs(answer - tiny_logits(IMAGES)).max() < 0.4


def test_a_format_that_the_model_does_not_have_is_refused(model: Path, int8_model: Path) -> None:
    assert "--precision fp32" in str(refused(model, BackendOptions(precision=Precision.INT8)).hint)
    assert "--precision int8" in str(refused(int8_model, BackendOptions()).hint)


def test_the_batch_of_the_model_is_told_before_it_runs(fixed_model: Path) -> None:
    session = BACKEND.open(fixed_model, BackendOptions())
    session.prepare([2])
    with pytest.raises(InvalidInputError) as caught:
        session.prepare([8])
    assert caught.value.hint is not None
    assert "--batch-size 2" in caught.value.hint


def test_arrays_that_do_not_fit_are_named(model: Path) -> None:
    stream = BACKEND.open(model, BackendOptions()).stream()
    for arrays in ((IMAGES[:, :, :4],), (IMAGES.astype(np.float64),), (), (IMAGES, IMAGES)):
        with pytest.raises(InvalidInputError, match="refuses the inputs") as caught:
            stream.run(arrays)
        if arrays:
            assert str(arrays[0].shape) in str(caught.value.found)


def test_an_engine_that_breaks_is_told_as_a_failed_run(model: Path) -> None:
    stream = BACKEND.open(model, BackendOptions()).stream()

    def breaks(*arguments: Any) -> Any:
        raise RuntimeError("[ONNXRuntimeError] : 1 : FAIL : out of luck\nmore")

    stream._run = breaks
    with pytest.raises(RunFailedError, match="out of luck"):
        stream.run((IMAGES,))


def test_a_closed_session_gives_no_streams(model: Path) -> None:
    session = BACKEND.open(model, BackendOptions())
    session.close()
    with pytest.raises(UsageError, match="closed"):
        session.stream()


# ---- threads


def test_every_stream_brings_its_own_thread(model: Path) -> None:
    session = BACKEND.open(model, BackendOptions(threads=2, streams=3))
    # Three streams' own threads, and one helper for each in the pool.
    assert session.describe()["threads"] == "6"
    assert session._session.get_session_options().intra_op_num_threads == 4


@pytest.mark.parametrize(
    ("threads", "streams", "limited", "pool"),
    [(0, 1, False, 0), (0, 1, True, 2), (0, 4, False, 1), (1, 1, False, 1), (1, 8, False, 1), (4, 2, True, 7)],
)
def test_size_of_the_pool(
    monkeypatch: pytest.MonkeyPatch, threads: int, streams: int, limited: bool, pool: int
) -> None:
    monkeypatch.setattr(module, "is_limited", lambda: limited)
    monkeypatch.setattr(module, "usable_cores", lambda: 2)
    assert module._pool_threads(threads, streams) == pool


# ---- options of its own


def test_options_reach_the_session(model: Path) -> None:
    extra = {"spinning": "off", "session.dynamic_block_base": "4"}
    session = BACKEND.open(model, BackendOptions(threads=1, extra=extra))
    settings = session._session.get_session_options()
    assert settings.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert settings.get_session_config_entry("session.dynamic_block_base") == "4"
    assert session.describe()["option spinning"] == "off"


def test_options_that_do_not_exist_are_refused(model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert refused(model, BackendOptions(extra={"spining": "on"})).expected == "spinning"
    assert refused(model, BackendOptions(extra={"spinning": "perhaps"})).found == "perhaps"
    assert "provider" in refused(model, BackendOptions(extra={"provider.device_id": "0"})).what
    error = refused(model, BackendOptions(threads=3, extra={"affinity": "first;second"}))
    assert "refuses an option" in error.what
    assert error.found == "affinity=first;second"
    assert capfd.readouterr() == ("", "")


def test_options_are_tried_without_a_model(capfd: pytest.CaptureFixture[str]) -> None:
    BACKEND.check_options(BackendOptions(threads=1, extra={"spinning": "off", "session.dynamic_block_base": "4"}))
    for extra in ({"spinning": "perhaps"}, {"affinity": "first;second"}, {"provider": "CUDA"}):
        with pytest.raises(UsageError):
            BACKEND.check_options(BackendOptions(threads=3, extra=extra))
    with pytest.raises(UsageError, match="no bf16"):
        BACKEND.check_options(BackendOptions(precision=Precision.BF16))
    assert capfd.readouterr() == ("", "")


def test_a_provider_that_is_not_there_is_refused(model: Path) -> None:
    error = refused(model, BackendOptions(extra={"provider": "CUDA"}))
    assert error.expected == "CPU"
    assert error.hint == "pip uninstall onnxruntime, then pip install onnxruntime-gpu"
    assert BACKEND.open(model, BackendOptions(extra={"provider": "cpuExecutionProvider"})).describe()["device"] == "CPU"


def test_falling_back_to_the_cpu_is_no_success(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "available", lambda library: ("CUDA", "CPU"))
    real = module._load

    def on_the_cpu(library: Any, path: Path, options: BackendOptions, extra: Any) -> Any:
        return real(library, path, options, module._Extra("CPU", {}, {}))

    monkeypatch.setattr(module, "_load", on_the_cpu)
    error = refused(model, BackendOptions(extra={"provider": "CUDA"}))
    assert error.found == "it fell back to CPU"


def test_nothing_is_said_about_a_broken_model_but_the_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "m.onnx").write_bytes(b"\x08\x08garbage")
    with pytest.raises(InvalidInputError, match="cannot load the model"):
        BACKEND.open(tmp_path / "m.onnx", BackendOptions(extra={"spinning": "off"}))
    assert capfd.readouterr() == ("", "")


# ---- what it can do


def test_devices_of_the_build_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["CUDAExecutionProvider", "AzureExecutionProvider", "CPUExecutionProvider"]
    library = SimpleNamespace(get_available_providers=lambda: names, __version__="1.22.0")
    monkeypatch.setattr(module, "_library", lambda: library)
    able = BACKEND.capabilities()
    assert able.devices == ("CUDA", "CPU")
    assert any("provider=CUDA" in note for note in able.notes)
    assert Precision.BF16 not in able.precisions


def test_a_missing_library_is_told_with_the_command(monkeypatch: pytest.MonkeyPatch, model: Path) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    for call in (BACKEND.capabilities, lambda: BACKEND.open(model, BackendOptions())):
        with pytest.raises(MissingDependencyError) as caught:
            call()
        assert caught.value.hint == "pip install onnxruntime"
