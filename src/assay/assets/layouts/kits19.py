"""KiTS19 as the 3D U-Net reference preprocesses it: one pickle per case, and the masks for the accuracy."""

from __future__ import annotations

from pathlib import Path

from assay.assets.layouts.common import Checked, checked, need_files, need_folder
from assay.errors import InvalidInputError

# mlcommons/inference v3.1, vision/medical_imaging/3d-unet-kits19, meta/inference_cases.json.
CASES = tuple(
    f"case_{number:05d}"
    for number in (
        *(0, 3, 5, 6, 12, 24, 34, 41, 44, 49, 52, 56, 61, 65, 66, 70, 76, 78, 80, 84, 86, 87, 92, 111, 112, 125, 128),
        *(138, 157, 160, 161, 162, 169, 171, 176, 185, 187, 189, 198, 203, 206, 207, 400),
    )
)
# Added at v2.1 as a copy of case_00185, so that round v2.0 has 42 cases.
_ADDED = "case_00400"
# A pickle of protocol 2 or later begins with these bytes.
_PROTO = 0x80
_HINT = (
    "run `make preprocess_data` of MLCommons' vision/medical_imaging/3d-unet-kits19 on the KiTS19 data; its "
    "preprocessed_data folder holds case_*.pkl, preprocessed_files.pkl and nifti/"
)


def check_kits19(path: Path, partial: bool) -> Checked:
    """KiTS19: ``case_XXXXX.pkl`` of the 43 inference cases (42 at v2.0) and ``nifti/case_XXXXX/segmentation.nii.gz``.

    The pickles are not opened here.

    Raises:
        InvalidInputError: for what is missing or wrong.
    """
    need_folder(path, _HINT)
    found = [case for case in CASES if (path / f"{case}.pkl").is_file()]
    missing = [case for case in CASES if case not in found]
    if found and missing == [_ADDED]:
        missing = []
    if missing and (not partial or not found):
        raise InvalidInputError(
            f"{len(missing)} of {len(CASES)} cases are missing",
            where=path,
            found=f"no {', '.join(f'{case}.pkl' for case in missing[:3])}",
            hint=_HINT if not found else f"{_HINT}; to use a part of it on purpose: --partial",
        )
    for case in found:
        with (path / f"{case}.pkl").open("rb") as stream:
            if stream.read(1) != bytes([_PROTO]):
                raise InvalidInputError("no pickle of a preprocessed case", where=path / f"{case}.pkl", hint=_HINT)
    need_files(path, [f"nifti/{case}/segmentation.nii.gz" for case in found], what="masks", hint=_HINT)
    whole = len(found) + len(missing)
    return checked(path, len(found), whole, what="cases", where=path, partial=partial, hint=_HINT)
