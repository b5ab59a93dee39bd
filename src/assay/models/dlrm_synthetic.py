"""DLRM and DLRM-DCN of MLPerf with seeded weights and tables cut short: the true layers, for speed only.

The tables of the true models take 97 GB; here none has more rows than :data:`MAX_ROWS`, which leaves 0.25 GB. What
is computed for a pair is the same: the same number of rows is looked up, of the same width.

Source of all sizes: mlcommons/inference v3.0, recommendation/dlrm (``ln_emb``, ``ln_bot``, ``ln_top``) and v3.1,
recommendation/dlrm_v2 (main.py, backend_pytorch_native.py, tools/make_fake_criteo.sh).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray

from assay.models.dlrm_graph import dlrm_graph
from assay.models.dlrm_network import table_name

MAX_ROWS = 40_000


@dataclass(frozen=True, slots=True)
class Official:
    """Sizes of a model of MLPerf.

    Attributes:
        rows: rows of each table.
        hots: ids asked of each table.
        bottom: widths of the bottom layers.
        top: widths of the top layers.
        cross: number of cross layers; 0 for dot products.
        rank: of the cross layers.
    """

    rows: tuple[int, ...]
    hots: tuple[int, ...]
    bottom: tuple[int, ...] = (512, 256, 128)
    top: tuple[int, ...] = (1024, 1024, 512, 256, 1)
    dense: int = 13
    width: int = 128
    cross: int = 0
    rank: int = 512

    @property
    def table_bytes(self) -> int:
        """Size of all tables in float32."""
        return 4 * self.width * sum(self.rows)

    @property
    def interaction(self) -> int:
        """Inputs of the top layers."""
        vectors = len(self.rows) + 1
        return vectors * self.width if self.cross else self.width + vectors * (vectors - 1) // 2


# fmt: off
DLRM = Official(
    rows=(39884406, 39043, 17289, 7420, 20263, 3, 7120, 1543, 63, 38532951, 2953546, 403346, 10, 2208, 11938, 155, 4, 976,
          14, 39979771, 25641295, 39664984, 585935, 12972, 108, 36),
    hots=(1,) * 26,
)
"""DLRM of v2.0 to v3.0."""

DLRM_V2 = Official(
    rows=(40000000, 39060, 17295, 7424, 20265, 3, 7122, 1543, 63, 40000000, 3067956, 405282, 10, 2209, 11938, 155, 4, 976,
          14, 40000000, 40000000, 40000000, 590152, 12973, 108, 36),
    hots=(3, 2, 1, 2, 6, 1, 1, 1, 1, 7, 3, 8, 1, 6, 9, 5, 1, 1, 1, 12, 100, 27, 10, 3, 1, 1),
    cross=3,
)
"""DLRM-DCN of v3.1."""
# fmt: on


def build_dlrm_synthetic(official: Official, seed: int, *, max_rows: int = MAX_ROWS) -> onnx.ModelProto:
    """The graph of a model of MLPerf; the same seed gives the same bytes."""
    name = "dlrm-v2-synthetic" if official.cross else "dlrm-synthetic"
    return dlrm_graph(
        name,
        draw_official(official, seed, max_rows=max_rows),
        hots=official.hots,
        bottom=len(official.bottom),
        top=len(official.top),
        cross=official.cross,
        metadata={"weights": "random, for speed only", "seed": str(seed), "max-rows": str(max_rows)},
    )


def draw_official(official: Official, seed: int, *, max_rows: int) -> dict[str, NDArray[np.float32]]:
    """Weights of the true sizes, but for the tables' rows, scaled so that answers vary with the pair."""
    random = np.random.default_rng(seed)

    def draw(*shape: int, scale: float) -> NDArray[np.float32]:
        return random.standard_normal(shape, np.float32) * np.float32(scale)

    found = {
        table_name(number): draw(min(rows, max_rows), official.width, scale=0.25 / hots)
        for number, (rows, hots) in enumerate(zip(official.rows, official.hots, strict=True))
    }
    for part, first, widths in (
        ("bottom", official.dense, official.bottom),
        ("top", official.interaction, official.top),
    ):
        for layer, (inputs, outputs) in enumerate(zip((first, *widths[:-1]), widths, strict=True)):
            found[f"{part}.{layer}.weight"] = draw(outputs, inputs, scale=(2 / inputs) ** 0.5)
            found[f"{part}.{layer}.bias"] = draw(outputs, scale=0.01)
    size = official.interaction
    for layer in range(official.cross):
        found[f"cross.{layer}.v"] = draw(official.rank, size, scale=(1 / size) ** 0.5)
        found[f"cross.{layer}.w"] = draw(size, official.rank, scale=(0.1 / official.rank) ** 0.5)
        found[f"cross.{layer}.bias"] = draw(size, scale=0.01)
    return found
