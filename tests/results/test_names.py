from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import assay.results.names as names_module
from assay.results.names import Names, key_of, name_tables

TABLE = yaml.safe_load((Path(names_module.__file__).parent / "names.yaml").read_text(encoding="utf-8"))
KINDS = ["organisations", "accelerators", "accelerator_vendors", "processors", "frameworks"]

# As rounds v2.0 to v4.1 spell them, and what each is.
A100_H100 = {
    "A100-PCIe-40GB": ["NVIDIA A100 PCIe 40GB", "NVIDIA A100-PCIe-40GB", "NVIDIA A100-PCIE-40GB"],
    "A100-PCIe-80GB": ["NVIDIA A100-PCIe-80GB", "NVIDIA A100-PCIE-80GB", "NVIDIA A100_PCIe_80GB", "NVIDIA A100 PCIe 80GB"],
    "A100-SXM-40GB": ["NVIDIA A100-SXM-40GB", "NVIDIA A100-SXM4-40GB", "NVIDIA A100-SXM4-40G", "A100-SXM4-40GB"],
    "A100-SXM-80GB": ["NVIDIA A100-SXM-80GB", "NVIDIA A100-SXM4-80GB", "NVIDIA A100-SXM4-80GB Tensor Core GPU",
                      "A100-SXM4-80GB", "nvidia a100 sxm 80gb"],
    "A100-SXM-80GB (custom cooling)": ["NVIDIA A100-SXM-80GB CTS", "NVIDIA A100-SXM4-80GB CTS"],
    "A100-SXM-80GB (1x1g.10gb MIG)": ["NVIDIA A100-SXM-80GB (1x1g.10gb MIG)"],
    "H100-PCIe-80GB": ["NVIDIA H100-PCIe-80GB", "NVIDIA H100 PCIe 80GB", "NVIDIA H100-PCIE-80GB", "H100 PCIe 80GB"],
    "H100-SXM-80GB": ["NVIDIA H100-SXM-80GB", "NVIDIA H100-SXM-80GB-02", "NVIDIA H100-SXM5-80GB", "NVIDIA H100-SXM5-80G",
                      "H100-SXM5-80GB"],
}  # fmt: skip


@pytest.mark.parametrize(("name", "spellings"), A100_H100.items(), ids=A100_H100)
def test_spellings_of_one_accelerator_are_one(name: str, spellings: list[str]) -> None:
    tables = name_tables()
    assert {tables.accelerators.name(each) for each in spellings} == {name}


def test_what_is_something_else_to_buy_stays_apart() -> None:
    spellings = [each for group in A100_H100.values() for each in group]
    assert len(spellings) >= 26
    assert len({name_tables().accelerators.name(each) for each in spellings}) == len(A100_H100) == 8


@pytest.mark.parametrize(
    ("kind", "given", "name"),
    [
        ("organisations", "CTuning", "cTuning"),
        ("organisations", "cTuning", "cTuning"),
        ("organisations", "KRAI", "Krai"),
        ("organisations", "Quanta_Cloud_Technology", "Quanta Cloud Technology"),
        ("organisations", "NeuralMagic", "Neural Magic"),
        ("organisations", "Nobody Knows", "Nobody Knows"),
        ("accelerators", "NVIDIA L4", "L4"),
        ("accelerators", "QUALCOMM Cloud AI 100 PCIe/HHHL Pro", "Cloud AI 100 PCIe/HHHL Pro"),
        ("accelerators", "Tesla  T4", "T4"),
        ("accelerators", "NVIDIA Orin", "Jetson AGX Orin"),
        ("processors", "Intel(R) Xeon(R) Platinum 8380 CPU @ 2.30GHz", "Intel Xeon Platinum 8380"),
        ("processors", "Intel(R) Xeon(R) Platium 8380", "Intel Xeon Platinum 8380"),
        ("processors", "AMD EPYC 7713 64-Core Processor", "AMD EPYC 7713"),
        ("processors", "12-core ARM Cortex-A78AE CPU", "Arm Cortex-A78AE"),
        ("processors", "Some CPU @ 3 GHz", "Some"),
        ("frameworks", "TensorRT 8.6.0, CUDA 12.0", "TensorRT"),
        ("frameworks", "ArmNN v22.11 (Neon)", "ArmNN"),
        ("frameworks", "onnxruntime v1.13", "ONNX Runtime"),
        ("frameworks", "MyEngine v1.2.3", "MyEngine"),
    ],
)
def test_names(kind: str, given: str, name: str) -> None:
    assert getattr(name_tables(), kind).name(given) == name


