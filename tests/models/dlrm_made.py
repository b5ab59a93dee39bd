"""MLPerf's weights of DLRM and DLRMv2 in their published forms, made small."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from assay.models.dlrm_network import table_name
from assay.models.dlrm_synthetic import DLRM, DLRM_V2, Official, draw_official

from .conftest import Call, Name, Storage, legacy, state_of, zipped

SMALL_V1 = Official(tuple(min(rows, 60) for rows in DLRM.rows), DLRM.hots, (8, 8, 4), (8, 8, 8, 8, 1), width=4)
SMALL_V2 = Official(
    tuple(min(rows, 60) for rows in DLRM_V2.rows), DLRM_V2.hots, (8, 8, 4), (8, 8, 8, 8, 1), width=4, cross=3, rank=6
)
"""As many tables and layers as the official ones."""


def weights(official: Official) -> dict[str, Any]:
    return dict(draw_official(official, 7, max_rows=10**9))


def name_v1(name: str) -> str:
    part, number, *kind = name.split(".")
    if part == "table":
        return f"emb_l.{number}.weight"
    return f"{'bot' if part == 'bottom' else 'top'}_l.{2 * int(number)}.{kind[0]}"


def name_v2(name: str, top: int) -> str:
    part, number, *kind = name.split(".")
    if part == "table":
        return f"model.sparse_arch.embedding_bag_collection.embedding_bags.t_cat_{number}.weight"
    if part == "cross":
        word = {"v": "V_kernels", "w": "W_kernels", "bias": "bias"}[kind[0]]
        return f"model.inter_arch.crossnet.{word}.{number}"
    if part == "bottom":
        return f"model.dense_arch.model._mlp.{number}._linear.{kind[0]}"
    last = int(number) == top - 1
    return f"model.over_arch.model.{'1' if last else f'0._mlp.{number}._linear'}.{kind[0]}"


def checkpoint(path: Path, tensors: Mapping[str, Any], *, zip_form: bool = False) -> Path:
    """A checkpoint of the training script: the state dict among losses and the optimiser's state."""
    state, storages = state_of({name_v1(name): value for name, value in tensors.items()})
    storages["900"] = np.zeros(3, np.int64)
    momentum = Call(
        Name("torch._utils", "_rebuild_tensor_v2"), Storage("LongStorage", "900", 3), 0, (3,), (1,), False, {}
    )
    accuracy = Call(Name("numpy.core.multiarray", "scalar"), Call(Name("numpy", "dtype"), "f8", 0, 1), "12345678")
    whole = {"epoch": 0, "state_dict": state, "test_acc": accuracy, "opt_state_dict": {"momentum": momentum}}
    path.write_bytes((zipped if zip_form else legacy)(whole, storages))
    return path


def snapshot(folder: Path, tensors: Mapping[str, Any], top: int) -> Path:
    """A snapshot as torchsnapshot 0.1.0 writes it: tables cut by rows over two ranks, every third by columns."""
    (folder / "batched").mkdir(parents=True)
    (folder / "sharded").mkdir()
    manifest: dict[str, Any] = {f"{rank}/model": {"type": "dict", "keys": []} for rank in range(2)}
    manifest["0/progress"] = {"type": "int", "serialized_value": "1", "readable": "1", "replicated": False}
    batch = b""
    for name, value in tensors.items():
        key = name_v2(name, top)
        if name.startswith("table."):
            number = int(name.split(".")[1])
            for rank, (rows, columns) in enumerate(cuts(value.shape, by_columns=number % 3 == 2)):
                part = np.ascontiguousarray(value[rows, columns])
                location = f"sharded/{key}_{rows.start}_{columns.start}"
                (folder / location).write_bytes(part.tobytes())
                shard = {"offsets": [rows.start, columns.start], "sizes": list(part.shape)}
                shard["tensor"] = entry(location, part, None)  # type: ignore[assignment]
                manifest[f"{rank}/model/{key}"] = {"type": "ShardedTensor", "shards": [shard]}
            continue
        plain = value[:, None] if name.startswith("cross") and value.ndim == 1 else value
        manifest[f"0/model/{key}"] = entry("batched/all", plain, [len(batch), len(batch) + value.nbytes])
        manifest[f"1/model/{key}"] = manifest[f"0/model/{key}"]
        batch += value.tobytes()
    (folder / "batched" / "all").write_bytes(batch)
    metadata = {"version": "0.1.0", "world_size": 2, "manifest": manifest}
    (folder / ".snapshot_metadata").write_text(json.dumps(metadata, indent=2))
    return folder


def cuts(shape: tuple[int, int], *, by_columns: bool) -> list[tuple[slice, slice]]:
    rows, columns = shape
    if by_columns:
        return [(slice(0, rows), slice(0, columns // 2)), (slice(0, rows), slice(columns // 2, columns))]
    return [(slice(0, rows // 2), slice(0, columns)), (slice(rows // 2, rows), slice(0, columns))]


def entry(location: str, value: Any, byte_range: list[int] | None) -> dict[str, Any]:
    return {
        "type": "Tensor",
        "location": location,
        "serializer": "buffer_protocol",
        "dtype": "torch.float32",
        "shape": list(value.shape),
        "replicated": False,
        "byte_range": byte_range,
    }


__all__ = ["SMALL_V1", "SMALL_V2", "checkpoint", "snapshot", "table_name", "weights"]
