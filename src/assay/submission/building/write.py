"""Write a tree whole or not at all, list the hashes of its files, and pack it; the same files give the same bytes."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import shutil
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from assay.base.files import atomic_path, machine_errors, open_regular, sha256_file, write_atomic
from assay.base.progress import Progress
from assay.errors import UsageError
from assay.submission.building.model import Piece
from assay.submission.truncate.copying import part_of

_CHUNK = 1 << 20
_FILE_MODE, _FOLDER_MODE = 0o644, 0o755


def listing_of(out: Path) -> Path:
    """Where the list of hashes stands: beside the tree, as ``sha256sum -c`` reads it."""
    return out.with_name(f"{out.name}.sha256")


def require_free(out: Path, divisions: Iterable[str], *, force: bool) -> None:
    """Refuse a place that is taken.

    Args:
        divisions: names that the root of a tree may hold; with ``force`` nothing but such a tree is replaced.

    Raises:
        UsageError: when something is there that must stay.
    """
    if not os.path.lexists(out):
        return
    if not force:
        raise UsageError("the tree is there already", where=out, hint="another --out, or --force to replace it")
    ours = out.is_dir() and not out.is_symlink() and listing_of(out).is_file()
    if not ours or not {entry.name for entry in out.iterdir()} <= {*divisions}:
        raise UsageError(
            "this is no tree that was built here, so it is not replaced", where=out, hint="name another --out"
        )


@contextlib.contextmanager
def staged(out: Path) -> Iterator[Path]:
    """A folder beside the tree to write it in; gone afterwards unless :func:`put_in_place` renamed it.

    What a killed process left there is removed first.

    Raises:
        MachineError: when the machine refuses.
    """
    staging = Path(part_of(os.path.abspath(out)))
    with machine_errors(out):
        _remove(staging)
        staging.mkdir(parents=True)
        try:
            yield staging
        finally:
            _remove(staging)


def put_in_place(staging: Path, out: Path) -> None:
    """Give the tree its name; one that is there goes, but not before the new one is whole.

    Raises:
        MachineError: when the machine refuses.
    """
    old = Path(part_of(f"{os.path.abspath(out)}.old"))
    with machine_errors(out):
        if out.exists():
            _remove(old)
            os.replace(out, old)
        os.replace(staging, out)
        # Also one that a build killed between the two left behind.
        _remove(old)


def write_pieces(root: Path, pieces: Iterable[Piece], progress: Progress) -> dict[str, str]:
    """Write the files below a folder; the SHA-256 of each by its path.

    Raises:
        MachineError: when the machine refuses.
    """
    todo, hashes = list(pieces), {}
    step = progress.start("Writing", total=len(todo), unit="files")
    try:
        for piece in todo:
            target = root / piece.path
            with machine_errors(target):
                target.parent.mkdir(parents=True, exist_ok=True)
                hashes[piece.path] = _write(target, piece)
            step.advance()
    finally:
        step.finish()
    return hashes


def _write(target: Path, piece: Piece) -> str:
    digest = hashlib.sha256()
    with target.open("wb") as file:
        for chunk in _chunks(piece):
            digest.update(chunk)
            file.write(chunk)
    target.chmod(_FILE_MODE)
    return digest.hexdigest()


def _chunks(piece: Piece) -> Iterator[bytes]:
    if piece.source is None:
        yield piece.data or b""
        return
    with open_regular(piece.source) as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def write_listing(out: Path, hashes: Mapping[str, str]) -> Path:
    """Write the list of hashes beside the tree.

    Raises:
        MachineError: when the machine refuses.
    """
    path = listing_of(out)
    write_atomic(path, "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes)))
    return path


def pack(root: Path, names: Iterable[str], target: Path, top: str) -> str:
    """Pack files of a tree as ``.tar.gz``, sorted, without times and owners; returns the archive's SHA-256.

    Args:
        top: the folder that they lie in within the archive.

    Raises:
        MachineError: when the machine refuses.
    """
    with atomic_path(target) as part:
        with (
            part.open("wb") as raw,
            gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as zipped,
            tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as archive,
        ):
            for folder in _folders(names := sorted(names), top):
                archive.addfile(_entry(folder, tarfile.DIRTYPE, _FOLDER_MODE))
            for name in names:
                entry = _entry(f"{top}/{name}", tarfile.REGTYPE, _FILE_MODE)
                entry.size = (root / name).stat().st_size
                with open_regular(root / name) as file:
                    archive.addfile(entry, file)
        return sha256_file(part)


def _folders(names: Iterable[str], top: str) -> list[str]:
    """Every folder of the archive, parents first."""
    found = {top}
    for name in names:
        parts = name.split("/")[:-1]
        found |= {"/".join((top, *parts[:depth])) for depth in range(1, len(parts) + 1)}
    return sorted(found)


def _entry(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.mtime = kind, mode, 0
    return entry


def _remove(folder: Path) -> None:
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder)
