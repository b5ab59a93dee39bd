"""The KServe engine on a real server (ONNX Runtime behind the protocol) in a process of its own, and on faulty ones."""

from __future__ import annotations

import importlib.util
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.backends.kserve import BACKEND
from assay.backends.protocol import NO_FILE, BackendOptions, Capabilities, ModelFormat, Precision, Session
from assay.base.progress import SILENT
from assay.errors import AssayError, InvalidInputError, NotFoundError, RunFailedError, UsageError
from assay.harness.outcome import Ending
from assay.harness.run import execute
from assay.harness.spec import RunSpec
from assay.rules.model import Mode, Scenario
from assay.testing import TINY_SHAPE, BackendContract, refusal, tiny_classifier, tiny_logits

_spec = importlib.util.spec_from_file_location("kserve_fixtures", Path(__file__).parent / "kserve_fixtures.py")
assert _spec is not None
assert _spec.loader is not None
fixtures = importlib.util.module_from_spec(_spec)
sys.modules["kserve_fixtures"] = fixtures
_spec.loader.exec_module(fixtures)

PROTOCOLS = ("http", "grpc")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with fixtures.serving(tiny_classifier(tmp_path_factory.mktemp("served") / "tiny.onnx")) as running:
        yield running


class OnServer:
    """The engine with the server's address in every options, as a user gives it."""

    name, title, formats = BACKEND.name, BACKEND.title, BACKEND.formats

    def __init__(self, extra: dict[str, str]) -> None:
        self.extra = extra

    def capabilities(self) -> Capabilities:
        return BACKEND.capabilities()

    def check_options(self, options: BackendOptions) -> None:
        BACKEND.check_options(replace(options, extra={**self.extra, **options.extra}))

    def open(self, model: Path, options: BackendOptions) -> Session:
        extra = {**self.extra, "model": "tiny" if model == Path("tiny") else model.stem, **options.extra}
        return BACKEND.open(NO_FILE, replace(options, extra=extra))


class _Contract(BackendContract):
    extra: dict[str, str]

    @pytest.fixture(autouse=True)
    def _started(self, server: Any) -> None:
        self.extra = self.options(server)

    def options(self, server: Any) -> dict[str, str]:
        raise NotImplementedError

    def backend(self) -> Any:
        return OnServer(self.extra)

    def model(self, folder: Path) -> Path:
        return Path("tiny")

    def test_what_is_no_model_is_refused(self, tmp_path: Path) -> None:
        error = refusal(InvalidInputError, self.backend().open, Path("silent"), BackendOptions())
        assert "does not say which inputs" in error.what
        assert "silent" in str(error)


class TestOverHttp(_Contract):
    def options(self, server: Any) -> dict[str, str]:
        return dict(server.extra())


class TestOverGrpc(_Contract):
    def options(self, server: Any) -> dict[str, str]:
        return dict(server.extra(protocol="grpc"))


def images(count: int) -> np.ndarray:
    return np.random.default_rng(count).standard_normal((count, *TINY_SHAPE)).astype(np.float32)


def opened(server: Any, model: str, protocol: str, **more: str) -> Session:
    return BACKEND.open(NO_FILE, BackendOptions(extra=server.extra(model, protocol, **more)))


@pytest.mark.parametrize(("protocol", "more"), [("http", {"binary": "off"}), ("grpc", {"version": "1"})])
def test_tensors_as_numbers_say_the_same_as_bytes(server: Any, protocol: str, more: dict[str, str]) -> None:
    """JSON over HTTP; typed contents over gRPC, which this server gives for a version that is named."""
    session = opened(server, "tiny", protocol, **more)
    stream = session.stream()
    for count in (1, 3):
        assert np.allclose(stream.run((images(count),))[0], tiny_logits(images(count)), atol=1e-4)
    session.close()


def test_it_reads_models_on_servers_only() -> None:
    assert BACKEND.formats == (ModelFormat.REMOTE,)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_session_tells_where_the_model_is_and_how_it_is_reached(server: Any, protocol: str) -> None:
    session = opened(server, "tiny", protocol, version="1")
    facts = session.describe()
    assert facts["address"] == getattr(server, protocol)
    assert (facts["server"], facts["version"], facts["model_version"]) == ("small", "1.0", "1")
    assert "as bytes" in facts["transfer"]
    session.close()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_model_that_is_not_there_or_not_ready_is_told(server: Any, protocol: str) -> None:
    for model, word in (("nothing", "not there"), ("unready", "not ready")):
        with pytest.raises(NotFoundError, match=word):
            opened(server, model, protocol)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_server_that_is_down_is_told_before_anything_is_fetched(protocol: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        extra = {"address": f"{protocol}://127.0.0.1:{taken.getsockname()[1]}", "model": "m", "timeout": "3"}
        with pytest.raises(NotFoundError, match="no server answers") as caught:
            BACKEND.check_options(BackendOptions(extra=extra))
    assert caught.value.where == extra["address"]
    assert "--backend-option address=" in (caught.value.hint or "")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_something_else_that_listens_is_no_server(protocol: str) -> None:
    def answer(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        thread = threading.Thread(target=answer, args=(listening,), daemon=True)
        thread.start()
        extra = {"address": f"{protocol}://127.0.0.1:{listening.getsockname()[1]}", "model": "m", "timeout": "2"}
        with pytest.raises((InvalidInputError, NotFoundError)):
            BACKEND.open(NO_FILE, BackendOptions(extra=extra))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("slow", "did not answer within 1 s"),
        ("wide", "not what its metadata says"),
        ("missing", "lacks output 'logits'"),
        ("error", "out of memory on the device|server answers INTERNAL"),
        ("drop", "connection to the server broke"),
    ],
)
def test_a_server_that_goes_wrong_is_never_answered_for(server: Any, protocol: str, model: str, message: str) -> None:
    session = opened(server, model, protocol, timeout="1")
    stream, asked = session.stream(), images(2)
    with pytest.raises(RunFailedError, match=message) as caught:
        # The server is right a few times, and other tests may have used those up.
        for _ in range(6):
            assert np.allclose(stream.run((asked,))[0], tiny_logits(asked), atol=1e-4)
    assert str(caught.value)
    session.close()


