"""The mark of a model in slabs, by which an engine knows that it should free each piece at once."""

from __future__ import annotations

import os
from pathlib import Path

MARK = "assay.slabs"
"""Key in the model's metadata."""
_TAIL = 4096


def holds_slabs(model: Path) -> bool:
    """Whether an ONNX file is marked; its last bytes are looked at, where the metadata are, and nothing is parsed."""
    with model.open("rb") as stream:
        stream.seek(max(0, stream.seek(0, os.SEEK_END) - _TAIL))
        return MARK.encode("ascii") in stream.read()
