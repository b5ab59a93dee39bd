from __future__ import annotations

from pathlib import Path

import numpy as np

from assay.models.gguf import read_gguf
from assay.models.gguf_write import write_gguf


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    metadata = {
        "general.architecture": "some",
        "n": 7,
        "less": -3,
        "list": [1.5, 2.5],
        "names": ["a", "é", ""],
        "on": True,
    }
    kinds = {"general.architecture": (8,), "n": (10,), "less": (5,), "list": (9, 12), "names": (9, 8), "on": (7,)}
    arrays = {"one": np.arange(6, dtype=np.float32).reshape(2, 3), "two": np.ones(5, np.float32)}
    path = tmp_path / "made.gguf"
    write_gguf(path, metadata, kinds, {name: array.shape for name, array in arrays.items()}, arrays.values())
    header = read_gguf(path)
    assert header.metadata == metadata
    assert header.kinds == kinds
    raw = path.read_bytes()
    for name, array in arrays.items():
        info = header.tensors[name]
        assert info.shape == array.shape
        assert info.offset % 32 == 0
        assert raw[info.offset : info.offset + array.nbytes] == array.tobytes()
