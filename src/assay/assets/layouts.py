"""Folders that users bring: what has to be in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from assay.errors import InvalidInputError, NotFoundError

_IMAGENET = 50_000


def check_layout(layout: str, path: Path) -> int:
    """Check a folder against a layout; returns its number of samples.

    Raises:
        NotFoundError: when the folder is not there.
        InvalidInputError: for what is missing or wrong, with the first few names.
    """
    if not path.is_dir():
        raise NotFoundError("the folder is not there", where=path)
    return _LAYOUTS[layout](path)


def _imagenet2012(path: Path) -> int:
    """ImageNet 2012 validation: 50,000 images and ``val_map.txt`` with ``name label`` lines (MLPerf's layout)."""
    mapping = path / "val_map.txt"
    hint = (
        "put the 50,000 ILSVRC2012_val_*.JPEG files and val_map.txt (lines `name label`, labels 0..999) into one folder"
    )
    if not mapping.is_file():
        raise InvalidInputError("val_map.txt is missing", where=path, hint=hint)
    names: list[str] = []
    for number, line in enumerate(mapping.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        parts = line.split()
        if not parts:
            continue
        if len(parts) != 2 or not parts[1].isdigit() or not 0 <= int(parts[1]) <= 999:
            raise InvalidInputError(
                "not a `name label` line",
                where=f"{mapping}:{number}",
                expected="ILSVRC2012_val_00000001.JPEG 65",
                found=line[:60],
            )
        names.append(parts[0])
    if len(names) != _IMAGENET:
        raise InvalidInputError(
            "val_map.txt does not list the validation set",
            where=mapping,
            expected=f"{_IMAGENET:,} lines",
            found=f"{len(names):,}",
        )
    present = {item.name for item in path.iterdir()}
    missing = [name for name in names if name not in present]
    if missing:
        raise InvalidInputError(
            f"{len(missing):,} of {_IMAGENET:,} images are missing",
            where=path,
            found=f"no {', '.join(missing[:3])}",
            hint=hint,
        )
    return len(names)


_LAYOUTS: dict[str, Callable[[Path], int]] = {"imagenet2012": _imagenet2012}
