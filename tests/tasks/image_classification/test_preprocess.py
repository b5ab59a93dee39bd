from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from assay.errors import InvalidInputError
from assay.tasks.image_classification import preprocess
from assay.tasks.image_classification.preprocess import Normaliser, crop_offset, decode, target_size
from assay.tasks.image_classification.recipe import Recipe, read_recipe

Draw = Callable[..., Path]
REFERENCE = {"mean": [123.68, 116.78, 103.94]}
TORCH = {
    "resize": {"filter": "bilinear", "library": "pil"},
    "scale": 0.00392156862745098,
    "mean": [0.485, 0.456, 0.406],
    "std": [0.229, 0.224, 0.225],
}
SIZES = [(500, 375), (375, 500), (256, 256), (300, 300), (640, 100), (101, 733), (257, 311), (224, 230)]


def sample(path: Path, recipe: Recipe) -> NDArray[Any]:
    out = np.empty(recipe.shape, recipe.dtype)
    Normaliser(recipe)(decode(path, recipe), out)
    return out


def refused(path: Path, **recipe: Any) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        decode(path, read_recipe(recipe))
    assert str(path) in str(caught.value)
    return caught.value


# ---- arithmetic


def as_the_reference(path: Path) -> NDArray[Any]:
    """The steps of the reference implementation, written out for 224 pixels."""
    image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    height, width = image.shape[:2]
    wide = (256, int(256 * height / width)) if height > width else (int(256 * width / height), 256)
    image = cv2.resize(image, wide, interpolation=cv2.INTER_AREA)
    top, left = int((image.shape[0] - 224) / 2), int((image.shape[1] - 224) / 2)
    floats = image[top : top + 224, left : left + 224].astype(np.float32)
    floats -= np.array([123.68, 116.78, 103.94], np.float32)
    return floats.transpose(2, 0, 1)


def as_torchvision(path: Path) -> NDArray[Any]:
    """Resize, centre crop, to tensor, normalise."""
    image = Image.open(path).convert("RGB")
    width, height = image.size
    size = (256, int(256 * height / width)) if width < height else (int(256 * width / height), 256)
    image = image.resize(size, Image.Resampling.BILINEAR)
    left, top = round((size[0] - 224) / 2.0), round((size[1] - 224) / 2.0)
    values = np.asarray(image.crop((left, top, left + 224, top + 224))).transpose(2, 0, 1).astype(np.float32)
    mean, std = (np.array(TORCH[key], np.float32)[:, None, None] for key in ("mean", "std"))
    return np.asarray((values / np.float32(255) - mean) / std)


@pytest.mark.parametrize("size", SIZES)
def test_pixels_are_those_of_the_reference(draw: Draw, size: tuple[int, int]) -> None:
    path = draw("a.jpg", *size)
    assert np.array_equal(sample(path, read_recipe(REFERENCE)), as_the_reference(path))


@pytest.mark.parametrize("size", SIZES)
def test_pixels_are_those_of_torchvision(draw: Draw, size: tuple[int, int]) -> None:
    path = draw("a.jpg", *size)
    assert np.array_equal(sample(path, read_recipe(TORCH)), as_torchvision(path))


@given(st.integers(1, 9000), st.integers(1, 9000), st.integers(8, 600))
def test_sizes_are_truncated_from_one_division(width: int, height: int, short: int) -> None:
    wide, high = target_size(width, height, short)
    assert min(wide, high) == short
    assert max(wide, high) == short * max(width, height) // min(width, height)


def test_a_scale_rounded_first_would_be_a_pixel_short() -> None:
    """256 / 103 is no binary number: times 103 it is less than 256."""
    assert int(103 * (256 / 103)) == 255
    assert target_size(103, 103, 256) == (256, 256)


def test_crops_begin_where_each_library_puts_them() -> None:
    cv2_recipe, pil_recipe = read_recipe({}), read_recipe(TORCH)
    assert [crop_offset(size, 224, cv2_recipe) for size in (224, 225, 227, 341)] == [0, 0, 1, 58]
    # Half to even: 0.5 -> 0, 1.5 -> 2.
    assert [crop_offset(size, 224, pil_recipe) for size in (224, 225, 227, 341)] == [0, 0, 2, 58]


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("channels", ["RGB", "BGR"])
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_layout_channels_and_type(layout: str, channels: str, dtype: str) -> None:
    recipe = read_recipe({"crop": 8, "layout": layout, "channels": channels, "dtype": dtype})
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    out = np.empty(recipe.shape, dtype)
    Normaliser(recipe)(image, out)
    wanted = image if channels == "RGB" else image[:, :, ::-1]
    assert np.array_equal(out, wanted.transpose(2, 0, 1) if layout == "NCHW" else wanted)


