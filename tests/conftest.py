"""What many tests share: tiny models, tiny datasets, and a home with the real stand-ins fetched once."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from hypothesis import settings as hypothesis_settings
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from assay.assets.catalogue import load_catalogue
from assay.assets.store import AssetStore
from assay.base.progress import SILENT
from assay.base.settings import Settings
from assay.errors import NotFoundError
from assay.models.build import materialise

# A busy machine is no failure. What hypothesis does under CI besides (the same examples each time) stays as it is.
_PARENT = hypothesis_settings.get_profile("ci" if os.environ.get("CI") else "default")
hypothesis_settings.register_profile("assay", _PARENT, deadline=None, max_examples=50)
hypothesis_settings.load_profile("assay")

TIMED = ("journeys", "browser", "campaign", "harness", "cli")
"""Folders whose tests time real engines or wait for real browsers; a machine that others use too may stop for a second."""

STAND_INS = ("mobilenet-v2", "efficientnet-lite0", "null-classifier")


def pytest_configure() -> None:
    """Whoever starts the tests in the background may have made them deaf to Ctrl-C, which processes of tests inherit."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None]:
    """What is collected stays to the end: it is looked through for garbage neither while it grows nor later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A failure of these counts when it comes twice; the summary names those that passed the second time only."""
    folder = Path(__file__).parent
    for item in items:
        if item.path.relative_to(folder).parts[0] in TIMED:
            item.add_marker(pytest.mark.flaky(reruns=1))


def make_classifier(path: Path, *, classes: int = 10, image: int = 32, channels: int = 3, name: str = "input") -> Path:
    """A classifier whose score of a class is the mean of one colour, so that answers can be foreseen."""
    weight = np.zeros((channels, classes), np.float32)
    for label in range(classes):
        weight[label % channels, label] = 1.0 - label * 0.01
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", [name], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["flat"], axis=1),
            helper.make_node("MatMul", ["flat", "weight"], ["logits"]),
        ],
        "colours",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", channels, image, image])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", classes])],
        [numpy_helper.from_array(weight, "weight")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def make_pictures(folder: Path, count: int = 6, size: int = 48) -> Path:
    """Pictures of one colour each, named after the class that :func:`make_classifier` gives them: red 0, green 1, blue 2."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        colour = [20, 20, 20]
        colour[number % 3] = 220
        Image.new("RGB", (size, size + number), tuple(colour)).save(folder / f"picture_{number:02d}_{number % 3}.png")
    return folder


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """Work that a test does in its own process may leave Ctrl-C to somebody else; processes of later tests inherit that."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        if signal.getsignal(number) is not handler:
            signal.signal(number, handler)


@pytest.fixture(autouse=True)
def _short_probe(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two busy seconds before a run tell nothing of a tiny model that a quarter of them does not."""
    if request.path.relative_to(Path(__file__).parent).parts[0] in TIMED:
        monkeypatch.setattr("assay.campaign.execute.PROBE_S", 0.5)


@pytest.fixture
def classifier(tmp_path: Path) -> Path:
    """A tiny ONNX classifier of 32x32 pictures."""
    return make_classifier(tmp_path / "colours.onnx")


@pytest.fixture
def large_classifier(tmp_path: Path) -> Path:
    """A tiny ONNX classifier of 64x64 pictures."""
    return make_classifier(tmp_path / "large.onnx", image=64)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Six labelled pictures."""
    return make_pictures(tmp_path / "pictures")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home of its own."""
    path = tmp_path / "home"
    monkeypatch.setenv("ASSAY_HOME", str(path))
    monkeypatch.delenv("ASSAY_OFFLINE", raising=False)
    return path


@pytest.fixture(scope="session")
def stand_in_assets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The assets folder of a home with the real stand-in models and pictures, fetched once for all test processes.

    They come from the package index. Where there is none the tests that need them are skipped, but never under CI.
    """
    root = tmp_path_factory.getbasetemp()
    root = root.parent if os.environ.get("PYTEST_XDIST_WORKER") else root
    settings = Settings(home=root / "stand-ins")
    with FileLock(root / "stand-ins.lock"):
        store = AssetStore(settings, catalogue := load_catalogue(settings))
        try:
            for name in STAND_INS:
                materialise(store, catalogue.get(name), progress=SILENT)
            store.ensure("imagenet-foolbox-20")
        except NotFoundError as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"the stand-ins cannot be fetched: {error}")
    yield settings.assets_dir


@pytest.fixture(scope="session")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Get an asset of the catalogue into the same assets folder, once for all test processes; returns its path.

    A model is built from its weights. What cannot be had skips the test, but never under CI.
    """
    root = tmp_path_factory.getbasetemp()
    root = root.parent if os.environ.get("PYTEST_XDIST_WORKER") else root
    settings = Settings(home=root / "stand-ins")

    def get(name: str) -> Path:
        catalogue = load_catalogue(settings)
        with FileLock(root / "stand-ins.lock"):
            try:
                return materialise(AssetStore(settings, catalogue), catalogue.get(name), progress=SILENT).path
            except NotFoundError as error:
                if os.environ.get("CI"):
                    raise
                pytest.skip(f"{name} cannot be fetched: {error}")

    return get


@pytest.fixture
def stand_in_home(home: Path, stand_in_assets: Path) -> Path:
    """A home of its own whose assets are the fetched stand-ins."""
    home.mkdir()
    (home / "assets").symlink_to(stand_in_assets, target_is_directory=True)
    return home
