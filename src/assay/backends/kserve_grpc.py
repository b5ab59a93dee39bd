"""One gRPC connection to a KServe v2 server, through the protocol's stubs as ``tritonclient`` ships them.

Source: Open Inference Protocol (kserve/open-inference-protocol), gRPC: ``ServerMetadata``, ``ModelMetadata``,
``ModelReady``, ``ModelInfer`` with raw contents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from assay.backends.kserve_options import Remote
from assay.backends.kserve_tensors import (
    MOST_BYTES,
    broken,
    datatype_of,
    from_bytes,
    from_values,
    printable,
    to_bytes,
)
from assay.base.tensors import Array, TensorSpec
from assay.errors import AssayError, InvalidInputError, MissingDependencyError, NotFoundError, RunFailedError

_CONNECT_S = 5.0
_TYPED = (
    "bool_contents",
    "int_contents",
    "int64_contents",
    "uint_contents",
    "uint64_contents",
    "fp32_contents",
    "fp64_contents",
    "bytes_contents",
)


def load_stubs() -> tuple[Any, Any, Any]:
    """The modules ``grpc``, ``service_pb2`` and ``service_pb2_grpc``.

    Raises:
        MissingDependencyError: when they are not installed.
    """
    try:
        import grpc
        from tritonclient.grpc import service_pb2, service_pb2_grpc
    except ImportError as error:
        raise MissingDependencyError(
            f"KServe over gRPC needs tritonclient: {error}",
            hint='pip install "assay[remote]", or take http: --backend-option address=http://HOST:PORT',
        ) from error
    return grpc, service_pb2, service_pb2_grpc


class GrpcConnection:
    """One connection; used by one thread at a time."""

    transfer = "gRPC, tensors as bytes"

    def __init__(self, remote: Remote) -> None:
        self._grpc, self._messages, services = load_stubs()
        self._remote = remote
        self._specs: tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]] = ((), ())
        options: list[tuple[str, int | str]] = [
            ("grpc.max_receive_message_length", MOST_BYTES),
            ("grpc.max_send_message_length", MOST_BYTES),
            # Channels to one address share a connection otherwise, and streams are to be connections.
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.enable_http_proxy", 0),
        ]
        if remote.host:
            options.append(("grpc.default_authority", remote.host))
        if remote.secure:
            self._channel = self._grpc.secure_channel(remote.netloc, self._grpc.ssl_channel_credentials(), options)
        else:
            self._channel = self._grpc.insecure_channel(remote.netloc, options)
        self._stub = services.GRPCInferenceServiceStub(self._channel)

    def server(self) -> tuple[str, str]:
        """Name and version of the server.

        Raises:
            NotFoundError: when no server answers.
            InvalidInputError: when what answers is no KServe v2 server.
        """
        answer = self._ask("ServerMetadata", self._messages.ServerMetadataRequest())
        return printable(answer.name, 60) or "unknown", printable(answer.version, 60) or "unknown"

    def metadata(self) -> Mapping[str, Any]:
        """What the server says of the model.

        Raises:
            NotFoundError: when it has no such model.
        """
        remote = self._remote
        request = self._messages.ModelMetadataRequest(name=remote.model, version=remote.version)
        answer = self._ask("ModelMetadata", request)
        return {
            "versions": [str(version) for version in answer.versions],
            "platform": str(answer.platform),
            **{
                kind: [
                    {"name": item.name, "datatype": item.datatype, "shape": list(item.shape)}
                    for item in getattr(answer, kind)
                ]
                for kind in ("inputs", "outputs")
            },
        }

    def ready(self) -> bool:
        """Whether the model can be asked now."""
        remote = self._remote
        request = self._messages.ModelReadyRequest(name=remote.model, version=remote.version)
        return bool(self._ask("ModelReady", request).ready)

    def expect(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> None:
        """Be told what the model takes and gives."""
        self._specs = (inputs, outputs)

    def infer(self, arrays: Sequence[Array]) -> dict[str, Array]:
        """Run the model once; outputs by name.

        Raises:
            RunFailedError: when the server does not answer, or not with outputs.
        """
        messages, remote = self._messages, self._remote
        inputs, outputs = self._specs
        request = messages.ModelInferRequest(
            model_name=remote.model,
            model_version=remote.version,
            inputs=[
                messages.ModelInferRequest.InferInputTensor(
                    name=spec.name, datatype=datatype_of(spec.dtype), shape=array.shape
                )
                for spec, array in zip(inputs, arrays, strict=True)
            ],
            outputs=[messages.ModelInferRequest.InferRequestedOutputTensor(name=spec.name) for spec in outputs],
            raw_input_contents=[bytes(to_bytes(array)) for array in arrays],
        )
        try:
            answer = self._stub.ModelInfer(request, timeout=remote.timeout_s)
        except self._grpc.RpcError as error:
            raise self._failure(error, RunFailedError) from error
        return _outputs(answer)

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()

    def _ask(self, method: str, request: Any) -> Any:
        try:
            return getattr(self._stub, method)(request, timeout=min(self._remote.timeout_s, 2 * _CONNECT_S))
        except self._grpc.RpcError as error:
            raise self._failure(error, NotFoundError) from error

    def _failure(self, error: Any, kind: type[AssayError]) -> AssayError:
        """An error of gRPC as one of ours."""
        remote, codes = self._remote, self._grpc.StatusCode
        code, said = error.code(), printable(error.details() or "")
        if code is codes.UNAVAILABLE:
            what = "no server answers" if kind is NotFoundError else "the connection to the server broke"
            hint = "start the server, or give its address: --backend-option address=grpc://HOST:PORT"
            return kind(what, where=remote.address, found=said, hint=hint)
        if code is codes.DEADLINE_EXCEEDED:
            return kind(
                f"the server did not answer within {remote.timeout_s:g} s",
                where=remote.address,
                hint="give it longer: --backend-option timeout=SECONDS",
            )
        if code is codes.UNIMPLEMENTED and kind is NotFoundError:
            return InvalidInputError("the server does not speak KServe v2 over gRPC", where=remote.address, found=said)
        if code in (codes.NOT_FOUND, codes.INVALID_ARGUMENT) and kind is NotFoundError:
            return kind(f"the model {remote.shown} is not there", where=remote.address, found=said)
        return kind(f"the server answers {code.name} to a request", where=remote.address, found=said)


def _outputs(answer: Any) -> dict[str, Array]:
    """The outputs of an answer, from raw or typed contents."""
    raw = answer.raw_output_contents
    if raw and len(raw) != len(answer.outputs):
        raise broken("the server's answer has outputs without content", expected=str(len(answer.outputs)))
    found: dict[str, Array] = {}
    for number, output in enumerate(answer.outputs):
        if raw:
            found[output.name] = from_bytes(raw[number], output.datatype, output.shape, output.name)
        else:
            values: list[Any] = next((list(v) for name in _TYPED if (v := getattr(output.contents, name))), [])
            found[output.name] = from_values(values, output.datatype, output.shape, output.name)
    return found
