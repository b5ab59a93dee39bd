from __future__ import annotations

from pathlib import Path

import pytest

from assay.assets.layouts import check_layout, imagenet2012
from assay.errors import InvalidInputError, NotFoundError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A whole dataset in small: five images instead of 50,000."""
    monkeypatch.setattr(imagenet2012, "SAMPLES", 5)
    names = [f"ILSVRC2012_val_{number:08d}.JPEG" for number in range(1, 6)]
    for name in names:
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "val_map.txt").write_text("".join(f"{name} {label}\n" for label, name in enumerate(names)))
    return tmp_path


def test_a_whole_dataset_is_counted(folder: Path) -> None:
    found = check_layout("imagenet2012", folder)
    assert (found.path, found.samples, found.partial) == (folder, 5, False)
    assert not check_layout("imagenet2012", folder, partial=True).partial


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


def test_a_part_of_the_list_is_refused_unless_asked_for(folder: Path) -> None:
    (folder / "val_map.txt").write_text("ILSVRC2012_val_00000001.JPEG 1\n")
    with pytest.raises(InvalidInputError, match="expected 5; found 1") as caught:
        check_layout("imagenet2012", folder)
    assert "--partial" in str(caught.value.hint)
    found = check_layout("imagenet2012", folder, partial=True)
    assert (found.samples, found.partial) == (1, True)


@pytest.mark.parametrize("partial", [False, True])
def test_nothing_at_all_is_no_part(folder: Path, partial: bool) -> None:
    (folder / "val_map.txt").write_text("")
    with pytest.raises(InvalidInputError, match="found 0"):
        check_layout("imagenet2012", folder, partial=partial)


def test_no_list_and_no_folder(folder: Path) -> None:
    (folder / "val_map.txt").unlink()
    with pytest.raises(InvalidInputError, match="val_map.txt is missing"):
        check_layout("imagenet2012", folder)
    with pytest.raises(InvalidInputError, match="a file, where"):
        check_layout("imagenet2012", next(folder.iterdir()))
    with pytest.raises(NotFoundError):
        check_layout("imagenet2012", folder / "none")
