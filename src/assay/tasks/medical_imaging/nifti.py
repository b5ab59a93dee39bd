"""NIfTI volumes of strangers: the header is looked at before anything large is read.

A gzipped volume may unpack to a thousand times its size; what is read of it is what the header says, and what the header
may say is bounded.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from assay.errors import InvalidInputError, NotFoundError

_HEADER_BYTES = 348
_MAX_VOXELS = 1 << 29
# Extensions stand between the header and the voxels; real ones have a few kilobytes.
_MAX_OFFSET = 1 << 20
_MAX_EDGE = 4096
_NUMBERS = "iuf"
_FIRST = "a NIfTI-1 volume (.nii or .nii.gz)"
# What gzip, zlib and nibabel raise over a damaged file; a KeyError over an unknown type of voxel.
_DAMAGE = (OSError, EOFError, zlib.error, struct.error, ValueError, OverflowError, KeyError, TypeError)


@dataclass(frozen=True, slots=True)
class Header:
    """What is needed of a NIfTI header.

    Attributes:
        shape: voxels along each of the three axes.
        spacing: size of a voxel along each axis, in the header's unit (mm).
        affine: from voxel to patient coordinates, ``(4, 4)``.
    """

    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    affine: NDArray[np.float64]


def read_header(path: Path, *, affine: bool = True) -> Header:
    """Read and check the header of a volume.

    Args:
        path: ``.nii`` or ``.nii.gz``.
        affine: refuse a volume that does not say where its voxels lie.

    Raises:
        NotFoundError: when the file is not there.
        InvalidInputError: when it is no volume of three dimensions of numbers, too large, or without affine.
    """
    import nibabel
    from nibabel.spatialimages import HeaderDataError
    from nibabel.wrapstruct import WrapStructError

    start = _start(path)
    try:
        # Its own checks are those of a diligent reader: sizes, units, codes; what it mends with a guess is looked at below.
        header = nibabel.Nifti1Header(start, check=False)
        shape, kind = tuple(int(n) for n in header.get_data_shape()), header.get_data_dtype()
    except (HeaderDataError, WrapStructError, *_DAMAGE) as error:
        raise InvalidInputError(f"the NIfTI header is malformed: {error}", where=path, expected=_FIRST) from error
    if int(header["sizeof_hdr"]) != _HEADER_BYTES or bytes(header["magic"].item())[:3] not in (b"n+1", b"n+1\0"):
        raise InvalidInputError("not a NIfTI volume in one file", where=path, expected=_FIRST)
    _check_data(path, shape, kind, float(header["vox_offset"]))
    return Header(_three(path, shape), _spacing(path, header), _affine(path, header, needed=affine))


def read_volume(path: Path, header: Header) -> NDArray[Any]:
    """The voxels of a volume, in the file's own type unless it scales them; Fortran order, as files have it.

    Args:
        path: ``.nii`` or ``.nii.gz``.
        header: of that file, from :func:`read_header`.

    Raises:
        InvalidInputError: when the file is cut off, damaged, or holds values that are no finite numbers.
    """
    import nibabel
    from nibabel.filebasedimages import ImageFileError
    from nibabel.spatialimages import HeaderDataError

    try:
        voxels: NDArray[Any] = np.asanyarray(nibabel.Nifti1Image.from_filename(path).dataobj)
    except (ImageFileError, HeaderDataError, *_DAMAGE) as error:
        raise InvalidInputError(f"the volume is cut off or damaged: {error}", where=path, expected=_FIRST) from error
    voxels = voxels.reshape(header.shape, order="F")
    if voxels.dtype.kind == "f" and not np.isfinite(voxels).all():
        raise InvalidInputError("the volume holds voxels that are no finite numbers", where=path)
    return voxels


def _start(path: Path) -> bytes:
    """The first bytes of the file, unpacked where it is packed."""
    try:
        packed = path.name.endswith(".gz")
        with gzip.open(path, "rb") if packed else path.open("rb") as stream:
            start = cast("IO[bytes]", stream).read(_HEADER_BYTES)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise NotFoundError("the volume is not there", where=path) from error
    except _DAMAGE as error:
        raise InvalidInputError(f"the file cannot be unpacked: {error}", where=path, expected=_FIRST) from error
    if len(start) < _HEADER_BYTES:
        raise InvalidInputError(
            "too short for a NIfTI header", where=path, expected=_FIRST, found=f"{len(start)} bytes"
        )
    return start


def _check_data(path: Path, shape: tuple[int, ...], kind: np.dtype[Any], offset: float) -> None:
    if kind.kind not in _NUMBERS or kind.itemsize > 8:
        raise InvalidInputError("the voxels are no plain numbers", where=path, found=str(kind))
    if not shape or any(not 0 < n <= _MAX_EDGE for n in shape) or math.prod(shape) > _MAX_VOXELS:
        raise InvalidInputError(
            "the volume is too large or has no voxels",
            where=path,
            expected=f"1 to {_MAX_VOXELS:,} voxels, {_MAX_EDGE:,} along an axis at most",
            found=" x ".join(map(str, shape)) or "no dimensions",
        )
    if not _HEADER_BYTES <= offset <= _MAX_OFFSET:
        raise InvalidInputError(
            "the voxels lie at an impossible place",
            where=path,
            expected=f"{_HEADER_BYTES} to {_MAX_OFFSET:,} bytes from the start",
            found=f"{offset:g}",
        )


def _three(path: Path, shape: tuple[int, ...]) -> tuple[int, int, int]:
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) != 3:
        raise InvalidInputError(
            "not a volume of three dimensions",
            where=path,
            expected="depth, height and width",
            found=" x ".join(map(str, shape)),
            hint="a series in time or of several channels has to be taken apart first",
        )
    return shape


def _spacing(path: Path, header: Any) -> tuple[float, float, float]:
    first, second, third = (float(n) for n in header["pixdim"][1:4])
    if not all(math.isfinite(n) and 1e-3 <= n <= 1e3 for n in (first, second, third)):
        raise InvalidInputError(
            "the size of a voxel is missing or impossible",
            where=path,
            expected="0.001 to 1,000 mm (pixdim)",
            found=f"{first:g} x {second:g} x {third:g}",
        )
    return first, second, third


def _affine(path: Path, header: Any, *, needed: bool) -> NDArray[np.float64]:
    if needed and int(header["sform_code"]) <= 0 and int(header["qform_code"]) <= 0:
        raise InvalidInputError(
            "the volume has no affine: nothing says how its voxels lie in the patient",
            where=path,
            expected="a qform or an sform",
            hint="convert it again from its DICOM files, or set the affine with a tool such as nibabel or fslorient",
        )
    from nibabel.spatialimages import HeaderDataError

    try:
        affine: NDArray[np.float64] = np.asarray(header.get_best_affine(), np.float64)
    except (HeaderDataError, *_DAMAGE) as error:
        raise InvalidInputError(f"the affine is malformed: {error}", where=path) from error
    if not np.isfinite(affine).all() or abs(float(np.linalg.det(affine[:3, :3]))) < 1e-12:
        raise InvalidInputError("the affine is singular or no number", where=path)
    return affine
