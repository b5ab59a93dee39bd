"""MLPerf's own weights of DLRM and DLRMv2 as ONNX: layers in the file, tables beside it.

A table of 20 GB fits into no protocol buffer, so tables become external data (``model.onnx.data``), copied a piece at a
time. Whether the model fits into memory is asked before the first byte is copied.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import psutil

from assay.base.files import machine_errors, require_space
from assay.base.progress import SILENT, Progress
from assay.base.units import format_size
from assay.errors import InvalidInputError, MachineError
from assay.models.dlrm_checkpoint import locate_checkpoint
from assay.models.dlrm_graph import External, Tensor, dlrm_graph
from assay.models.dlrm_network import table_name
from assay.models.dlrm_snapshot import locate_snapshot
from assay.models.dlrm_stored import Stored, Tensors, check_stored, copy_stored, read_stored
from assay.models.dlrm_synthetic import DLRM, DLRM_V2, Official

DATA = "model.onnx.data"
_ALIGNMENT = 4096
_MOST_LAYER_BYTES = 256 << 20

_NAME_V1 = re.compile(r"(emb|bot|top)_l\.(\d{1,4})\.(weight|bias)")
"""Names of facebookresearch/dlrm."""


def build_official(weights: Path, target: Path, official: Official, *, progress: Progress = SILENT) -> None:
    """Write the ONNX file of a checkpoint (a file) or a snapshot (a folder), and its tables beside it.

    Args:
        weights: what MLPerf publishes.
        target: the ONNX file; the tables go into ``model.onnx.data`` in the same folder.
        official: what the model has to be: number of tables and layers, ids of each table. Sizes are the weights' own.
        progress: told while tables are copied.

    Raises:
        InvalidInputError: when the weights are not those of the model.
        MachineError: when the model will not fit into memory, or its copy not on the disk.
    """
    located = locate_snapshot(weights) if weights.is_dir() else locate_checkpoint(weights)
    tensors = named(located, weights, v2=official.cross > 0)
    _check_complete(tensors, official, weights)
    tables = [tensors[table_name(number)] for number in range(len(official.rows))]
    total = sum(stored.nbytes for stored in tensors.values())
    _require_memory(total, weights)
    require_space(target.parent, total)
    places, size = _places(tables)
    made: dict[str, Tensor] = {
        name: _layer(name, stored) for name, stored in tensors.items() if not name.startswith("table.")
    }
    for number, (stored, place) in enumerate(zip(tables, places, strict=True)):
        made[table_name(number)] = External((stored.rows, stored.columns), DATA, place, stored.nbytes)
    model = dlrm_graph(
        "dlrm-v2" if official.cross else "dlrm",
        made,
        hots=official.hots,
        bottom=len(official.bottom),
        top=len(official.top),
        cross=official.cross,
        metadata={"weights": "MLCommons", "tables": str([stored.rows for stored in tables])},
    )
    _copy_tables(tables, places, size, target.parent / DATA, progress)
    target.write_bytes(model.SerializeToString(deterministic=True))
    onnx.checker.check_model(str(target))


def named(located: Tensors, where: Path, *, v2: bool) -> dict[str, Stored]:
    """Tensors under the names of :mod:`assay.models.dlrm_graph`.

    Raises:
        InvalidInputError: for a tensor that the model does not have.
    """
    found: dict[str, Stored] = {}
    for name, stored in located.items():
        new = _name_v2(name) if v2 else _name_v1(name)
        if new is None:
            raise InvalidInputError(f"tensor {name!r} is none of the model's", where=where)
        check_stored(name, stored)
        found[new] = stored
    if v2:
        # The last top layer stands apart from the others, and they are counted here.
        last = sum(1 for name in found if re.fullmatch(r"top\.\d+\.weight", name))
        for kind in ("weight", "bias"):
            if f"last.{kind}" in found:
                found[f"top.{last}.{kind}"] = found.pop(f"last.{kind}")
    return found


def _name_v1(name: str) -> str | None:
    match = _NAME_V1.fullmatch(name)
    if match is None:
        return None
    number, kind = int(match[2]), match[3]
    if match[1] == "emb":
        return table_name(number) if kind == "weight" else None
    # Linear layers alternate with activations there.
    return f"{'bottom' if match[1] == 'bot' else 'top'}.{number // 2}.{kind}"


_NAMES_V2: Mapping[str, str] = {
    r"sparse_arch\.embedding_bag_collection\.embedding_bags\.t_cat_(\d+)\.weight": r"table.\1",
    r"dense_arch\.model\._mlp\.(\d+)\._linear\.(weight|bias)": r"bottom.\1.\2",
    r"inter_arch\.crossnet\.V_kernels\.(\d+)": r"cross.\1.v",
    r"inter_arch\.crossnet\.W_kernels\.(\d+)": r"cross.\1.w",
    r"inter_arch\.crossnet\.bias\.(\d+)": r"cross.\1.bias",
    r"over_arch\.model\.0\._mlp\.(\d+)\._linear\.(weight|bias)": r"top.\1.\2",
    r"over_arch\.model\.1\.(weight|bias)": r"last.\1",
}
"""Names of torchrec's DLRM_DCN, below any prefix."""


