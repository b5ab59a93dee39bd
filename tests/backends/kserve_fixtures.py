"""The small KServe server, started once for a module's tests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

SERVER = Path(__file__).parent / "kserve_server.py"


@dataclass(frozen=True)
class Running:
    """A server that listens."""

    http: str
    grpc: str
    process: subprocess.Popen[str]

    def extra(self, model: str = "tiny", protocol: str = "http", **more: str) -> dict[str, str]:
        return {"address": getattr(self, protocol), "model": model, **more}


@contextmanager
def serving(model: Path) -> Iterator[Running]:
    pytest.importorskip("tritonclient.grpc", reason="the server needs the extra remote")
    process = subprocess.Popen(
        [sys.executable, str(SERVER), str(model)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        ports = process.stdout.readline().split()
        assert len(ports) == 2, "the server did not start"
        yield Running(f"http://127.0.0.1:{ports[0]}", f"grpc://127.0.0.1:{ports[1]}", process)
    finally:
        process.kill()
        process.communicate()
