"""Debian packages: by apt where it is, else from the pool over HTTPS; nothing is installed and nobody has to be root.

What comes out of them is checked against the asset's own checksum, whichever way they came.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from assay.assets.https import download
from assay.assets.manifest import PackageSource
from assay.base.progress import Progress
from assay.base.settings import child_environment
from assay.errors import NotFoundError

# Releases that are no longer supported move from the first to the second.
_MIRRORS = ("https://deb.debian.org/debian/", "https://archive.debian.org/debian/")
_MAX_PACKAGE = 2 << 30


def download_deb(source: PackageSource, scratch: Path, *, progress: Progress) -> Path:
    """Download a Debian package into an empty folder.

    Raises:
        NotFoundError: when neither apt nor a mirror gives it, with each one's reason.
    """
    apt = shutil.which("apt-get")
    reason = None
    if apt:
        command = [apt, "download", f"{source.package}={source.version}"]
        environment = child_environment(LC_ALL="C")
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=scratch, env=environment)
        packages = sorted(scratch.glob("*.deb"))
        if done.returncode == 0 and len(packages) == 1:
            return packages[0]
        # Another release than Debian's of that version, or no lists yet: apt does not know it, the pool does.
        reason = "; ".join(line for line in done.stderr.splitlines() if line.startswith("E:"))[:300] or "nothing"
    target = scratch / "package.deb"
    urls = tuple(mirror + source.pool for mirror in _MIRRORS)
    try:
        download(urls, target, size=0, limit=_MAX_PACKAGE, progress=progress, label=f"download {source.package}")
    except NotFoundError as error:
        raise NotFoundError(
            f"the Debian package {source.package} {source.version} cannot be downloaded",
            found="; ".join(part for part in (f"apt says {reason}" if reason else None, error.found) if part),
            hint="check the network and proxies, or on Debian: apt-get update",
        ) from error
    return target
