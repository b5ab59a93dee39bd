"""npm tarballs: by the user's npm where there is one, else from the user's registry over HTTPS; no code of it is run."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from assay.assets.https import download
from assay.assets.manifest import PackageSource
from assay.base.progress import Progress
from assay.base.settings import npm_configuration
from assay.errors import NotFoundError

_DEFAULT = "https://registry.npmjs.org"
_MAX_CONFIGURATION = 1 << 20
_MAX_TARBALL = 2 << 30


def download_tarball(source: PackageSource, scratch: Path, *, progress: Progress) -> Path:
    """Download a package's tarball into an empty folder.

    Raises:
        NotFoundError: when the registry does not give it.
    """
    npm = shutil.which("npm")
    return _pack(npm, source, scratch) if npm else _get(source, scratch, progress)


def registry_for(package: str, configured: str | None, text: str) -> str:
    """The registry of a package: of its scope, else the environment's, else the user's, else npm's own.

    Args:
        package: name, with its scope.
        configured: what the environment names.
        text: of the user's ``.npmrc``, lines ``key = value``.
    """
    lines = [line.partition("=") for line in text.splitlines() if not line.lstrip().startswith(("#", ";"))]
    values = {key.strip(): value.strip().strip("\"'") for key, _, value in lines}
    scope = values.get(f"{package.partition('/')[0]}:registry") if package.startswith("@") else None
    found = scope or configured or values.get("registry") or _DEFAULT
    # A value may name a variable of the environment (${X}), which is npm's own business.
    return (found if found.startswith(("https://", "http://")) else _DEFAULT).rstrip("/")


def _pack(npm: str, source: PackageSource, scratch: Path) -> Path:
    spec = f"{source.package}@{source.version}"
    command = [npm, "pack", "--silent", "--ignore-scripts", "--cache", str(scratch / "cache"), spec]
    # In the scratch folder no project's own configuration is read.
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=scratch)
    tarballs = sorted(scratch.glob("*.tgz"))
    if done.returncode != 0 or len(tarballs) != 1:
        # --silent hides the reason from stderr, not from the log.
        logs = sorted((scratch / "cache" / "_logs").glob("*.log"))
        lines = logs[-1].read_text(encoding="utf-8", errors="replace").splitlines() if logs else []
        errors = [line.partition(" error ")[2] for line in lines if " error " in line]
        raise NotFoundError(
            f"npm cannot download {spec}",
            found="; ".join(errors)[:400] or done.stderr[-400:] or None,
            hint=f"check your npm configuration: npm config list, npm view {spec}",
        )
    return tarballs[0]


def _get(source: PackageSource, scratch: Path, progress: Progress) -> Path:
    configured, file = npm_configuration()
    registry = registry_for(source.package, configured, _text(file))
    base = source.package.rpartition("/")[2]
    target = scratch / "package.tgz"
    url = f"{registry}/{source.package}/-/{base}-{source.version}.tgz"
    try:
        download((url,), target, size=0, limit=_MAX_TARBALL, progress=progress, label=f"download {source.package}")
    except NotFoundError as error:
        raise NotFoundError(
            f"the npm registry does not give {source.package} {source.version}",
            found=error.found,
            hint="check the network and proxies; a registry that asks for a login is reached with npm itself",
        ) from error
    return target


def _text(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return stream.read(_MAX_CONFIGURATION).decode("utf-8", "replace")
    except OSError:
        return ""
