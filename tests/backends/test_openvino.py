from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from assay.backends import openvino as module
from assay.backends.openvino import BACKEND
from assay.backends.protocol import Backend, BackendOptions, Precision
from assay.errors import InvalidInputError, MissingDependencyError, RunFailedError, UsageError
from assay.testing import BackendContract, tiny_logits

openvino = pytest.importorskip("openvino", reason="OpenVINO is an extra: pip install assay[openvino]")

IMAGES = np.random.default_rng(0).standard_normal((2, 3, 8, 8)).astype(np.float32)
HAS_BF16 = "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


class TestOpenVino(BackendContract):
    def backend(self) -> Backend:
        return BACKEND


def refused(model: Path, options: BackendOptions) -> UsageError:
    with pytest.raises(UsageError) as caught:
        BACKEND.open(model, options)
    return caught.value


# ---- precision


def test_fp32_is_computed_in_fp32_also_where_bf16_would_be_faster(model: Path) -> None:
    session = BACKEND.open(model, BackendOptions(threads=1))
    assert session.describe()["inference_precision"] == "f32"
    _, compiled = session.compiled_for(1)
    used = {str(op.get_rt_info()["runtimePrecision"]) for op in compiled.get_runtime_model().get_ops()}
    assert "bf16" not in used
    assert "f16" not in used


@pytest.mark.skipif(not HAS_BF16, reason="this processor has no bf16")
def test_bf16_is_computed_in_bf16(model: Path) -> None:
    session = BACKEND.open(model, BackendOptions(precision=Precision.BF16, threads=1))
    assert session.describe()["inference_precision"] == "bf16"
    difference = np.abs(np.asarray(session.stream().run((IMAGES,))[0]) - tiny_logits(IMAGES)).max()
    assert 1e-5 < difference < 0.1


