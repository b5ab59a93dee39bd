"""A home on a disk that is mounted read-only, which refuses root as well."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from assay.cli.main import run

ASSAY = shlex.join([sys.executable, "-m", "assay"])
READ_ONLY = "cannot write here (read-only or no permission)"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with one run in it."""
    home = tmp_path / "home"
    monkeypatch.setenv("ASSAY_HOME", str(home))
    options = ("--backend", "null", "--duration", "1ms", "--target-qps", "10000", "--samples", "8", "--quiet")
    assert run(["run", "null-classifier", *options]) in (0, 1)
    return home


def mounted(home: Path, *commands: str) -> list[str]:
    """What each command says while the home is mounted read-only, in a mount namespace of its own."""
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("there is no unshare here")
    place = shlex.quote(str(home))
    mount = f"mount --bind {place} {place} && mount -o remount,bind,ro {place}"
    # Two ways, since not everybody is root and not every machine lets others make namespaces.
    way = next(
        (
            way
            for way in ([unshare, "--mount"], [unshare, "--map-root-user", "--mount"])
            if subprocess.run([*way, "sh", "-c", mount], capture_output=True, check=False).returncode == 0
        ),
        None,
    )
    if way is None:
        pytest.skip("nothing can be mounted here")
    said = []
    for command in commands:
        script = f"{mount} && {ASSAY} {command}"
        done = subprocess.run([*way, "sh", "-c", script], capture_output=True, text=True, timeout=120, check=False)
        said.append(f"{done.returncode}\n{done.stdout}{done.stderr}")
    return said


def test_whatever_writes_is_refused_with_the_way_out(home: Path) -> None:
    commands = (
        "run null-classifier --backend null --quick",
        "assets fetch imagenet-foolbox-20 --offline",
        "system init",
        "runs remove last --yes",
    )
    for command, said in zip(commands, mounted(home, *commands), strict=True):
        assert said.startswith("5\n"), (command, said)
        assert f"error: {home}/" in said
        assert READ_ONLY in said
        assert "try: set ASSAY_HOME to a folder you can write" in said


def test_whatever_only_reads_goes_on(home: Path, tmp_path: Path) -> None:
    (tmp_path / "tree" / "closed").mkdir(parents=True)
    runs, check, doctor = mounted(home, "runs list", f"check {tmp_path / 'tree'} --round v3.1", "doctor")
    assert runs.startswith("0\n")
    assert "null-classifier" in runs
    assert check.startswith("0\n"), check
    # A long path is broken over lines, and the words with it.
    assert "read-only" in doctor or re.search(r"cannot\b.*?\bbe written", doctor, re.DOTALL), doctor
