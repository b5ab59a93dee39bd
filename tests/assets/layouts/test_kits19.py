from __future__ import annotations

from pathlib import Path

import pytest

from assay.assets.layouts import check_layout
from assay.assets.layouts.kits19 import CASES
from assay.errors import InvalidInputError


def fill(folder: Path, *cases: str) -> Path:
    for case in cases:
        (folder / f"{case}.pkl").write_bytes(b"\x80\x04rest")
        (folder / "nifti" / case).mkdir(parents=True)
        (folder / "nifti" / case / "segmentation.nii.gz").touch()
    return folder


def test_there_are_43_cases_and_42_at_the_first_round(tmp_path: Path) -> None:
    assert (len(CASES), CASES[-1]) == (43, "case_00400")
    assert list(CASES) == sorted(CASES)
    found = check_layout("kits19", fill(tmp_path, *CASES[:-1]))
    assert (found.samples, found.partial) == (42, False)
    found = check_layout("kits19", fill(tmp_path, CASES[-1]))
    assert (found.samples, found.partial) == (43, False)


def test_a_part_is_taken_on_purpose_only(tmp_path: Path) -> None:
    fill(tmp_path, "case_00003", "case_00185")
    with pytest.raises(InvalidInputError, match=r"41 of 43 cases are missing; found no case_00000\.pkl") as caught:
        check_layout("kits19", tmp_path)
    assert "--partial" in str(caught.value.hint)
    found = check_layout("kits19", tmp_path, partial=True)
    assert (found.path, found.samples, found.partial) == (tmp_path, 2, True)


def test_masks_and_pickles_have_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="43 of 43 cases"):
        check_layout("kits19", tmp_path, partial=True)
    fill(tmp_path, "case_00003")
    (tmp_path / "nifti" / "case_00003" / "segmentation.nii.gz").unlink()
    with pytest.raises(InvalidInputError, match="1 of 1 masks are missing"):
        check_layout("kits19", tmp_path, partial=True)
    (tmp_path / "case_00003.pkl").write_bytes(b"no")
    with pytest.raises(InvalidInputError, match="no pickle"):
        check_layout("kits19", tmp_path, partial=True)
