"""Archives made for tests, with whatever is wrong about them asked for."""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

LINKS = {"link": tarfile.SYMTYPE, "hard link": tarfile.LNKTYPE, "device": tarfile.CHRTYPE, "pipe": tarfile.FIFOTYPE}


def tar_bytes(files: Mapping[str, bytes], *, special: Mapping[str, bytes] | None = None) -> bytes:
    """A tar of files, and of special entries by their type."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, kind in (special or {}).items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "/etc/passwd"
            archive.addfile(entry)
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def ar_bytes(members: Mapping[str, bytes]) -> bytes:
    """An ar archive."""
    parts = [b"!<arch>\n"]
    for name, data in members.items():
        parts += [
            f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode(),
            data,
            b"\n" * (len(data) % 2),
        ]
    return b"".join(parts)


def deb_bytes(tar: bytes, compression: str = ".xz") -> bytes:
    """A Debian package whose files are a tar."""
    packed = {".xz": lzma.compress(tar, preset=0), ".gz": gzip.compress(tar, 1), "": tar, ".zst": tar}[compression]
    return ar_bytes({"debian-binary": b"2.0\n", "control.tar.gz": b"not looked at", f"data.tar{compression}": packed})


def make(kind: str, path: Path, files: Mapping[str, bytes], *, special: Mapping[str, bytes] | None = None) -> Path:
    """A package of one kind of index, holding files named as its manifests name them."""
    if kind == "package":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in special or {}:
                info = zipfile.ZipInfo(name)
                info.external_attr = 0o120777 << 16
                archive.writestr(info, "/etc/passwd")
            for name, data in files.items():
                archive.writestr(name, data)
        return path
    top = "package/" if kind == "npm" else "./"
    tar = tar_bytes(
        {top + name: data for name, data in files.items()},
        special={top + name: value for name, value in (special or {}).items()},
    )
    path.write_bytes(gzip.compress(tar, 1) if kind == "npm" else deb_bytes(tar))
    return path
