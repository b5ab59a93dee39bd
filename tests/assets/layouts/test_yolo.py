from __future__ import annotations

from pathlib import Path

import pytest

from assay.assets.layouts import check_layout
from assay.assets.layouts.yolo import class_names, pictures_of, read_boxes
from assay.errors import InvalidInputError


def make(folder: Path, count: int = 128, line: str = "3 0.5 0.5 0.25 0.1") -> Path:
    for name in ("images", "labels"):
        (folder / name).mkdir()
    for number in range(count):
        (folder / "images" / f"{number:012d}.jpg").touch()
        (folder / "labels" / f"{number:012d}.txt").write_text(f"{line}\n")
    return folder


def refused(folder: Path, *, partial: bool = False) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        check_layout("coco-val2017-128", folder, partial=partial)
    return caught.value


def test_the_whole_and_a_part(tmp_path: Path) -> None:
    assert check_layout("coco-val2017-128", make(tmp_path)).samples == 128
    (tmp_path / "images" / "000000000000.jpg").unlink()
    assert refused(tmp_path).expected is not None
    found = check_layout("coco-val2017-128", tmp_path, partial=True)
    assert (found.samples, found.partial) == (127, True)


def test_what_is_missing_is_told_with_how_it_has_to_look(tmp_path: Path) -> None:
    error = refused(tmp_path)
    assert error.what == "images is missing"
    assert "class x y width height" in str(error.hint)
    make(tmp_path)
    for path in (tmp_path / "labels").iterdir():
        path.write_text("")
    assert refused(tmp_path).what == "no picture has a box"


@pytest.mark.parametrize(
    "line",
    [
        "80 0.5 0.5 0.1 0.1",
        "-1 0.5 0.5 0.1 0.1",
        "1 0.5 0.5 0.1",
        "1 0.5 1.5 0.1 0.1",
        "1 nan 0.5 0.1 0.1",
        "a b c d e",
    ],
)
def test_a_line_that_is_no_box_is_told_with_its_place(tmp_path: Path, line: str) -> None:
    error = refused(make(tmp_path, 2, line), partial=True)
    assert error.found == line
    assert str(error.where).endswith("000000000000.txt:1")


def test_boxes_and_names(tmp_path: Path) -> None:
    make(tmp_path, 1)
    (box,) = read_boxes(tmp_path / "labels" / "000000000000.txt", 80)
    assert (box.label, box.x, box.width, box.height) == (3, 0.5, 0.25, 0.1)
    assert read_boxes(tmp_path / "labels" / "none.txt", 80) == []
    assert class_names(tmp_path) is None
    (tmp_path / "classes.txt").write_text("one\n\ntwo\n")
    assert class_names(tmp_path) == ["one", "two"]
    (tmp_path / "classes.txt").write_text("\n")
    with pytest.raises(InvalidInputError, match="empty"):
        class_names(tmp_path)


def test_two_pictures_may_not_share_their_boxes(tmp_path: Path) -> None:
    make(tmp_path, 2)
    (tmp_path / "images" / "000000000001.png").touch()
    with pytest.raises(InvalidInputError, match="differ only"):
        pictures_of(tmp_path)


def test_a_file_of_boxes_of_any_size_is_not_read(tmp_path: Path) -> None:
    make(tmp_path, 1)
    (tmp_path / "labels" / "000000000000.txt").write_text("0 0.5 0.5 0.1 0.1\n" * 70_000)
    with pytest.raises(InvalidInputError, match="too large"):
        read_boxes(tmp_path / "labels" / "000000000000.txt", 80)