@pytest.mark.parametrize(
    ("given", "vendor"),
    [("Tesla T4", "NVIDIA"), ("ARM Mali-G610 MP4", "Arm"), ("BR104-300W PCIe", "Biren"), ("Gaudi2", "Intel"),
     ("TPU v5e", "Google"), ("SuperCharm", None), ("N/A", None), (None, None)],
)  # fmt: skip
def test_vendors(given: object, vendor: str | None) -> None:
    assert name_tables().accelerator_vendors.found(given) == vendor


def test_nothing_is_no_name() -> None:
    for kind in KINDS:
        for nothing in (None, "", "N/A", "-", {}, []):
            assert getattr(name_tables(), kind).name(nothing) is None


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "aliases" in TABLE[kind]])
def test_no_spelling_stands_for_two_names(kind: str) -> None:
    seen: dict[str, str] = {}
    for name, others in TABLE[kind]["aliases"].items():
        for spelling in (name, *others):
            assert seen.setdefault(key_of(spelling), name) == name, spelling


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_is_its_own_name(kind: str) -> None:
    """What is one spelling once is so for ever: an index that is made from rows changes nothing."""
    table = getattr(name_tables(), kind)
    for name in {*TABLE[kind].get("aliases", {})}:
        assert table.name(name) == name
    for name in TABLE[kind].get("patterns", {}).values():
        assert "\\" in name or kind == "accelerator_vendors" or table.name(name) == name


def test_every_pattern_is_one() -> None:
    for kind in KINDS:
        for pattern, name in TABLE[kind].get("patterns", {}).items():
            assert re.compile(pattern).groups >= len(re.findall(r"\\\d", name))
        for pattern in TABLE[kind].get("remove", []):
            assert re.compile(pattern).groups == 0
            assert not re.fullmatch(pattern, ""), pattern


def test_keys_leave_out_what_says_nothing() -> None:
    assert key_of("NVIDIA A100_PCIe 80GB") == key_of("nvidia(R) a100-pcie-80gb") == "nvidiaa100pcie80gb"
    assert key_of("A100®") == key_of("A100(TM)") == "a100"
    assert key_of("A100") != key_of("A10")


@given(st.text())
def test_any_text_has_a_name_and_keeps_it(words: str) -> None:
    for kind in KINDS:
        name = getattr(name_tables(), kind).name(words)
        assert name is None or (name.strip() == name != "" and len(name) <= 8000)
        if name is not None:
            name.encode("utf-8")


_SEEDS = ["Xeon ", "Xeon Platinum ", "EPYC ", "@ ", "1.", "v1.", "(", "(R", "-Core ", "1-Core", "NVIDIA ", "Ryzen 1",
          "TF ", "Arm  ", "\ud800", "漢", " ", "-", "a\n", "0", "@ 1.", "D-1234A "]  # fmt: skip


@given(st.lists(st.sampled_from(_SEEDS), min_size=1, max_size=3), st.integers(0, 8000))
@settings(max_examples=40, deadline=None)
def test_patterns_take_no_time_for_a_hostile_text(parts: list[str], size: int) -> None:
    words = ("".join(parts) * (size // len(parts) + 1))[:size]
    started = time.perf_counter()
    for kind in KINDS:
        table: Names = getattr(name_tables(), kind)
        table.name(words), table.found(words)
    assert time.perf_counter() - started < 2


def test_tasks_are_words_of_the_rounds() -> None:
    tasks: dict[str, Any] = dict(name_tables().tasks)
    assert tasks["resnet"] == "image-classification" and tasks["bert"] == "language"
    assert all(re.fullmatch(r"[a-z0-9-]+", each) for pair in tasks.items() for each in pair)
