"""One HTTP connection to a KServe v2 server, tensors as bytes where the server has that extension.

Source: Open Inference Protocol (kserve/open-inference-protocol), HTTP/REST and its binary tensor data extension:
the JSON comes first, its length is in a header, the tensors follow in the order of the JSON.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from assay import __version__
from assay.backends.kserve_options import Remote
from assay.backends.kserve_tensors import (
    MOST_BYTES,
    broken,
    datatype_of,
    from_bytes,
    from_values,
    most_bytes,
    printable,
    to_bytes,
)
from assay.base.tensors import Array, TensorSpec
from assay.errors import AssayError, InvalidInputError, NotFoundError, RunFailedError

if TYPE_CHECKING:
    import httpx2

_LENGTH = "Inference-Header-Content-Length"
_BINARY = "binary_tensor_data"
_CONNECT_S = 5.0
_MOST_TEXT = 4 << 20
_JSON_FACTOR = 8
_MOST_KEPT = 64


class HttpConnection:
    """One connection; used by one thread at a time."""

    def __init__(self, remote: Remote) -> None:
        import httpx2

        self._remote = remote
        self._binary = remote.binary
        self._specs: tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]] = ((), ())
        self._headers: dict[tuple[tuple[int, ...], ...], bytes] = {}
        headers = {"User-Agent": f"assay/{__version__}", "Accept-Encoding": "identity"}
        if remote.host:
            headers["Host"] = remote.host
        # What the environment says of proxies is left aside: a proxy would be measured too.
        self._client: httpx2.Client = httpx2.Client(
            headers=headers,
            trust_env=False,
            timeout=httpx2.Timeout(remote.timeout_s, connect=min(_CONNECT_S, remote.timeout_s)),
            limits=httpx2.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=None),
        )

    def server(self) -> tuple[str, str]:
        """Name and version of the server; learns whether it takes tensors as bytes.

        Raises:
            NotFoundError: when no server answers.
            InvalidInputError: when what answers is no KServe v2 server.
        """
        facts = self._document("/v2", "a KServe v2 server")
        extensions = facts.get("extensions")
        if self._binary is None:
            self._binary = isinstance(extensions, list) and any(
                isinstance(name, str) and name.startswith(_BINARY) for name in extensions
            )
        return printable(str(facts.get("name", "unknown")), 60), printable(str(facts.get("version", "unknown")), 60)

    def metadata(self) -> Mapping[str, Any]:
        """What the server says of the model.

        Raises:
            NotFoundError: when it has no such model.
            InvalidInputError: when the answer is no metadata.
        """
        return self._document(self._remote.model_path, f"the model {self._remote.shown}")

    def ready(self) -> bool:
        """Whether the model can be asked now."""
        status, _, _ = self._request("GET", f"{self._remote.model_path}/ready", absent=NotFoundError)
        return status == 200

    def expect(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> None:
        """Be told what the model takes and gives."""
        self._specs = (inputs, outputs)

    @property
    def transfer(self) -> str:
        """How tensors go over the network, for people."""
        return "HTTP, tensors as bytes" if self._binary else "HTTP, tensors as JSON"

    def infer(self, arrays: Sequence[Array]) -> dict[str, Array]:
        """Run the model once; outputs by name.

        Raises:
            RunFailedError: when the server does not answer, or not with outputs.
        """
        outputs = self._specs[1]
        bodies = [to_bytes(array) for array in arrays] if self._binary else []
        header = self._header(tuple(array.shape for array in arrays), [len(body) for body in bodies])
        if self._binary:
            body = b"".join((header, *bodies))
            headers = {"Content-Type": "application/octet-stream", _LENGTH: str(len(header))}
        else:
            body = _as_json(json.loads(header), arrays)
            headers = {"Content-Type": "application/json"}
        limit = most_bytes(outputs, len(arrays[0]), 1 if self._binary else _JSON_FACTOR)
        path = f"{self._remote.model_path}/infer"
        status, answered, content = self._request("POST", path, body=body, headers=headers, limit=limit)
        if status != 200:
            raise broken(f"the server answers {status} to a request", found=_reason(content))
        return _outputs(content, answered.get(_LENGTH))

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _header(self, shapes: tuple[tuple[int, ...], ...], sizes: list[int]) -> bytes:
        """The request's JSON for inputs of some shapes, with the tensors as bytes behind it."""
        key = (*shapes, tuple(sizes))
        header = self._headers.get(key)
        if header is not None:
            return header
        inputs, outputs = self._specs
        parts: list[dict[str, Any]] = [
            {"name": spec.name, "shape": list(shape), "datatype": datatype_of(spec.dtype)}
            for spec, shape in zip(inputs, shapes, strict=True)
        ]
        for part, size in zip(parts, sizes, strict=False):
            part["parameters"] = {"binary_data_size": size}
        wanted = [{"name": spec.name, "parameters": {"binary_data": bool(self._binary)}} for spec in outputs]
        header = json.dumps({"inputs": parts, "outputs": wanted}).encode()
        if len(self._headers) < _MOST_KEPT:
            self._headers[key] = header
        return header

    def _document(self, path: str, what: str) -> Mapping[str, Any]:
        status, _, content = self._request("GET", path, absent=NotFoundError)
        if status in (400, 404):
            raise NotFoundError(
                f"{what} is not there", where=f"{self._remote.address}{path}", found=f"{status}: {_reason(content)}"
            )
        try:
            document = json.loads(content)
        except (ValueError, RecursionError):
            document = None
        if status != 200 or not isinstance(document, dict):
            raise InvalidInputError(
                "the server does not answer as KServe v2 does",
                where=f"{self._remote.address}{path}",
                expected="a JSON object with status 200",
                found=f"status {status}: {_reason(content)}",
            )
        return document

    def _request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        limit: int = _MOST_TEXT,
        absent: type[AssayError] = RunFailedError,
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and content of an answer that comes whole, in time, and not larger than the limit."""
        import httpx2

        remote = self._remote
        deadline = time.monotonic() + remote.timeout_s
        content, size = [], 0
        try:
            with self._client.stream(method, f"{remote.address}{path}", content=body, headers=headers) as response:
                for chunk in response.iter_raw():
                    content.append(chunk)
                    size += len(chunk)
                    if size > limit:
                        raise broken("the server's answer is too large", expected=f"at most {limit} bytes")
                    if time.monotonic() > deadline:
                        raise _late(remote, absent)
                return response.status_code, response.headers, b"".join(content)
        except httpx2.ConnectError as error:
            raise absent(
                "no server answers",
                where=remote.address,
                found=printable(str(error), 120),
                hint="start the server, or give its address: --backend-option address=http://HOST:PORT",
            ) from error
        except httpx2.TimeoutException as error:
            raise _late(remote, absent) from error
        except httpx2.HTTPError as error:
            raise absent(
                "the connection to the server broke",
                where=remote.address,
                found=printable(str(error), 120) or type(error).__name__,
                hint="look at the server's log",
            ) from error


def _late(remote: Remote, kind: type[AssayError]) -> AssayError:
    return kind(
        f"the server did not answer within {remote.timeout_s:g} s",
        where=remote.address,
        hint="give it longer: --backend-option timeout=SECONDS",
    )


def _as_json(header: dict[str, Any], arrays: Sequence[Array]) -> bytes:
    for part, array in zip(header["inputs"], arrays, strict=True):
        part["data"] = [
            item.decode(errors="replace") if isinstance(item, bytes) else item for item in array.ravel().tolist()
        ]
    return json.dumps(header).encode()


def _outputs(content: bytes, header_length: str | None) -> dict[str, Array]:
    """The outputs of an answer: from the bytes behind its JSON, or from the JSON."""
    length = len(content) if header_length is None else int(header_length) if header_length.isdecimal() else -1
    if not 0 <= length <= min(len(content), MOST_BYTES):
        raise broken(
            "the server's answer is shorter than it says", expected=str(header_length), found=str(len(content))
        )
    try:
        document = json.loads(content[:length])
        parts = list(document["outputs"])
        names = [str(part["name"]) for part in parts]
    except (ValueError, RecursionError, TypeError, KeyError) as error:
        raise broken("the server's answer holds no outputs", found=printable(repr(content[:100]))) from error
    found: dict[str, Array] = {}
    rest = memoryview(content)[length:]
    for name, part in zip(names, parts, strict=True):
        parameters = part.get("parameters")
        size = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
        if size is None:
            found[name] = from_values(part.get("data"), part.get("datatype"), part.get("shape"), name)
            continue
        if not isinstance(size, int) or not 0 <= size <= len(rest):
            raise broken(f"output {name!r} of the server is cut off", expected=f"{size} bytes", found=str(len(rest)))
        found[name] = from_bytes(rest[:size], part.get("datatype"), part.get("shape"), name)
        rest = rest[size:]
    return found


def _reason(content: bytes) -> str:
    text = content[:2000].decode(errors="replace")
    try:
        document = json.loads(content)
        text = str(document["error"]) if isinstance(document, dict) and "error" in document else text
    except (ValueError, RecursionError):
        pass
    return printable(text) or "nothing"
