from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.errors import InvalidInputError
from assay.tasks.medical_imaging.kept import Kept, Writer, keep


class Maker:
    def __init__(self) -> None:
        self.times = 0

    def __call__(self, writer: Writer) -> Mapping[str, Any]:
        self.times += 1
        writer.put("numbers", np.arange(6)[::2])
        return {"shape": (3,), "times": self.times}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.nii"
    path.write_bytes(b"some")
    return path


def test_it_is_made_once(tmp_path: Path, source: Path) -> None:
    make = Maker()
    first, again = (keep(tmp_path, [source], "form", make) for _ in range(2))
    assert make.times == 1
    assert first == again == Kept(first.home, {"shape": [3], "times": 1})
    assert again.array("numbers").tolist() == [0, 2, 4]


def test_another_form_or_file_is_made_anew(tmp_path: Path, source: Path) -> None:
    make = Maker()
    keep(tmp_path, [source], "form", make)
    keep(tmp_path, [source], "other form", make)
    source.write_bytes(b"something else")
    keep(tmp_path, [source], "form", make)
    keep(tmp_path, [source, tmp_path / "absent"], "form", make)
    assert make.times == 4


@pytest.mark.parametrize("name", ["numbers.npy", "index.json"])
@pytest.mark.parametrize("damage", [b"", b"rubbish"])
def test_what_was_damaged_is_made_anew(tmp_path: Path, source: Path, name: str, damage: bytes) -> None:
    make = Maker()
    kept = keep(tmp_path, [source], "form", make)
    (kept.home / name).write_bytes(damage)
    assert keep(tmp_path, [source], "form", make).array("numbers").tolist() == [0, 2, 4]
    assert make.times == 2


def test_nothing_is_left_of_what_could_not_be_made(tmp_path: Path, source: Path) -> None:
    def broken(writer: Writer) -> Mapping[str, Any]:
        writer.put("numbers", np.zeros(3))
        raise InvalidInputError("the volume is damaged")

    with pytest.raises(InvalidInputError):
        keep(tmp_path / "cache", [source], "form", broken)
    assert [path.suffix for path in (tmp_path / "cache" / "medical-imaging").iterdir()] == [".lock"]


def test_damage_after_the_check_is_told(tmp_path: Path, source: Path) -> None:
    kept = keep(tmp_path, [source], "form", Maker())
    (kept.home / "numbers.npy").write_bytes(b"rubbish")
    with pytest.raises(InvalidInputError, match="damaged"):
        kept.array("numbers")