def test_means_are_in_the_order_of_the_models_channels() -> None:
    recipe = read_recipe({"crop": 8, "channels": "BGR", "mean": [1, 2, 3], "std": [2, 4, 8], "scale": 2})
    out = np.empty(recipe.shape, np.float32)
    image = np.zeros((8, 8, 3), np.uint8)
    image[:] = (10, 20, 30)
    Normaliser(recipe)(image, out)
    assert out[:, 0, 0].tolist() == [(60 - 1) / 2, (40 - 2) / 4, (20 - 3) / 8]


# ---- kinds of files


@pytest.mark.parametrize("library", ["cv2", "pil"])
@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "LA", "I;16"])
def test_every_kind_of_pixels_becomes_rgb(tmp_path: Path, library: str, mode: str) -> None:
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    image = Image.new("RGBA" if mode == "P" else mode, (40, 30))
    if mode == "P":
        image = image.convert("P")
        image.info["transparency"] = bytes(range(256))
    image.save(path)
    assert decode(path, read_recipe({"resize": {"library": library, "short_side": 32}, "crop": 24})).shape == (
        24,
        24,
        3,
    )


@pytest.mark.parametrize("library", ["cv2", "pil"])
class TestUnreadable:
    def resize(self, library: str) -> dict[str, Any]:
        return {"library": library}

    def test_missing(self, library: str, tmp_path: Path) -> None:
        assert "missing" in refused(tmp_path / "none.jpg", resize=self.resize(library)).what

    def test_no_image(self, library: str, tmp_path: Path) -> None:
        for number, content in enumerate((b"", b"GIF89a" + bytes(20), b"\xff\xd8\xff\xe0rubbish", b"<svg/>")):
            path = tmp_path / f"{number}.jpg"
            path.write_bytes(content)
            assert "cannot be decoded" in refused(path, resize=self.resize(library)).what

    @pytest.mark.parametrize("name", ["a.jpg", "a.png"])
    def test_cut_off(self, library: str, name: str, draw: Draw) -> None:
        path = draw(name, 200, 200)
        raw = path.read_bytes()
        for part in (0.95, 0.5, 0.05):
            path.write_bytes(raw[: int(len(raw) * part)])
            refused(path, resize=self.resize(library))

    def test_folder(self, library: str, tmp_path: Path) -> None:
        refused(tmp_path, resize=self.resize(library))

    def test_a_header_that_promises_too_much(self, library: str, tmp_path: Path) -> None:
        def chunk(kind: bytes, data: bytes) -> bytes:
            return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

        header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
        path = tmp_path / "bomb.png"
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(99))))
        refused(path, resize=self.resize(library))

    def test_a_thread_that_scaling_would_blow_up(self, library: str, draw: Draw) -> None:
        error = refused(draw("thin.png", 20_000, 1), resize=self.resize(library))
        assert "before and after scaling" in str(error.expected)

    def test_too_many_bytes(self, library: str, draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(preprocess, "_MAX_BYTES", 10)
        assert "too large" in refused(draw("a.png"), resize=self.resize(library)).what


def test_bytes_behind_the_end_do_no_harm(draw: Draw) -> None:
    path = draw("a.jpg", 300, 300)
    before = decode(path, read_recipe({}))
    path.write_bytes(path.read_bytes() + b"\xff\xda behind the end")
    assert np.array_equal(decode(path, read_recipe({})), before)


def test_a_cut_off_jpeg_is_refused_where_opencv_would_take_it(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    path = draw("a.jpg", 300, 300)
    whole = cv2.imread(str(path))
    path.write_bytes(path.read_bytes()[:-500])
    monkeypatch.setattr(cv2, "imdecode", lambda raw, flags: whole)
    assert "truncated" in str(refused(path).found)


def test_what_opencv_raises_is_translated(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*arguments: object) -> None:
        raise cv2.error("out of luck")

    monkeypatch.setattr(cv2, "imdecode", breaks)
    assert refused(draw("a.png", 300, 300)).found == "out of luck"
