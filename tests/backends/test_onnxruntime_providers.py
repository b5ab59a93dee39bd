"""Providers that this machine does not have, played by small stand-ins of ONNX Runtime's objects."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from assay.backends import onnxruntime as module
from assay.backends.onnxruntime import BACKEND
from assay.backends.onnxruntime_providers import assignment, available, check_assignment, check_started, find
from assay.backends.protocol import BackendOptions
from assay.errors import UsageError

HAVE = ("CUDA", "Tensorrt", "Dml", "CPU")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("cuda", "CUDA"),
        ("CUDAExecutionProvider", "CUDA"),
        ("tensorrt", "Tensorrt"),
        ("trt", "Tensorrt"),
        ("DirectML", "Dml"),
    ],
)
def test_providers_have_many_spellings(text: str, name: str) -> None:
    assert find(text, HAVE, "1.0") == name


@pytest.mark.parametrize(
    ("text", "package"),
    [
        ("cuda", "onnxruntime-gpu"),
        ("tensorrt", "onnxruntime-gpu"),
        ("rocm", "onnxruntime-rocm"),
        ("migraphx", "onnxruntime-migraphx"),
        ("directml", "onnxruntime-directml"),
        ("openvino", "onnxruntime-openvino"),
        ("coreml", "onnxruntime"),
    ],
)
def test_what_is_not_there_is_refused_with_what_to_install(text: str, package: str) -> None:
    with pytest.raises(UsageError) as caught:
        find(text, ("CPU",), "1.32.0")
    assert caught.value.found == "onnxruntime 1.32.0 built for CPU"
    assert (caught.value.hint or "").endswith(f"pip install {package}")
    assert "needs" in caught.value.what


def test_a_provider_that_nobody_knows_is_refused() -> None:
    with pytest.raises(UsageError, match="no provider 'tpu'"):
        find("tpu", HAVE, "1.0")


def test_a_service_on_the_network_is_no_provider() -> None:
    library = SimpleNamespace(get_available_providers=lambda: ["AzureExecutionProvider", "CPUExecutionProvider"])
    assert available(library) == ("CPU",)


class Session:
    def __init__(self, *parts: tuple[str, int], providers: tuple[str, ...] = ("CUDA", "CPU")) -> None:
        self.parts = parts
        self.providers = providers

    def get_providers(self) -> list[str]:
        return [f"{name}ExecutionProvider" for name in self.providers]

    def get_provider_graph_assignment_info(self) -> list[Any]:
        if not self.parts:
            raise RuntimeError("not recorded")
        return [
            SimpleNamespace(ep_name=f"{name}ExecutionProvider", get_nodes=lambda n=n: [None] * n)
            for name, n in self.parts
        ]


def test_layers_that_fell_to_the_cpu_are_counted() -> None:
    layers = assignment(Session(("CPU", 1), ("CUDA", 5), ("CPU", 1)))
    assert layers == {"CUDA": 5, "CPU": 2}
    check_assignment(layers, "CUDA")
    with pytest.raises(UsageError, match="no layer of the model runs on CUDA") as caught:
        check_assignment({"CPU": 7}, "CUDA")
    assert caught.value.found == "7 on CPU"


def test_a_library_that_cannot_tell_is_believed() -> None:
    assert assignment(Session()) == assignment(object()) == {}
    check_assignment({}, "CUDA")


def test_a_whole_fall_back_is_refused_with_what_is_needed() -> None:
    check_started(Session(), "CUDA")
    with pytest.raises(UsageError) as caught:
        check_started(Session(providers=("CPU",)), "Tensorrt")
    assert caught.value.found == "it fell back to CPU"
    assert "TensorRT" in (caught.value.hint or "")


def test_the_record_says_which_provider_computes(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The CPU plays the provider: what is recorded comes from the assignment, not from the list of providers."""
    monkeypatch.setattr(module, "available", lambda library: ("CUDA", "CPU"))
    monkeypatch.setattr(module, "check_started", lambda session, wanted: None)
    monkeypatch.setattr(module, "assignment", lambda session: {"CUDA": 4, "CPU": 1})
    real = module._load
    plain = module._Extra("CPU", {}, {})
    monkeypatch.setattr(module, "_load", lambda library, path, options, extra: real(library, path, options, plain))
    facts = BACKEND.open(model, BackendOptions(extra={"provider": "cuda"})).describe()
    assert (facts["device"], facts["layers"]) == ("CUDA,CPU", "4 on CUDA, 1 on CPU")


def test_a_provider_that_breaks_as_it_starts_is_no_broken_model(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As TensorRT's does where its libraries are missing."""

    def breaks(*arguments: Any) -> Any:
        raise RuntimeError("Please install TensorRT libraries")

    monkeypatch.setattr(module, "available", lambda library: ("Tensorrt", "CPU"))
    monkeypatch.setattr(module, "_session", breaks)
    options = BackendOptions(extra={"provider": "tensorrt"})
    for call in (lambda: BACKEND.check_options(options), lambda: BACKEND.open(model, options)):
        with pytest.raises(UsageError, match="cannot start its provider Tensorrt") as caught:
            call()
        assert caught.value.found == "Please install TensorRT libraries"
