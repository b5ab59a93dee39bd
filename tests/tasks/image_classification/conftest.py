from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def picture(width: int = 40, height: int = 32, seed: int = 0) -> Picture:
    """A smooth random picture, so that JPEG keeps its features."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


@pytest.fixture
def draw(tmp_path: Path) -> Callable[..., Path]:
    """Write a picture as a file; the name's ending says the format."""

    def write(name: str, width: int = 40, height: int = 32, seed: int = 0) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        done, raw = cv2.imencode(path.suffix, picture(width, height, seed))
        assert done
        path.write_bytes(raw.tobytes())
        return path

    return write
