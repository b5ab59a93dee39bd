"""A program in a container: the words that make podman or docker run it, with what it reads mounted at the same paths.

Everything is mounted where it lies, so that the words of a manifest mean the same inside. What the program only reads is
mounted read-only; it can write to its output, and to its own folder where its manifest says so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from assay.base.files import sha256_bytes
from assay.errors import MissingDependencyError, UsageError
from assay.harness.external.command import Chosen, Invocation
from assay.harness.external.model import Container, Implementation

ENGINES = ("podman", "docker")
Engine = Literal["auto", "podman", "docker", "none"]
_ASK_S = 20.0
_NOT_IN_A_MOUNT = ',"\n'
"""Characters that the words of a mount cannot hold: it is a line of comma-separated values."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """What runs containers here.

    Attributes:
        name: podman or docker.
        program: its path.
        offline: whether an image that is not here may not be fetched.
    """

    name: str
    program: str
    offline: bool = False


def find_runtime(of: Implementation, asked: str, *, offline: bool = False) -> Runtime | None:
    """What will run a program's container; None for a program that runs on this machine itself.

    Args:
        of: the program.
        asked: podman, docker, none (to run it without its container) or auto, the first that is here.
        offline: whether an image that is not here may not be fetched.

    Raises:
        UsageError: when a runtime is asked for and the program has no container.
        MissingDependencyError: when there is none.
    """
    if of.container is None:
        if asked in ENGINES:
            raise UsageError(f"{of.name} names no container", hint="leave out --container")
        return None
    if asked == "none":
        return None
    for name in ENGINES if asked == "auto" else (asked,):
        if (program := shutil.which(name)) is not None:
            return Runtime(name, program, offline)
    absent = "neither podman nor docker is here" if asked == "auto" else f"{asked} is not here"
    raise MissingDependencyError(
        f"{of.name} runs in a container ({of.container.image}), and {absent}",
        hint="install podman or docker; --container none runs the program on this machine itself, with what it needs",
    )


def contained(
    invocation: Invocation, chosen: Chosen, runtime: Runtime, values: Mapping[str, str], *, building: bool = False
) -> Invocation:
    """The same run inside the container of its manifest.

    Args:
        invocation: the run on this machine.
        chosen: the program.
        runtime: runs the container.
        values: word of every placeholder; those that are paths of things that are here can be read inside.
        building: whether the program is made ready, and so may write to its own folder.

    Raises:
        UsageError: for a path that cannot be mounted.
    """
    container = chosen.implementation.container
    assert container is not None
    # A folder is written to by one run, so it names the container.
    name = f"assay-{sha256_bytes(os.fsencode(invocation.output))[:16]}"
    writable = [invocation.output, *([chosen.root] if container.writable or building else [])]
    words = [runtime.program, "run", "--rm", "--name", name, *_guards(container, runtime, building=building)]
    for path in writable:
        words += ["--mount", _mount(path, writable=True)]
    for path in _read(chosen, values, writable):
        words += ["--mount", _mount(path, writable=False)]
    # A user id that the image does not know has no home that it can write to.
    always = {"PYTHONUNBUFFERED": "1", "HOME": str(invocation.output)}
    for variable, value in {**always, **invocation.environment}.items():
        words += ["--env", f"{variable}={value}"]
    words += ["--workdir", str(invocation.folder)]
    words += [chosen.filled(word, values) for word in container.options]
    return replace(
        invocation,
        command=(*words, container.image, *invocation.command),
        # Those of the container are in its words; podman itself needs none of them.
        environment={},
        afterwards=(runtime.program, "kill", name),
    )


def image_id(container: Container, runtime: Runtime) -> str:
    """What an image is, whatever its name means tomorrow; empty when the runtime does not say."""
    words = [runtime.program, "image", "inspect", "--format", "{{.Id}}", container.image]
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_ASK_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return ""
    return done.stdout.strip()[:128] if done.returncode == 0 else ""


def _guards(container: Container, runtime: Runtime, *, building: bool) -> list[str]:
    """What keeps the program from this machine, and its files the user's own; only a build fetches what it wants."""
    words = ["--pull", "never" if runtime.offline else "missing"]
    words += [] if container.network or building else ["--network", "none"]
    # Files are mounted as they are and not relabelled, which would change them for others.
    words += ["--security-opt", "no-new-privileges", "--security-opt", "label=disable"]
    if runtime.name == "docker":
        return [*words, "--user", f"{os.getuid()}:{os.getgid()}"]
    # Root has no user namespace to keep its id in.
    return [*words, "--userns", "keep-id"] if os.getuid() else words


def _read(chosen: Chosen, values: Mapping[str, str], writable: Iterable[Path]) -> list[Path]:
    """The paths that the program reads: its folder, what it is given, and the files that its manifest needs."""
    known = {"folder": str(chosen.root), **chosen.words, **values}
    # The program itself is the container's: one of this machine would hide it.
    program = chosen.filled(chosen.implementation.command[0], values)
    given = [Path(word) for word in known.values() if Path(word).is_absolute() and word != program]
    needed = [chosen.folder / chosen.filled(path, values) for path in chosen.implementation.needs.files]
    found: list[Path] = []
    # The shortest first: what lies below a path that is mounted already comes with it.
    for path in sorted({*given, *needed}, key=lambda each: len(each.parts)):
        covered = any(path == other or other in path.parents for other in (*found, *writable))
        if path.exists() and not covered and len(path.parts) > 1:
            found.append(path)
    return found


def _mount(path: Path, *, writable: bool) -> str:
    text = str(path)
    if any(character in text for character in _NOT_IN_A_MOUNT):
        raise UsageError("a path with a comma or a quote cannot be mounted into a container", found=text)
    return f"type=bind,source={text},target={text}" + ("" if writable else ",readonly")
