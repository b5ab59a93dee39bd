"""The official power client, server and checker (mlcommons/power-dev) beside ours, all against the same simulated PTDaemon.

Needs clones of mlcommons/power-dev and of mlcommons/inference with its tags (bare or not). Each client measures with each
server: official with official, ours with official, official with ours, ours with ours. The checker of round v3.1 judges
what they leave, and the files and the fields of the session records are compared with those that the two official
programs left.

    python benchmarks/power_with_official_tools.py --power-dev ~/power-dev --inference ~/inference

The official programs ask a time server on UDP port 123: without ``--ntp`` one is played on this machine, which needs
root. The analyzer settles for ten seconds four times in each measurement, so this takes about a minute and a half.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import io
import itertools
import json
import os
import re
import shutil
import socket
import stat
import struct
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REVISION = "341d3d7"
"""Of power-dev, the last before round v3.1 whose sources its checker knows."""

CHECKER = ("v3.1", "tools/submission/power", ("power_checker.py", "sources_checksums.json"))

OFFICIAL, OURS = "official", "ours"
WORK = """
import json, sys, time
from datetime import datetime, timezone
from pathlib import Path
now = lambda: datetime.now(timezone.utc).strftime("%m-%d-%Y %H:%M:%S.%f")[:-3]
time.sleep(0.2)
begin = now()
time.sleep(float(sys.argv[2]))
end = now()
time.sleep(0.2)
folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
more = {"metadata": {"is_error": False, "is_warning": False, "file": "", "line_no": 1, "pid": 1, "tid": 1}}
values = {"effective_scenario": "Offline", "generated_samples_per_query": 1000, "power_begin": begin,
          "power_end": end, "result_query_count": 1}
lines = [":::MLLOG " + json.dumps({"key": key, "value": value, "time_ms": 1.0, **more}) for key, value in values.items()]
(folder / "mlperf_log_detail.txt").write_text("\\n".join(lines) + "\\n")
(folder / "mlperf_log_summary.txt").write_text("Result is : VALID\\n")
"""


@dataclass
class Bench:
    """Where everything is.

    Attributes:
        official: the folder of the official programs.
        daemon: a program that is PTDaemon to whoever starts it.
        seconds: how long a run lasts.
    """

    folder: Path
    official: Path
    daemon: Path
    ntp: str
    seconds: float

    def measure(self, client: str, server: str) -> Path:
        """Let a client measure with a server; gives the folder they leave."""
        place = self.folder / f"{client}-{server}"
        place.mkdir()
        port, daemon_port = free_port(), free_port()
        log = (place / "server-output.txt").open("wb")
        director = subprocess.Popen(
            self._server(server, place, port, daemon_port), cwd=place, stdout=log, stderr=log, env=self._environment()
        )
        try:
            wait_for(port, director, place / "server-output.txt")
            done = subprocess.run(
                self._client(client, place, port),
                check=False,
                cwd=place,
                capture_output=True,
                text=True,
                env=self._environment(),
            )
        finally:
            director.terminate()
            director.wait()
            log.close()
        if done.returncode:
            raise SystemExit(f"{client} client with {server} server: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return place / "out"

    def _environment(self) -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if name != "MLPP_DEBUG"}

    def _server(self, kind: str, place: Path, port: int, daemon_port: int) -> list[str]:
        if kind == OURS:
            words = ["-m", "assay", "power", "director", "--ptd", str(self.daemon), "--ptd-port", str(daemon_port)]
            more = ["--device-type", "49", "--device", "simulated", "--listen", f"127.0.0.1:{port}"]
            return [sys.executable, *words, *more, "--ntp", self.ntp]
        configuration = place / "server.conf"
        configuration.write_text(
            f"[server]\nntpServer: {self.ntp}\nlisten: 127.0.0.1 {port}\n"
            f"[ptd]\nptd: {self.daemon}\nnetworkPort: {daemon_port}\ndeviceType: 49\ninterfaceFlag:\n"
            "devicePort: simulated\n"
        )
        return [sys.executable, str(self.official / "server.py"), "-c", str(configuration)]

    def _client(self, kind: str, place: Path, port: int) -> list[str]:
        logs, output = place / "logs", place / "out"
        work = [sys.executable, str(self.folder / "work.py"), str(logs), str(self.seconds)]
        if kind == OURS:
            words = [sys.executable, "-m", "assay", "power", "measure", "--director", f"127.0.0.1:{port}"]
            return [*words, "--ntp", self.ntp, "--logs", str(logs), "-o", str(output), "--", *work]
        words = [sys.executable, str(self.official / "client.py"), "-a", "127.0.0.1", "-p", str(port), "-T"]
        return [*words, "-n", self.ntp, "-L", str(logs), "-o", str(output), "-w", " ".join(work)]

    def check(self, measured: Path) -> tuple[int, list[str]]:
        """The official checker's answer, and the checks that failed."""
        script = self.folder / CHECKER[2][0]
        done = subprocess.run([sys.executable, str(script), str(measured)], check=False, capture_output=True, text=True)
        return done.returncode, re.findall(r"\[ \] (.*)", done.stdout + done.stderr)


