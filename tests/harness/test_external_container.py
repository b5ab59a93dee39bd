"""A program in a container: the words that podman and docker get, and a podman that notes them."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from assay.base.progress import SILENT
from assay.errors import MissingDependencyError, RunFailedError, UsageError
from assay.harness.external.build import build_program
from assay.harness.external.command import Chosen, Invocation, choose
from assay.harness.external.container import Runtime, contained, find_runtime, image_id
from assay.harness.external.forms import read_implementation
from assay.harness.external.needs import require
from assay.harness.external.process import run_program

from .test_external_forms import write

FAKE = Path(__file__).parents[1] / "programs" / "fake_podman.py"
PODMAN, DOCKER = Runtime("podman", "/usr/bin/podman"), Runtime("docker", "/usr/bin/docker", offline=True)


@pytest.fixture
def podman(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A podman in PATH; the file in which it notes how it was called."""
    place = tmp_path / "bin"
    place.mkdir()
    (place / "podman").write_text(f"#!{sys.executable}\n" + FAKE.read_text())
    (place / "podman").chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}{os.pathsep}{os.environ['PATH']}")
    return place / "called.jsonl"


def calls(podman: Path) -> list[list[str]]:
    return [json.loads(line) for line in podman.read_text().splitlines()]


def chosen(tmp_path: Path, **changes: object) -> Chosen:
    changes = {"container": "ghcr.io/me/it:1.2", **changes}
    return choose(read_implementation(write(tmp_path, **changes)), None, {})


def inside(of: Chosen, tmp_path: Path, runtime: Runtime = PODMAN, **values: str) -> list[str]:
    output = tmp_path / "out"
    output.mkdir(exist_ok=True)
    invocation = Invocation(("run", "x"), of.folder, {"A": "1 2"}, output, output)
    return list(contained(invocation, of, runtime, values).command)


def after(words: list[str], option: str) -> list[str]:
    return [words[number + 1] for number, word in enumerate(words) if word == option]


def test_what_is_read_is_mounted_where_it_lies_and_cannot_be_written(tmp_path: Path) -> None:
    model, data = tmp_path / "elsewhere" / "m.onnx", tmp_path / "data"
    model.parent.mkdir()
    model.touch()
    data.mkdir()
    own = tmp_path / "own"
    own.mkdir()
    words = inside(chosen(own), tmp_path, model=str(model), dataset=str(data), precision="fp32", round="v3.1")
    mounts = after(words, "--mount")
    assert f"type=bind,source={tmp_path / 'out'},target={tmp_path / 'out'}" in mounts
    for path in (model, data, own):
        assert f"type=bind,source={path},target={path},readonly" in mounts
    assert len(mounts) == 4
    assert words[-3:] == ["ghcr.io/me/it:1.2", "run", "x"]
    assert after(words, "--workdir") == [str(own)]
    assert {"A=1 2", "PYTHONUNBUFFERED=1"} <= set(after(words, "--env"))
    assert after(words, "--network") == ["none"]
    assert after(words, "--userns") == (["keep-id"] if os.getuid() else [])


def test_what_lies_below_another_comes_with_it(tmp_path: Path) -> None:
    (tmp_path / "weights").touch()
    words = inside(chosen(tmp_path, needs={"files": {"weights": "them"}}), tmp_path, model=str(tmp_path / "weights"))
    assert [each for each in after(words, "--mount") if each.endswith(",readonly")] == [
        f"type=bind,source={tmp_path},target={tmp_path},readonly"
    ]


def test_the_manifest_says_what_else_it_may(tmp_path: Path) -> None:
    told = {"image": "it", "options": ["--gpus=all", "--shm-size", "8g"], "network": True, "writable": True}
    words = inside(chosen(tmp_path, container=told), tmp_path, DOCKER)
    assert words[words.index("--gpus=all") :][:4] == ["--gpus=all", "--shm-size", "8g", "it"]
    assert "--network" not in words
    assert f"type=bind,source={tmp_path},target={tmp_path}" in after(words, "--mount")
    assert after(words, "--user") == [f"{os.getuid()}:{os.getgid()}"]
    assert after(words, "--pull") == ["never"]


