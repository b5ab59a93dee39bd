"""A KServe v2 server in a process of its own: ONNX Runtime behind HTTP (uvicorn) and gRPC (the protocol's own stubs).

``python kserve_server.py MODEL.onnx`` prints ``HTTP_PORT GRPC_PORT`` when it listens and runs until its standard input
ends. Beside the model, named ``tiny``, it has some that misbehave; each is right for its first ``GOOD`` requests.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent import futures
from typing import Any

import grpc
import numpy as np
import onnxruntime
import uvicorn
from tritonclient.grpc import service_pb2 as pb
from tritonclient.grpc import service_pb2_grpc as stubs

GOOD = 3
LENGTH = b"inference-header-content-length"
FAULTS = ("slow", "short", "wide", "drop", "error", "die", "garbage", "dripping", "missing")


class Model:
    def __init__(self, path: str) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0]
        self.output = self.session.get_outputs()[0]
        self.seen: Counter[str] = Counter()
        self.lock = threading.Lock()

    def metadata(self, name: str) -> dict[str, Any]:
        def one(item: Any) -> dict[str, Any]:
            shape = [size if isinstance(size, int) else -1 for size in item.shape]
            return {"name": item.name, "datatype": "FP32", "shape": shape}

        inputs = [] if name == "silent" else [one(self.input)]
        return {"name": name, "versions": ["1"], "platform": "onnx", "inputs": inputs, "outputs": [one(self.output)]}

    def known(self, name: str, version: str = "") -> bool:
        return name in ("tiny", "silent", "unready", *FAULTS) and version in ("", "1")

    def fault(self, name: str) -> str:
        """What goes wrong with this request; nothing for the first few."""
        with self.lock:
            self.seen[name] += 1
            late = self.seen[name] > GOOD
        return name if name in FAULTS and late else ""

    def infer(self, images: np.ndarray, fault: str) -> np.ndarray:
        answer: np.ndarray = self.session.run(None, {self.input.name: images})[0]
        if fault == "slow":
            time.sleep(3)
        if fault == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if fault == "short":
            return answer[:-1]
        return answer[:, :4] if fault == "wide" else answer


class Web:
    """The protocol over HTTP, as a bare ASGI application."""

    def __init__(self, model: Model) -> None:
        self.model = model

    async def __call__(self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Any) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {key.lower(): value for key, value in scope["headers"]}
        parts = scope["path"].strip("/").split("/")
        if parts == ["v2"]:
            facts = {"name": "small", "version": "1.0", "extensions": ["binary_tensor_data"]}
            await reply(send, 200, json.dumps(facts).encode())
            return
        name, rest = (parts[2], parts[3:]) if parts[:2] == ["v2", "models"] and len(parts) > 2 else ("", [])
        version, rest = (rest[1], rest[2:]) if rest[:1] == ["versions"] and len(rest) > 1 else ("", rest)
        if not self.model.known(name, version):
            await reply(send, 404, json.dumps({"error": f"unknown model: {name} {version}".strip()}).encode())
        elif rest == ["ready"]:
            await reply(send, 400 if name == "unready" else 200, b"")
        elif rest == ["infer"]:
            await self.infer(name, body, headers, send)
        else:
            await reply(send, 200, json.dumps(self.model.metadata(name)).encode())

    async def infer(self, name: str, body: bytes, headers: dict[bytes, bytes], send: Any) -> None:
        length = int(headers.get(LENGTH, len(body)))
        asked = json.loads(body[:length])
        tensor = asked["inputs"][0]
        if "data" in tensor:
            images = np.array(tensor["data"], np.float32)
        else:
            images = np.frombuffer(body[length:][: tensor["parameters"]["binary_data_size"]], np.float32)
        fault = self.model.fault(name)
        answer = await asyncio.to_thread(self.model.infer, images.reshape(tensor["shape"]), fault)
        output: dict[str, Any] = {"name": self.model.output.name, "datatype": "FP32", "shape": list(answer.shape)}
        raw = answer.tobytes()
        wanted = asked["outputs"][0]["parameters"]["binary_data"]
        if wanted:
            output["parameters"] = {"binary_data_size": len(raw)}
        else:
            output["data"], raw = answer.ravel().tolist(), b""
        outputs = [] if fault == "missing" else [output]
        header = b"}{" if fault == "garbage" else json.dumps({"model_name": name, "outputs": outputs}).encode()
        if fault == "error":
            await reply(send, 500, json.dumps({"error": "out of memory on the device"}).encode())
            return
        pieces = [header, raw]
        extra = [(LENGTH, str(len(header)).encode())] if wanted else []
        await reply(send, 200, b"".join(pieces), extra, fault=fault)


async def reply(
    send: Any, status: int, content: bytes, extra: list[tuple[bytes, bytes]] | None = None, *, fault: str = ""
) -> None:
    headers = [(b"content-length", str(len(content)).encode()), *(extra or [])]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    if fault == "drop":
        await send({"type": "http.response.body", "body": content[: len(content) // 2], "more_body": True})
        raise ConnectionResetError("dropped on purpose")
    if fault == "dripping":
        for place in range(len(content) - 1):
            await send({"type": "http.response.body", "body": content[place : place + 1], "more_body": True})
            await asyncio.sleep(0.05)
        return
    await send({"type": "http.response.body", "body": content})


class Service(stubs.GRPCInferenceServiceServicer):
    """The protocol over gRPC."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def ServerMetadata(self, request: Any, context: Any) -> Any:
        return pb.ServerMetadataResponse(name="small", version="1.0")

    def ModelMetadata(self, request: Any, context: Any) -> Any:
        if not self.model.known(request.name, request.version):
            context.abort(grpc.StatusCode.NOT_FOUND, f"unknown model: {request.name}")
        facts = self.model.metadata(request.name)
        answer = pb.ModelMetadataResponse(name=request.name, versions=facts["versions"], platform=facts["platform"])
        for kind in ("inputs", "outputs"):
            for item in facts[kind]:
                getattr(answer, kind).add(name=item["name"], datatype=item["datatype"], shape=item["shape"])
        return answer

    def ModelReady(self, request: Any, context: Any) -> Any:
        return pb.ModelReadyResponse(ready=request.name != "unready")

    def ModelInfer(self, request: Any, context: Any) -> Any:
        fault = self.model.fault(request.model_name)
        images = np.frombuffer(request.raw_input_contents[0], np.float32).reshape(request.inputs[0].shape)
        answer = self.model.infer(images, fault)
        if fault in ("drop", "error", "garbage", "dripping"):
            code = grpc.StatusCode.UNAVAILABLE if fault == "drop" else grpc.StatusCode.INTERNAL
            context.abort(code, "out of memory on the device")
        response = pb.ModelInferResponse(model_name=request.model_name)
        if fault != "missing":
            output = response.outputs.add(name=self.model.output.name, datatype="FP32", shape=answer.shape)
            if request.parameters["typed"].bool_param or request.model_version == "1":
                output.contents.fp32_contents.extend(answer.ravel().tolist())
            else:
                response.raw_output_contents.append(answer.tobytes())
        return response


def main() -> None:
    model = Model(sys.argv[1])
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = grpc.server(futures.ThreadPoolExecutor(4), options=[("grpc.max_receive_message_length", -1)])
    stubs.add_GRPCInferenceServiceServicer_to_server(Service(model), server)
    grpc_port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    web = uvicorn.Server(uvicorn.Config(Web(model), log_level="critical", lifespan="off"))
    threading.Thread(target=web.run, kwargs={"sockets": [listening]}, daemon=True).start()
    while not web.started:
        time.sleep(0.01)
    sys.stdout.write(f"{listening.getsockname()[1]} {grpc_port}\n")
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
