"""How a segmentation model wants its volumes and how its outputs are read.

Two kinds of model: one that sees a volume through a window that slides over it (MLPerf's 3D U-Net), and one that sees a
whole volume scaled to a cube (stand-ins). The numbers of MLPerf's reference are the defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from assay.errors import InvalidInputError
from assay.tasks.forms import read_form

_Number = Annotated[float, Field(allow_inf_nan=False)]
_Positive = Annotated[float, Field(allow_inf_nan=False, gt=0)]
_Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,30}$")]
_Edge = Annotated[int, Field(ge=4, le=1024)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Windows(_Form):
    """The sliding window.

    Source: mlcommons/inference v3.1, vision/medical_imaging/3d-unet-kits19, global_vars.py and inference_utils.py.

    Attributes:
        overlap: part of the window's edge that it shares with its neighbour.
        per_call: windows (or whole volumes) given to the model at once, where it takes any number; one that takes a fixed
            number gets it. More of them take memory, and save time on accelerators only.
        slab_mb: megabytes that a piece of a large layer takes at most, where the engine gets the model's layers in slabs; 0
            leaves the graph as it is, which is a tenth faster and takes up to twice the memory.
    """

    overlap: float = Field(default=0.5, gt=0, lt=1)
    per_call: int = Field(default=1, ge=1, le=64)
    slab_mb: int = Field(default=0, ge=0, le=4096)


class Raw(_Form):
    """Preparing raw CT volumes.

    Source: mlcommons/inference v3.1, vision/medical_imaging/3d-unet-kits19, global_vars.py.

    Attributes:
        spacing: voxel size after resampling, in mm.
        clip: smallest and largest intensity, in Hounsfield units.
        mean: subtracted.
        std: divided by.
        padding: value outside of the volume, after normalisation.
    """

    spacing: tuple[_Positive, _Positive, _Positive] = (1.6, 1.2, 1.2)
    clip: tuple[_Number, _Number] = (-79.0, 304.0)
    mean: _Number = 101.0
    std: _Positive = 76.9
    padding: _Number = -2.2


class OutputForm(_Form):
    """What the model's output is.

    Attributes:
        kind: ``logits`` (scores of background and every class) or ``probability`` (of the one class).
        name: output to read; the first when not given.
        threshold: a voxel is of the class above it; for ``probability``.
    """

    kind: Literal["logits", "probability"] = "logits"
    name: str | None = None
    threshold: float = Field(default=0.5, ge=0, le=1)


class Recipe(_Form):
    """A recipe.

    Attributes:
        method: ``windows`` for a window that slides over the volume, ``whole`` for the volume scaled to a cube.
        size: edge of the window or the cube, in voxels.
        layout: order of the model's axes: batch, channel, depth, height, width.
        classes: names of the classes besides the background, in the order of their labels 1, 2, ...
        copies: changed copies made of every volume of the data (mirrored, turned, of another brightness), for runs that
            need more samples than there are; for ``whole``.
        synthetic: edges of made-up volumes, for ``windows``.
    """

    method: Literal["windows", "whole"] = "windows"
    size: int = Field(default=128, ge=4, le=512)
    windows: Windows = Windows()
    raw: Raw = Raw()
    layout: Literal["NCDHW", "NDHWC"] = "NCDHW"
    classes: tuple[_Name, ...] = Field(default=("kidney", "tumor"), min_length=1, max_length=16)
    output: OutputForm = OutputForm()
    copies: int = Field(default=0, ge=0, le=7)
    synthetic: tuple[_Edge, _Edge, _Edge] = (128, 128, 128)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape of one input of the model."""
        cube = (self.size, self.size, self.size)
        return (1, *cube) if self.layout == "NCDHW" else (*cube, 1)

    @property
    def stride(self) -> int:
        """Voxels from one window to the next."""
        return int(self.size * (1 - self.windows.overlap))


def read_recipe(raw: Mapping[str, Any]) -> Recipe:
    """Check a recipe.

    Raises:
        InvalidInputError: naming the key that is wrong.
    """
    recipe = read_form(Recipe, raw)
    if recipe.stride < 1:
        raise _wrong("windows.overlap", "the window does not move", "less overlap", str(recipe.windows.overlap))
    if len(set(recipe.classes)) < len(recipe.classes):
        raise _wrong("classes", "a class is named twice", None, ", ".join(recipe.classes))
    if recipe.raw.clip[0] >= recipe.raw.clip[1]:
        raise _wrong("raw.clip", "the smallest intensity comes first", None, str(recipe.raw.clip))
    if recipe.method == "windows":
        _check_windows(recipe)
    elif recipe.output.kind != "probability" or len(recipe.classes) != 1:
        raise _wrong(
            "output.kind", "whole volumes are read as the probability of one class", "probability, and one class", None
        )
    return recipe


def _check_windows(recipe: Recipe) -> None:
    if recipe.output.kind != "logits":
        raise _wrong("output.kind", "windows are put together from scores of all classes", "logits", "probability")
    if recipe.layout != "NCDHW":
        raise _wrong("layout", "windows are put together with the channel first", "NCDHW", recipe.layout)
    if recipe.copies:
        raise _wrong("copies", "copies are made of whole volumes only", "0", str(recipe.copies))
    if any(edge < recipe.size or (edge - recipe.size) % recipe.stride for edge in recipe.synthetic):
        raise _wrong(
            "synthetic",
            "the windows do not cover such a volume",
            f"edges of {recipe.size} plus multiples of {recipe.stride}",
            str(recipe.synthetic),
        )


def _wrong(key: str, what: str, expected: str | None, found: str | None) -> InvalidInputError:
    return InvalidInputError(what, where=f"recipe: {key}", expected=expected, found=found)