def test_the_interpreter_of_this_machine_does_not_hide_that_of_the_image(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    parameters = {"python": {"help": "x", "default": sys.executable}}
    words = inside(chosen(own, command=["{python}"], parameters=parameters), tmp_path)
    assert not any(sys.executable in each for each in after(words, "--mount"))


def test_a_path_that_no_mount_can_hold_is_refused(tmp_path: Path) -> None:
    odd = tmp_path / "a,b"
    odd.mkdir()
    with pytest.raises(UsageError, match="cannot be mounted"):
        inside(chosen(odd), tmp_path)


def test_without_podman_and_docker_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    of = chosen(tmp_path).implementation
    with pytest.raises(MissingDependencyError, match=r"ghcr.io/me/it:1.2\), and neither podman nor docker is here"):
        find_runtime(of, "auto")
    with pytest.raises(MissingDependencyError, match="docker is not here"):
        find_runtime(of, "docker")
    assert find_runtime(of, "none") is None
    plain = chosen(tmp_path, container=None).implementation
    assert find_runtime(plain, "auto") is None
    with pytest.raises(UsageError, match="names no container"):
        find_runtime(plain, "podman")


def test_podman_goes_before_docker(tmp_path: Path, podman: Path) -> None:
    found = find_runtime(chosen(tmp_path).implementation, "auto", offline=True)
    assert found == Runtime("podman", str(podman.parent / "podman"), offline=True)


def test_programs_are_those_of_the_image(tmp_path: Path) -> None:
    of = chosen(tmp_path, command=["no-such-program-here"])
    require(of, inside=True)
    with pytest.raises(MissingDependencyError):
        require(of)


def test_a_container_runs_and_its_image_is_told(tmp_path: Path, podman: Path) -> None:
    of = chosen(tmp_path)
    runtime = find_runtime(of.implementation, "auto")
    assert runtime is not None
    assert of.implementation.container is not None
    output = tmp_path / "out"
    output.mkdir()
    plain = Invocation(("sh", "-c", 'echo "$A" > out/said.txt'), tmp_path, {"A": "in here"}, output, output)
    invocation = contained(plain, of, runtime, {})
    code, _ = run_program(invocation, tmp_path / "log", lambda: None)
    assert code == 0, (tmp_path / "log").read_text()
    assert (output / "said.txt").read_text() == "in here\n"
    assert image_id(of.implementation.container, runtime) == "sha256:0123"
    assert [each[0] for each in calls(podman)] == ["run", "image"]


def test_a_container_that_is_stopped_is_killed_by_its_name(tmp_path: Path, podman: Path) -> None:
    of, output = chosen(tmp_path), tmp_path / "out"
    runtime = find_runtime(of.implementation, "auto")
    assert runtime is not None
    output.mkdir()
    plain = Invocation(("sleep", "600"), tmp_path, {}, output, output, time_limit_ns=3 * 10**8)
    code, late = run_program(contained(plain, of, runtime, {}), tmp_path / "log", lambda: None)
    assert (code != 0, late) == (True, True)
    started, ended = calls(podman)
    assert ended == ["kill", *after(started, "--name")]


def test_it_is_built_in_its_container(tmp_path: Path, podman: Path) -> None:
    of = chosen(tmp_path, build=[["sh", "-c", "echo > made.txt"], ["false"]])
    runtime = find_runtime(of.implementation, "auto")
    with pytest.raises(RunFailedError, match="the build of mine left with exit status 1"):
        build_program(of, tmp_path / "builds", SILENT, runtime)
    assert (tmp_path / "made.txt").exists()
    first, *_ = calls(podman)
    assert f"type=bind,source={tmp_path},target={tmp_path}" in after(first, "--mount")
    assert "--network" not in first