@pytest.mark.parametrize(("model", "message"), [("garbage", "holds no outputs"), ("dripping", "did not answer within")])
def test_an_answer_over_http_has_to_come_whole_and_in_time(server: Any, model: str, message: str) -> None:
    session = opened(server, model, "http", timeout="1")
    stream = session.stream()
    started = time.monotonic()
    with pytest.raises(RunFailedError, match=message):
        for _ in range(6):
            stream.run((images(1),))
    assert time.monotonic() - started < 4
    session.close()


def test_inputs_that_the_model_does_not_take_are_not_sent(server: Any) -> None:
    session = opened(server, "tiny", "http")
    stream = session.stream()
    for wrong in ((), (images(1), images(1)), (images(1).astype(np.float64),), (images(1)[:, :2],)):
        with pytest.raises(InvalidInputError, match="does not take these inputs"):
            stream.run(wrong)
    session.close()


def test_the_server_decides_on_the_format(server: Any) -> None:
    for precision in (Precision.BF16, Precision.FP16, Precision.INT8):
        with pytest.raises(UsageError, match="server decides"):
            BACKEND.open(NO_FILE, BackendOptions(precision=precision, extra=server.extra()))


# ---- whole runs


RECIPE = {"resize": {"short_side": 9}, "crop": 8, "output": {"kind": "logits", "top": 1}}


@pytest.fixture
def spec(tmp_path: Path, pictures: Path) -> RunSpec:
    (tmp_path / "run").mkdir()
    return RunSpec(
        scenario=Scenario.OFFLINE, mode=Mode.ACCURACY, task="image-classification", recipe=RECIPE, model=NO_FILE,
        backend="kserve", options=BackendOptions(), dataset=pictures, cache=tmp_path / "cache", batch_size=4,
        conf_model="resnet50", user_conf="", attributes={"min_query_count": 1, "min_duration_ms": 0},
    )  # fmt: skip


def with_server(spec: RunSpec, extra: dict[str, str], streams: int = 1) -> RunSpec:
    return replace(spec, options=BackendOptions(streams=streams, extra=extra))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_run_on_a_server_is_finished(server: Any, spec: RunSpec, tmp_path: Path, protocol: str) -> None:
    outcome = execute(
        with_server(spec, server.extra(protocol=protocol), streams=2), tmp_path / "run", label="x", progress=SILENT
    )
    assert outcome.ending is Ending.FINISHED, outcome.failure
    assert outcome.backend["engine"] == "kserve"
    assert (tmp_path / "run" / "mlperf_log_accuracy.json").stat().st_size > 100


@pytest.mark.parametrize(("protocol", "model"), [("http", "short"), ("http", "drop"), ("grpc", "die")])
def test_a_server_that_breaks_in_the_middle_fails_the_run_with_the_count(
    spec: RunSpec, tmp_path: Path, protocol: str, model: str
) -> None:
    """It is right for three requests, which is the warm-up; then too few rows come, the connection is dropped, or the server is killed."""
    with fixtures.serving(tiny_classifier(tmp_path / "tiny.onnx")) as own:
        outcome = execute(
            with_server(spec, own.extra(model, protocol, timeout="5")), tmp_path / "run", label="x", progress=SILENT
        )
    assert outcome.ending is Ending.FAILED
    assert outcome.failure is not None
    error: AssayError = outcome.failure.error()
    assert isinstance(error, RunFailedError)
    assert "1 query failed (6 samples not answered)" in error.what, error.what
    assert (outcome.failed_queries, outcome.failed_samples) == (1, 6)


def test_a_model_that_does_not_fit_the_task_is_refused(server: Any, spec: RunSpec, tmp_path: Path) -> None:
    wrong = replace(spec, recipe={**RECIPE, "crop": 9})
    outcome = execute(with_server(wrong, server.extra()), tmp_path / "run", label="x", progress=SILENT)
    assert outcome.failure is not None
    assert isinstance(outcome.failure.error(), InvalidInputError)