def free_port() -> int:
    """A port that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes], output: Path) -> None:
    """Wait until somebody listens, without connecting: a connection would be a client."""
    for _ in range(300):
        if process.poll() is not None:
            raise SystemExit(f"a server ended at once:\n{output.read_text()}")
        listening = Path("/proc/net/tcp").read_text()
        if re.search(rf": [0-9A-F]{{8}}:{port:04X} [0-9A-F]{{8}}:0000 0A", listening):
            return
        time.sleep(0.1)
    raise SystemExit(f"a server does not listen:\n{output.read_text()}")


def play_time_server() -> str:
    """Answer SNTP on this machine with its own time; gives its address."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 123))

    def serve() -> None:
        while True:
            request, peer = server.recvfrom(1024)
            now = time.time() + 2_208_988_800
            stamp = struct.pack("!II", int(now), int(now % 1 * 2**32))
            server.sendto(bytes([0x24, 1, 0, 0xEC]) + bytes(20) + request[40:48] + stamp + stamp, peer)

    threading.Thread(target=serve, daemon=True).start()
    return "127.0.0.1"


def shape(value: Any, depth: int = 3) -> Any:
    """Keys and kinds of a record, without what it holds."""
    if isinstance(value, dict):
        return {key: shape(each, depth - 1) for key, each in sorted(value.items())} if depth else "object"
    if isinstance(value, list):
        return ["list", *(shape(each, depth - 1) for each in value[:1])] if depth else "list"
    return "number" if isinstance(value, int | float) else type(value).__name__


def seen(measured: Path) -> dict[str, Any]:
    """What is compared: names of files, and the shape of the session records."""
    found: dict[str, Any] = {
        "files": sorted(path.relative_to(measured).as_posix() for path in measured.rglob("*") if path.is_file())
    }
    for side in ("client", "server"):
        record = json.loads((measured / "power" / f"{side}.json").read_text())
        # Whose sources they are is no question of form.
        record["sources"] = record["modules"] = {}
        record["messages"] = [{**message, "cmd": session_free(message["cmd"])} for message in record["messages"]]
        found[side] = shape(record)
        found[f"{side} commands"] = [message["cmd"] for message in record["messages"]]
    found["daemon commands"] = [number_free(message["cmd"]) for message in record["ptd_messages"]]
    return found


def session_free(command: str) -> str:
    """A command without the session's name and the client's identifier."""
    return re.sub(r"[0-9a-f]{8}-[-0-9a-f]{27}|\d{4}(-\d\d){2}_(\d\d-){2}\d\d", "*", command)


def number_free(command: str) -> str:
    """A command to the daemon without session and ranges."""
    return re.sub(r"(?<=SR,[AV],)[0-9.]+", "#", session_free(command))


def main() -> int:
    """Measure, check, compare; exit 1 when something is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--power-dev", type=Path, required=True, help="clone of mlcommons/power-dev")
    parser.add_argument("--inference", type=Path, required=True, help="clone of mlcommons/inference, with its tags")
    parser.add_argument("--revision", default=REVISION, help=f"of power-dev (default: {REVISION})")
    parser.add_argument("--ntp", help="a time server (default: one that is played on this machine)")
    parser.add_argument("--seconds", type=float, default=6.0, help="length of a run (default: 6)")
    parser.add_argument("--keep", type=Path, help="copy what was measured here")
    arguments = parser.parse_args()
    ntp = arguments.ntp or play_time_server()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        archive = subprocess.run(
            ["git", "-C", str(arguments.power_dev), "archive", arguments.revision], check=True, capture_output=True
        )
        with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
            files.extractall(folder / "power-dev", filter="data")
        tag, where, names = CHECKER
        for file in names:
            done = subprocess.run(
                ["git", "-C", str(arguments.inference), "show", f"{tag}:{where}/{file}"],
                check=True,
                capture_output=True,
            )
            (folder / file).write_bytes(done.stdout)
        daemon = folder / "ptd"
        daemon.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m assay power simulate "$@"\n')
        daemon.chmod(daemon.stat().st_mode | stat.S_IXUSR)
        (folder / "work.py").write_text(WORK)
        bench = Bench(folder, folder / "power-dev" / "ptd_client_server", daemon, ntp, arguments.seconds)
        pairs = list(itertools.product((OFFICIAL, OURS), repeat=2))
        with concurrent.futures.ThreadPoolExecutor(len(pairs)) as pool:
            measured = dict(zip(pairs, pool.map(lambda pair: bench.measure(*pair), pairs), strict=True))
        if arguments.keep:
            for (client, server), path in measured.items():
                shutil.copytree(path, arguments.keep / f"{client}-{server}")
        return report(bench, measured)


def report(bench: Bench, measured: dict[tuple[str, str], Path]) -> int:
    """Print what the checker says and what differs; gives the exit code."""
    wrong = 0
    reference = seen(measured[OFFICIAL, OFFICIAL])
    for (client, server), path in measured.items():
        _, failed = bench.check(path)
        sources = {
            f"Check {side} sources checksum" for side, kind in (("client", client), ("server", server)) if kind == OURS
        }
        print(f"{client} client, {server} server: the official checker refuses {sorted(failed) or 'nothing'}")
        wrong += set(failed) != sources
        found = seen(path)
        for name, value in reference.items():
            if found[name] != value:
                wrong += 1
                print(f"  {name} differ:\n    official {value}\n    here     {found[name]}")
    print(f"{wrong} not as they should be (our sources are ours and refused as such; that is as it should be)")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
