from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InvalidInputError, NotFoundError
from assay.tasks.image_classification import files
from assay.tasks.image_classification.files import find_images


def write(folder: Path, *names: str, **lists: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    for name, text in lists.items():
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")
    return folder


def found(source: Path) -> list[tuple[str, int]]:
    return [(image.name, image.label) for image in find_images(source)]


def refused(source: Path) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        find_images(source)
    return caught.value


def test_the_order_of_val_map_holds(tmp_path: Path) -> None:
    write(tmp_path, val_map__txt="b.JPEG 65\n\na.JPEG\t970\nsub/c.JPEG 0\n")
    assert found(tmp_path) == [("b.JPEG", 65), ("a.JPEG", 970), ("sub/c.JPEG", 0)]
    assert find_images(tmp_path)[2].path == tmp_path / "sub" / "c.JPEG"


def test_labels_txt_takes_names_with_spaces(tmp_path: Path) -> None:
    write(tmp_path, labels__txt="\ufeffa cat.jpg 281\r\n")
    assert found(tmp_path) == [("a cat.jpg", 281)]


def test_labels_csv_with_and_without_a_header(tmp_path: Path) -> None:
    write(tmp_path, labels__csv='path,label\n"a, b.jpg",3\nc.png, 4\n')
    assert found(tmp_path) == [("a, b.jpg", 3), ("c.png", 4)]
    write(tmp_path, labels__csv="c.png,4\n")
    assert found(tmp_path) == [("c.png", 4)]


def test_a_list_may_be_given_itself(tmp_path: Path) -> None:
    write(tmp_path, "x_1.jpg", few__txt="x_1.jpg 7\n")
    assert found(tmp_path / "few.txt") == [("x_1.jpg", 7)]


def test_labels_in_names_are_sorted_by_name(tmp_path: Path) -> None:
    write(tmp_path, "imagenet_07_609.jpg", "imagenet_00_243.JPG", "cat_1_2.png", "readme.txt", "nolabel.jpg")
    (tmp_path / "folder_3.jpg").mkdir()
    assert found(tmp_path) == [("cat_1_2.png", 2), ("imagenet_00_243.JPG", 243), ("imagenet_07_609.jpg", 609)]


def test_a_list_comes_before_names(tmp_path: Path) -> None:
    assert found(write(tmp_path, "a_1.jpg", val_map__txt="a_1.jpg 9\n")) == [("a_1.jpg", 9)]


def test_what_was_looked_for_is_said(tmp_path: Path) -> None:
    error = refused(write(tmp_path, "a.jpg", "b.jpg"))
    assert "val_map.txt" in str(error.expected)
    assert "*_LABEL.jpg" in str(error.expected)
    assert error.found == "a.jpg, b.jpg"
    assert error.where == str(tmp_path)


def test_imagenet_without_its_map_is_not_taken_by_its_numbers(tmp_path: Path) -> None:
    error = refused(write(tmp_path, "ILSVRC2012_val_00000001.JPEG"))
    assert "val_map.txt" in str(error.hint)


def test_a_folder_too_far_up_is_told(tmp_path: Path) -> None:
    (tmp_path / "imagenet").mkdir()
    write(tmp_path / "imagenet", val_map__txt="a 1")
    assert refused(tmp_path).hint == f"give {tmp_path / 'imagenet'}"


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="not there"):
        find_images(tmp_path / "none")
    assert refused(tmp_path).found == "an empty folder"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("only-a-name.jpg", "name label"),
        ("a.jpg one", "no number"),
        ("a.jpg -1", "no number"),
        ("a.jpg ²", "no number"),
        ("a.jpg 123456", "no number"),
        ("/etc/passwd 1", "leaves the folder"),
        ("../a.jpg 1", "leaves the folder"),
        ("a/../../b.jpg 1", "leaves the folder"),
        ("a\0b.jpg 1", "leaves the folder"),
    ],
)
def test_wrong_lines_are_told_with_their_number(tmp_path: Path, line: str, what: str) -> None:
    error = refused(write(tmp_path, val_map__txt=f"good.jpg 1\n{line}\n"))
    assert what in error.what
    assert str(error.where).endswith("val_map.txt:2")


def test_wrong_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "empty" in refused(write(tmp_path, labels__csv="path,label\n")).what
    assert "CSV" in refused(write(tmp_path, labels__csv='"a.jpg,1\n')).what
    assert "path,label" in refused(write(tmp_path, labels__csv="a.jpg,1,2\n")).what
    (tmp_path / "labels.csv").write_bytes(b"\xff\xfe")
    assert "UTF-8" in refused(tmp_path).what
    monkeypatch.setattr(files, "_MAX_LIST_BYTES", 1)
    assert "too large" in refused(tmp_path).what


@given(st.text(max_size=60))
def test_any_list_is_read_or_refused_with_a_place(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("list")
    for name in ("val_map.txt", "labels.csv"):
        (folder / name).write_text(text, encoding="utf-8", newline="")
        try:
            images = find_images(folder / name)
        except InvalidInputError as error:
            assert name in str(error.where)
        else:
            assert all(folder in image.path.parents and 0 <= image.label < 100000 for image in images)
