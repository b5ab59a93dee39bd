from __future__ import annotations

from pathlib import Path

import pytest

from assay.errors import MachineError
from assay.harness.memory import Need, available_memory, model_bytes, require_memory

GB = 10**9


def test_what_fits_is_let_through_and_what_does_not_is_told_with_both_figures() -> None:
    need = Need(model=3 * GB, samples=2 * GB, count=1024)
    require_memory(need, 5 * GB)
    with pytest.raises(MachineError, match="too little memory") as caught:
        require_memory(need, 4 * GB)
    assert caught.value.expected == "about 5.0 GB (model 3.0 GB, 1,024 samples 2.0 GB)"
    assert caught.value.found == "4.0 GB available"


def test_a_models_size_is_that_of_all_its_files(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"x" * 10)
    (tmp_path / "m.onnx.data").write_bytes(b"x" * 90)
    (tmp_path / "other.onnx").write_bytes(b"x" * 7)
    assert model_bytes(tmp_path / "m.onnx") == 100
    assert model_bytes(tmp_path) == 107
    assert model_bytes(Path()) == model_bytes(tmp_path / "none") == 0


def group(folder: Path, limit: str, used: int, cached: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 5\nactive_file 0\ninactive_file {cached}\n")


def test_the_tightest_control_group_holds(tmp_path: Path) -> None:
    own = tmp_path / "cgroup"
    own.write_text("0::/a/b\n")
    group(tmp_path / "fs" / "a", "5000", 3000, cached=100)
    group(tmp_path / "fs" / "a" / "b", "max", 1000)
    assert available_memory(tmp_path / "fs", own) == 2100
    group(tmp_path / "fs" / "a" / "b", "900", 1000)
    assert available_memory(tmp_path / "fs", own) == 0


@pytest.mark.parametrize("text", ["", "1:cpu:/x\n", "0::/../../etc\n"], ids=["empty", "no-memory", "leading-out"])
def test_without_a_group_the_machine_counts(tmp_path: Path, text: str) -> None:
    own = tmp_path / "cgroup"
    own.write_text(text)
    assert available_memory(tmp_path / "fs", own) > 10_000_000
    assert available_memory(tmp_path / "fs", tmp_path / "none") > 10_000_000


def test_groups_of_version_1_hold_too(tmp_path: Path) -> None:
    own = tmp_path / "cgroup"
    own.write_text("9:name=systemd:/\n4:cpu,memory:/job\n")
    folder = tmp_path / "fs" / "memory" / "job"
    folder.mkdir(parents=True)
    (folder / "memory.limit_in_bytes").write_text("9000\n")
    (folder / "memory.usage_in_bytes").write_text("7000\n")
    (folder / "memory.stat").write_text("cache 1\ntotal_inactive_file 300\ntotal_active_file 200\n")
    assert available_memory(tmp_path / "fs", own) == 2500
