"""PyTorch where it is installed: the contract's classifier as TorchScript and as an exported program."""

from __future__ import annotations

import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.backends import torch as module
from assay.backends.protocol import BackendOptions, Capabilities, ModelFormat, Precision, Session
from assay.backends.torch import BACKEND
from assay.errors import InvalidInputError, MissingDependencyError, UsageError
from assay.testing import BackendContract, _tiny_weights, tiny_logits

INPUTS = "image:float32:-1x3x8x8"

# ---- without PyTorch


def test_inputs_are_described_in_words() -> None:
    spec = module._input("ids.0:int64:-1x384")
    assert (spec.name, spec.dtype, spec.shape) == ("ids.0", np.dtype(np.int64), (-1, 384))
    for text in ("x", "x:float32", "x:float31:1x2", "x:float32:0", "x:float32:-2", "x:float32:1x", "x y:int8:1", ""):
        with pytest.raises(UsageError):
            module._input(text)


def test_options_are_checked() -> None:
    found = module._read_extra({"inputs": f"{INPUTS}; b:int64:1", "outputs": "x; y"}, ("cpu",))
    assert ([spec.name for spec in found.inputs], found.outputs, found.device) == (["image", "b"], ("x", "y"), "cpu")
    assert module._read_extra({"device": "cuda:1"}, ("cpu", "cuda")).device == "cuda:1"
    for extra in ({"device": "cuda"}, {"device": "cpu:x"}, {"input": INPUTS}):
        with pytest.raises(UsageError):
            module._read_extra(extra, ("cpu",))


def archive(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as made:
        for name in names:
            made.writestr(name, b"x")
    return path


def test_a_missing_library_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    for call in (BACKEND.capabilities, lambda: BACKEND.check_options(BackendOptions())):
        with pytest.raises(MissingDependencyError) as caught:
            call()
        assert caught.value.hint == 'pip install "assay[torch]"'


# ---- with it


def network(torch: Any) -> Any:
    kernel, weight = (torch.from_numpy(array) for array in _tiny_weights())

    class Tiny(torch.nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 4, 3, padding=1, bias=False)
            self.dense = torch.nn.Linear(4, 10, bias=False)
            self.conv.weight.data, self.dense.weight.data = kernel, weight.T.contiguous()

        def forward(self, image: Any) -> Any:
            return self.dense(self.conv(image).relu().mean((2, 3)))

    return Tiny().eval()


def script(path: Path) -> Path:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    torch.jit.trace(network(torch), torch.zeros(2, 3, 8, 8)).save(str(path))
    return path


def exported(path: Path) -> Path:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    free = torch.export.Dim("batch", min=1, max=1024)
    program = torch.export.export(network(torch), (torch.zeros(2, 3, 8, 8),), dynamic_shapes=({0: free},))
    torch.export.save(program, str(path))
    return path


class WithInputs:
    name, title, formats = BACKEND.name, BACKEND.title, BACKEND.formats

    def capabilities(self) -> Capabilities:
        return BACKEND.capabilities()

    def check_options(self, options: BackendOptions) -> None:
        BACKEND.check_options(options)

    def open(self, model: Path, options: BackendOptions) -> Session:
        return BACKEND.open(model, replace(options, extra={"inputs": INPUTS, **options.extra}))


@pytest.mark.filterwarnings("ignore")
class TestScript(BackendContract):
    @pytest.fixture(autouse=True)
    def _installed(self) -> None:
        pytest.importorskip("torch", reason="PyTorch is not installed")

    def backend(self) -> Any:
        return WithInputs()

    def model(self, folder: Path) -> Path:
        return script(folder / "tiny.pt")

    def broken_model(self, folder: Path) -> Path:
        return archive(folder / "broken.pt", "m/data.pkl", "m/code/x.py")


@pytest.mark.filterwarnings("ignore")
class TestExported(TestScript):
    def backend(self) -> Any:
        return BACKEND

    def model(self, folder: Path) -> Path:
        return exported(folder / "tiny.pt2")

    def broken_model(self, folder: Path) -> Path:
        return archive(folder / "broken.pt2", "m/models/model.json")


@pytest.mark.filterwarnings("ignore")
def test_a_script_has_to_be_told_what_goes_in(tmp_path: Path) -> None:
    path = script(tmp_path / "m.pt")
    assert BACKEND.formats == (ModelFormat.TORCH,)
    with pytest.raises(UsageError, match="does not say what it takes"):
        BACKEND.open(path, BackendOptions())
    with pytest.raises(InvalidInputError, match="does not run with the inputs"):
        BACKEND.open(path, BackendOptions(extra={"inputs": "image:float32:-1x5x8x8"}))
    with pytest.raises(UsageError, match="another number of outputs"):
        BACKEND.open(path, BackendOptions(extra={"inputs": INPUTS, "outputs": "a;b"}))
    session = BACKEND.open(path, BackendOptions(threads=1, extra={"inputs": INPUTS, "outputs": "logits"}))
    assert [(spec.name, spec.shape) for spec in session.outputs] == [("logits", (-1, 10))]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", ["script", "exported"])
def test_bf16_is_bf16(tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answers are near those of fp32 and not the same."""
    path = script(tmp_path / "m.pt") if form == "script" else exported(tmp_path / "m.pt2")
    monkeypatch.setattr(module, "native_precisions", lambda: tuple(Precision))
    session = WithInputs().open(path, BackendOptions(precision=Precision.BF16))
    images = np.random.default_rng(0).standard_normal((4, 3, 8, 8)).astype(np.float32)
    answer = session.stream().run((images,))[0]
    difference = np.abs(answer - tiny_logits(images)).max()
    assert answer.dtype == np.float32
    assert 1e-4 < difference < 0.05