def test_bf16_without_the_processor_is_refused(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Core(openvino.Core):  # type: ignore[misc, name-defined]
        def get_property(self, device: str, name: str) -> object:
            return ["FP32", "INT8"] if name == "OPTIMIZATION_CAPABILITIES" else super().get_property(device, name)

    monkeypatch.setattr(openvino, "Core", Core)
    error = refused(model, BackendOptions(precision=Precision.BF16))
    assert "AMX or AVX512-BF16" in str(error.expected)
    assert BACKEND.capabilities().precisions == (Precision.FP32, Precision.INT8)


def test_a_format_other_than_asked_for_is_refused() -> None:
    """OpenVINO answers a hint for f16 with bf16 and says nothing."""
    module._check_effective(Precision.FP32, "f32")
    module._check_effective(Precision.FP16, "unknown")
    with pytest.raises(UsageError, match="bf16 and not in fp16"):
        module._check_effective(Precision.FP16, "bf16")


def test_int8_answers_are_close_to_fp32(int8_model: Path) -> None:
    session = BACKEND.open(int8_model, BackendOptions(precision=Precision.INT8, threads=1))
    assert session.describe()["inference_precision"] == "f32"
    answer = np.asarray(session.stream().run((IMAGES,))[0])
    # Scores span 11, so a step of 8 bits is 0.04.
    assert 0.01 < np.abs(answer - tiny_logits(IMAGES)).max() < 0.4


def test_a_format_that_the_model_does_not_have_is_refused(model: Path, int8_model: Path) -> None:
    assert "--precision fp32" in str(refused(model, BackendOptions(precision=Precision.INT8)).hint)
    assert "--precision int8" in str(refused(int8_model, BackendOptions()).hint)


# ---- batches


def test_each_batch_size_is_compiled_once(model: Path) -> None:
    session = BACKEND.open(model, BackendOptions(threads=1))
    session.prepare([4])
    size, compiled = session.compiled_for(4)
    assert size == 4
    assert session.compiled_for(4)[1] is compiled
    assert list(compiled.inputs[0].shape) == [4, 3, 8, 8]


def test_beyond_a_number_of_sizes_one_takes_any(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_COMPILED", 2)
    session = BACKEND.open(model, BackendOptions(threads=1))
    stream = session.stream()
    for count in (1, 2, 3, 4, 5, 2):
        images = np.random.default_rng(count).standard_normal((count, 3, 8, 8)).astype(np.float32)
        np.testing.assert_allclose(np.asarray(stream.run((images,))[0]), tiny_logits(images), atol=1e-4)
    assert session.compiled_for(5)[0] == -1
    assert len(session._compiled) == 3
    assert len(stream._requests) == 3


def test_a_model_whose_lengths_are_free_is_compiled_once(tmp_path: Path) -> None:
    from assay.models.bert import BertShape, build_bert, write_pieces

    path = tmp_path / "bert.onnx"
    write_pieces(build_bert(1, BertShape(1, 16, 2, 32, pieces=40, positions=32), "small"), path)
    session = BACKEND.open(path, BackendOptions(threads=1))
    session.prepare([1, 2, 8])
    stream = session.stream()
    for batch, length in ((8, 16), (3, 32), (1, 5)):
        ones = np.ones((batch, length), np.int64)
        assert stream.run((ones, ones, ones))[0].shape == (batch, length)
    assert list(session._compiled) == [-1]
    session.close()


def test_the_batch_of_the_model_is_told_before_it_runs(fixed_model: Path) -> None:
    session = BACKEND.open(fixed_model, BackendOptions(threads=1))
    assert session.stream().run((IMAGES,))[0].shape == (2, 10)
    with pytest.raises(InvalidInputError, match="batches of 2 only"):
        session.prepare([8])


# ---- arrays


def test_inputs_and_outputs_are_not_copied(model: Path) -> None:
    session = BACKEND.open(model, BackendOptions(threads=1))
    stream = session.stream()
    first = np.asarray(stream.run((IMAGES,))[0])
    second = np.asarray(stream.run((IMAGES,))[0])
    assert np.shares_memory(first, second)
    assert not first.flags.owndata


def test_arrays_that_lie_otherwise_in_memory_are_right(model: Path) -> None:
    stream = BACKEND.open(model, BackendOptions(threads=1)).stream()
    turned = np.ascontiguousarray(IMAGES.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    assert not turned.flags.c_contiguous
    np.testing.assert_allclose(np.asarray(stream.run((turned,))[0]), tiny_logits(IMAGES), atol=1e-4)


def test_arrays_that_do_not_fit_are_named(model: Path) -> None:
    stream = BACKEND.open(model, BackendOptions(threads=1)).stream()
    for arrays in ((IMAGES[:, :, :4],), (), (IMAGES, IMAGES)):
        with pytest.raises(InvalidInputError, match="refuses the inputs") as caught:
            stream.run(arrays)
        assert "(-1, 3, 8, 8)" in str(caught.value.expected)


def test_an_engine_that_breaks_is_told_as_a_failed_run(model: Path) -> None:
    stream = BACKEND.open(model, BackendOptions(threads=1)).stream()

    class Request:
        def infer(self, *arguments: object, **options: object) -> object:
            raise RuntimeError("Exception from src/x.cpp:1:\nout of luck")

    stream._requests[2] = Request()
    with pytest.raises(RunFailedError, match="out of luck"):
        stream.run((IMAGES,))


def test_a_closed_session_runs_nothing_new(model: Path) -> None:
    session = BACKEND.open(model, BackendOptions(threads=1))
    stream = session.stream()
    session.close()
    with pytest.raises(UsageError, match="closed"):
        session.stream()
    with pytest.raises(UsageError, match="closed"):
        stream.run((IMAGES,))


# ---- threads and options


def test_threads_are_those_of_all_streams(model: Path) -> None:
    assert BACKEND.open(model, BackendOptions(threads=1, streams=2)).describe()["threads"] == "2"


def test_a_quota_is_kept(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "is_limited", lambda: True)
    monkeypatch.setattr(module, "usable_cores", lambda: 1)
    assert BACKEND.open(model, BackendOptions()).describe()["threads"] == "1"


def test_options_are_checked(model: Path) -> None:
    assert "CACHE_DIR" in str(refused(model, BackendOptions(extra={"cache_dr": "x"})).expected)
    assert "no device 'NPU9'" in refused(model, BackendOptions(extra={"device": "NPU9"})).what
    assert "ENABLE_CPU_PINNING" in refused(model, BackendOptions(extra={"ENABLE_CPU_PINNING": "maybe"})).what
    for key, flag in (("inference_precision_hint", "--precision"), ("NUM_STREAMS", "--streams")):
        assert refused(model, BackendOptions(extra={key: "1"})).hint == f"give {flag}"


def test_options_are_tried_without_a_model(tmp_path: Path) -> None:
    folder = tmp_path / "compiled"
    BACKEND.check_options(BackendOptions(threads=1, extra={"cache_dir": str(folder), "ENABLE_CPU_PINNING": "true"}))
    assert not folder.exists()
    for extra in ({"cache_dr": "x"}, {"device": "NPU9"}, {"ENABLE_CPU_PINNING": "maybe"}, {"NUM_STREAMS": "1"}):
        with pytest.raises(UsageError):
            BACKEND.check_options(BackendOptions(extra=extra))


def test_compiled_models_can_be_kept(model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "compiled"
    for _ in range(2):
        session = BACKEND.open(model, BackendOptions(threads=1, extra={"cache_dir": str(folder)}))
        np.testing.assert_allclose(np.asarray(session.stream().run((IMAGES,))[0]), tiny_logits(IMAGES), atol=1e-4)
    assert len(list(folder.iterdir())) == 2
    assert session.describe()["option cache_dir"] == str(folder)


# ---- without the extra


def test_nobody_is_told_of_a_run() -> None:
    """The engine's own reports of its use would go over the network, from a forked process."""
    code = (
        "import sys\n"
        "from assay.backends import openvino\n"
        "assert openvino._library().__name__ == 'openvino'\n"
        "assert not [name for name in sys.modules if name.startswith('openvino_telemetry.')]\n"
        "assert sys.modules['openvino_telemetry'] is None\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    done = subprocess.run([sys.executable, "-c", code], check=False, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_missing_library_is_told_with_the_command(monkeypatch: pytest.MonkeyPatch, model: Path) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    for call in (BACKEND.capabilities, lambda: BACKEND.open(model, BackendOptions())):
        with pytest.raises(MissingDependencyError) as caught:
            call()
        assert caught.value.hint == 'pip install "assay[openvino]"'
