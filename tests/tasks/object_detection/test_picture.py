from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from assay.errors import InvalidInputError
from assay.tasks.object_detection.picture import Preparer, picture_size, read_picture
from assay.tasks.object_detection.recipe import read_recipe

PIXELS = np.random.default_rng(5).integers(0, 256, (30, 41, 3), np.uint8)


def prepared(**recipe: Any) -> np.ndarray[Any, Any]:
    return Preparer(read_recipe({"size": 16, **recipe}))(PIXELS)


def scaled() -> np.ndarray[Any, Any]:
    return np.asarray(cv2.resize(PIXELS.astype(np.float32), (16, 16), interpolation=cv2.INTER_LINEAR))


def write(path: Path, **options: Any) -> Path:
    Image.fromarray(PIXELS).save(path, **options)
    return path


def test_a_sample_is_scaled_as_numbers_and_lies_in_one_piece() -> None:
    sample = prepared()
    assert (sample.dtype, sample.shape, sample.flags.c_contiguous) == (np.float32, (3, 16, 16), True)
    assert np.array_equal(sample, scaled().transpose(2, 0, 1))
    assert (sample % 1 != 0).any()


def test_layout_and_channels() -> None:
    assert np.array_equal(prepared(layout="NHWC"), scaled())
    assert np.array_equal(prepared(layout="NHWC", channels="BGR"), scaled()[:, :, ::-1])


def test_bytes_are_cut_off_not_rounded() -> None:
    sample = prepared(dtype="uint8", layout="NHWC")
    assert sample.dtype == np.uint8
    assert np.array_equal(sample, scaled().astype(np.uint8))
    assert prepared(dtype="uint8", filter="bicubic").shape == (3, 16, 16)


def test_normalised_in_the_order_of_the_reference() -> None:
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    expected = (scaled() / np.float32(255) - np.array(mean, np.float32)) / np.array(std, np.float32)
    assert np.array_equal(prepared(layout="NHWC", divide=255, mean=mean, std=std), expected)
    assert np.array_equal(prepared(layout="NHWC", divide=255), scaled() / np.float32(255))


@pytest.mark.parametrize("ending", ["png", "jpg", "bmp"])
def test_pictures_are_read_as_rgb(tmp_path: Path, ending: str) -> None:
    path = write(tmp_path / f"a.{ending}")
    assert picture_size(path) == (41, 30)
    pixels = read_picture(path)
    assert pixels.shape == PIXELS.shape
    if ending != "jpg":
        assert np.array_equal(pixels, PIXELS)


def test_grey_pictures_have_three_channels(tmp_path: Path) -> None:
    Image.fromarray(PIXELS[:, :, 0]).save(tmp_path / "grey.png")
    assert read_picture(tmp_path / "grey.png").shape == (30, 41, 3)


def test_what_is_no_picture_is_told(tmp_path: Path) -> None:
    good = write(tmp_path / "good.jpg").read_bytes()
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "empty.png").touch()
    (tmp_path / "cut.jpg").write_bytes(good[: len(good) // 2])
    for name in ("text.jpg", "empty.png", "cut.jpg", "absent.jpg"):
        with pytest.raises(InvalidInputError) as caught:
            read_picture(tmp_path / name)
        assert name in str(caught.value)


def test_a_picture_that_promises_too_many_pixels_is_not_decoded(tmp_path: Path) -> None:
    Image.new("1", (20_000, 20_000)).save(tmp_path / "bomb.png")
    with pytest.raises(InvalidInputError):
        read_picture(tmp_path / "bomb.png")
