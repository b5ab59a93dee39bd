from __future__ import annotations

from pathlib import Path

import pytest

from assay.assets import layouts
from assay.assets.layouts import check_layout
from assay.errors import InvalidInputError, NotFoundError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A whole dataset in small: five images instead of 50,000."""
    monkeypatch.setattr(layouts, "_IMAGENET", 5)
    names = [f"ILSVRC2012_val_{number:08d}.JPEG" for number in range(1, 6)]
    for name in names:
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "val_map.txt").write_text("".join(f"{name} {label}\n" for label, name in enumerate(names)))
    return tmp_path


def test_a_whole_dataset_is_counted(folder: Path) -> None:
    assert check_layout("imagenet2012", folder) == 5


def test_missing_images_are_counted_and_named(folder: Path) -> None:
    (folder / "ILSVRC2012_val_00000003.JPEG").unlink()
    with pytest.raises(InvalidInputError, match="1 of 5 images are missing; found no ILSVRC2012_val_00000003.JPEG"):
        check_layout("imagenet2012", folder)


@pytest.mark.parametrize("line", ["name", "name x", "name 1000", "a b c", "name -1"])
def test_a_wrong_line_is_told_with_its_number(folder: Path, line: str) -> None:
    text = (folder / "val_map.txt").read_text().splitlines()
    (folder / "val_map.txt").write_text("\n".join([text[0], line, *text[2:]]))
    with pytest.raises(InvalidInputError, match=r"val_map\.txt:2"):
        check_layout("imagenet2012", folder)


def test_a_part_of_the_list_is_refused(folder: Path) -> None:
    (folder / "val_map.txt").write_text("a 1\n")
    with pytest.raises(InvalidInputError, match="expected 5 lines; found 1"):
        check_layout("imagenet2012", folder)


def test_no_list_and_no_folder(folder: Path) -> None:
    (folder / "val_map.txt").unlink()
    with pytest.raises(InvalidInputError, match="val_map.txt is missing"):
        check_layout("imagenet2012", folder)
    with pytest.raises(NotFoundError):
        check_layout("imagenet2012", folder / "none")