def _name_v2(name: str) -> str | None:
    for pattern, new in _NAMES_V2.items():
        match = re.fullmatch(rf"(?:module\.|model\.)*{pattern}", name)
        if match:
            return match.expand(new)
    return None


def _check_complete(tensors: Mapping[str, Stored], official: Official, where: Path) -> None:
    wanted = {table_name(number) for number in range(len(official.rows))}
    for part, layers in (("bottom", official.bottom), ("top", official.top)):
        wanted |= {f"{part}.{layer}.{kind}" for layer in range(len(layers)) for kind in ("weight", "bias")}
    wanted |= {f"cross.{layer}.{kind}" for layer in range(official.cross) for kind in ("v", "w", "bias")}
    differing = sorted(wanted ^ set(tensors))
    if differing:
        raise InvalidInputError(
            "the weights are not those of the model",
            where=where,
            expected=f"{len(wanted)} tensors",
            found=f"{len(tensors)}; {'no' if differing[0] in wanted else 'also'} {differing[0]}",
        )
    _check_sizes(tensors, official, where)


def _check_sizes(tensors: Mapping[str, Stored], official: Official, where: Path) -> None:
    """Each layer takes what the one before gives."""
    width = tensors[table_name(0)].columns
    vectors = len(official.rows) + 1
    interaction = vectors * width if official.cross else width + vectors * (vectors - 1) // 2
    expected: dict[str, tuple[int, ...]] = {
        table_name(number): (tensors[table_name(number)].rows, width) for number in range(len(official.rows))
    }
    for part, inputs, layers in (("bottom", official.dense, official.bottom), ("top", interaction, official.top)):
        for layer in range(len(layers)):
            outputs = tensors[f"{part}.{layer}.weight"].rows
            expected |= {f"{part}.{layer}.weight": (outputs, inputs), f"{part}.{layer}.bias": (outputs,)}
            inputs = outputs  # noqa: PLW2901 - the next layer's
        if part == "bottom" and inputs != width:
            raise InvalidInputError("the bottom layers do not end in the tables' width", where=where)
    for layer in range(official.cross):
        rank = tensors[f"cross.{layer}.v"].rows
        expected |= {f"cross.{layer}.v": (rank, interaction), f"cross.{layer}.w": (interaction, rank)}
        expected |= {f"cross.{layer}.bias": (interaction,)}
    for name, shape in expected.items():
        have = tensors[name]
        if (have.rows, have.columns) != (*shape, 1)[:2]:
            raise InvalidInputError(
                f"{name} has another shape", where=where, expected=str(list(shape)), found=str(list(have.shape))
            )


def _layer(name: str, stored: Stored) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    if stored.nbytes > _MOST_LAYER_BYTES:
        raise InvalidInputError(f"{name} is too large for a layer", found=format_size(stored.nbytes))
    value = read_stored(stored)
    return value.reshape(-1) if name.endswith("bias") else value


def _places(tables: list[Stored]) -> tuple[list[int], int]:
    """Where each table begins, on a page of memory, and where the last ends."""
    places, end = [], 0
    for stored in tables:
        places.append(end)
        end += -(-stored.nbytes // _ALIGNMENT) * _ALIGNMENT
    return places, end


def _copy_tables(tables: list[Stored], places: list[int], size: int, target: Path, progress: Progress) -> None:
    step = progress.start("copy tables", total=size, unit="B")
    with machine_errors(target):
        with target.open("wb") as stream:
            stream.truncate(size)
        for stored, place in zip(tables, places, strict=True):
            copy_stored(stored, target, place)
            step.advance(stored.nbytes)
    step.finish()


def _require_memory(total: int, weights: Path) -> None:
    available = int(psutil.virtual_memory().available)
    if total > available:
        raise MachineError(
            "too little memory for this model, so its tables are not copied",
            where=weights,
            expected=f"about {format_size(total)}",
            found=f"{format_size(available)} available",
            hint="for speed alone take the true layers with small tables: assay run dlrm-synthetic, dlrm-v2-synthetic",
        )


OFFICIAL = {"dlrm-checkpoint": DLRM, "dlrm-v2-checkpoint": DLRM_V2}
"""Architectures of the build sources of MLPerf's own weights."""
