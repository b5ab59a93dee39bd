"""KServe v2 (Open Inference Protocol): a model on a server, driven over HTTP or gRPC.

Triton, OpenVINO Model Server, KServe, MLServer and others speak it. The server has the model; its inputs and outputs
are read from it and checked like those of any other. Each stream is a connection of its own, with one request at a time
in it. A request that fails is never tried again and never answered with something else: the run ends as failed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

from assay import __version__
from assay.backends.batches import check_batch
from assay.backends.kserve_grpc import GrpcConnection, load_stubs
from assay.backends.kserve_http import HttpConnection
from assay.backends.kserve_options import OPTIONS, Remote, read_remote
from assay.backends.kserve_tensors import check_inputs, in_order, printable, read_specs
from assay.backends.protocol import NO_FILE, BackendOptions, Capabilities, ModelFormat, Precision
from assay.base.tensors import Array, TensorSpec
from assay.errors import MissingDependencyError, NotFoundError, UsageError


class Connection(Protocol):
    """A way to the server, used by one thread at a time."""

    @property
    def transfer(self) -> str:
        """How tensors go over the network, for people."""

    def server(self) -> tuple[str, str]:
        """Name and version of the server."""

    def metadata(self) -> Mapping[str, Any]:
        """What the server says of the model."""

    def ready(self) -> bool:
        """Whether the model can be asked now."""

    def expect(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> None:
        """Be told what the model takes and gives."""

    def infer(self, arrays: Sequence[Array]) -> dict[str, Array]:
        """Run the model once; outputs by name."""

    def close(self) -> None:
        """Close the connection."""


class KServeStream:
    """One worker's connection."""

    def __init__(self, connection: Connection, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> None:
        self._connection = connection
        self._inputs = inputs
        self._outputs = outputs

    def run(self, inputs: Sequence[Array]) -> Sequence[Array]:
        """Run one batch on the server.

        Raises:
            InvalidInputError: when the arrays are not what the model takes.
            RunFailedError: when the server is gone, late, or answers with something else than the outputs.
        """
        check_inputs(inputs, self._inputs)
        return in_order(self._connection.infer(inputs), self._outputs)


class KServeSession:
    """A model on a server."""

    fixed_batches = False

    def __init__(self, remote: Remote, options: BackendOptions) -> None:
        self._remote = remote
        self._options = options
        self._connections: list[Connection] = []
        connection = _connect(remote)
        try:
            self._server, said = connection.server(), connection.metadata()
            if not connection.ready():
                raise NotFoundError(
                    f"the model {remote.shown} is not ready on the server",
                    where=remote.address,
                    hint="load it on the server, or wait until it has",
                )
            where = f"{remote.address} model {remote.shown}"
            self.inputs = read_specs(said.get("inputs"), where, "inputs")
            self.outputs = read_specs(said.get("outputs"), where, "outputs")
            self._platform = printable(str(said.get("platform") or "unknown"), 60)
            self._transfer = connection.transfer
        except BaseException:
            connection.close()
            raise
        self._spare: Connection | None = connection
        self._connections.append(connection)

    def prepare(self, batch_sizes: Sequence[int]) -> None:
        """Check that the model takes these batch sizes.

        Raises:
            InvalidInputError: when the model takes another batch size only.
        """
        for size in batch_sizes:
            check_batch(self.inputs, size)

    def stream(self) -> KServeStream:
        """A new connection; the first is the one that the model was asked about on."""
        if not self._connections:
            raise UsageError("the session is closed")
        connection, self._spare = self._spare, None
        if connection is None:
            connection = _connect(self._remote)
            # Each connection learns from the server by itself how tensors are sent.
            connection.server()
            self._connections.append(connection)
        connection.expect(self.inputs, self.outputs)
        return KServeStream(connection, self.inputs, self.outputs)

    def describe(self) -> dict[str, str]:
        """What it is; the format that the server computes in is not known here."""
        name, version = self._server
        remote = self._remote
        return {
            "engine": "kserve",
            "version": version,
            "server": name,
            "platform": self._platform,
            "address": remote.address,
            "model": remote.model,
            "model_version": remote.version or "the server's choice",
            "transfer": self._transfer,
            "device": "the server's",
            "precision": "the server's",
            "streams": str(self._options.streams),
            **{f"option {key}": value for key, value in sorted(self._options.extra.items())},
        }

    def close(self) -> None:
        """Close all connections."""
        while self._connections:
            self._connections.pop().close()
        self._spare = None


class KServeBackend:
    """A KServe v2 server."""

    name = "kserve"
    title = "KServe v2 server"
    formats = (ModelFormat.REMOTE,)

    def capabilities(self) -> Capabilities:
        """What the client does; what the server does is only known when it is asked."""
        notes = ["drives a model on a server: the server decides on device and number format"]
        try:
            load_stubs()
            version = metadata.version("tritonclient")
        except (MissingDependencyError, metadata.PackageNotFoundError) as error:
            version = __version__
            notes.append(f"http only: {error}")
        return Capabilities(version, ("network",), (Precision.FP32,), tuple(notes), OPTIONS)

    def check_options(self, options: BackendOptions) -> None:
        """Check the options, and that the server has the model: nothing should be fetched for a server that is down.

        Raises:
            UsageError: for an option that does not exist, is missing, or has no such value.
            NotFoundError: when no server answers, or it does not have the model.
            InvalidInputError: when what answers is no KServe v2 server.
        """
        self.open(NO_FILE, options).close()

    def open(self, model: Path, options: BackendOptions) -> KServeSession:
        """Ask the server about the model.

        Raises:
            UsageError: for an option that does not exist, is missing, or has no such value.
            NotFoundError: when no server answers, or it does not have the model.
            InvalidInputError: when the server does not say what goes in and out, or is no KServe v2 server.
            MissingDependencyError: for gRPC without its library.
        """
        del model
        if options.precision is not Precision.FP32:
            raise UsageError(
                f"the server decides which format the model is computed in, not {options.precision.value} here",
                hint="leave --precision out, and load the model on the server in the format you want",
            )
        return KServeSession(read_remote(options.extra), options)


def _connect(remote: Remote) -> Connection:
    return GrpcConnection(remote) if remote.protocol == "grpc" else HttpConnection(remote)


BACKEND = KServeBackend()
