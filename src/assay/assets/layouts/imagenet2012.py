"""ImageNet 2012 validation as MLPerf's reference reads it: images and ``val_map.txt`` in one folder."""

from __future__ import annotations

from pathlib import Path

from assay.assets.layouts.common import Checked, checked, need_file, need_files, need_folder
from assay.errors import InvalidInputError

SAMPLES = 50_000
_MAX_BYTES = 64 << 20
_HINT = "put the 50,000 ILSVRC2012_val_*.JPEG files and val_map.txt (lines `name label`, labels 0..999) into one folder"


def check_imagenet2012(path: Path, partial: bool) -> Checked:
    """ImageNet 2012 validation: 50,000 images and ``val_map.txt`` with ``name label`` lines.

    Raises:
        InvalidInputError: for what is missing or wrong.
    """
    need_folder(path, _HINT)
    mapping = need_file(path / "val_map.txt", _HINT)
    with mapping.open("rb") as stream:
        text = stream.read(_MAX_BYTES).decode("utf-8", "replace")
    names: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        parts = line.split()
        if not parts:
            continue
        if len(parts) != 2 or not (parts[1].isascii() and parts[1].isdigit()) or not 0 <= int(parts[1][:9]) <= 999:
            raise InvalidInputError(
                "not a `name label` line",
                where=f"{mapping}:{number}",
                expected="ILSVRC2012_val_00000001.JPEG 65",
                found=line[:60],
            )
        names.append(parts[0])
    found = checked(path, len(names), SAMPLES, what="images", where=mapping, partial=partial, hint=_HINT)
    need_files(path, names, what="images", hint=_HINT)
    return found
