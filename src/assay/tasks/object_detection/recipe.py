"""How a detector wants its samples and where its detections are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from assay.errors import InvalidInputError
from assay.tasks.forms import read_form

_Number = Annotated[float, Field(allow_inf_nan=False)]
_Positive = Annotated[float, Field(allow_inf_nan=False, gt=0)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OutputForm(_Form):
    """Where the detections are in the model's outputs, best first.

    Attributes:
        detections: output whose rows are corner, corner, score, class; in place of the next three.
        boxes: output of the boxes.
        scores: output of the scores.
        classes: output of the classes.
        count: output that says how many rows count; all when not given.
        corners: order of a box's numbers.
        unit: pixels of the resized picture, or its whole side.
        threshold: the first score below it ends the list; none when not given.
        class_offset: added to the class: 1 for models that count from 0.
    """

    detections: str | None = None
    boxes: str = "boxes"
    scores: str = "scores"
    classes: str = "labels"
    count: str | None = None
    corners: Literal["xyxy", "yxyx"] = "xyxy"
    unit: Literal["pixels", "fraction"] = "pixels"
    threshold: float | None = Field(default=None, ge=0, le=1)
    class_offset: int = Field(default=0, ge=-1, le=1)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the outputs that are read: boxes, scores, classes and the count, or the detections alone."""
        if self.detections is not None:
            return (self.detections,)
        return (self.boxes, self.scores, self.classes, *([self.count] if self.count is not None else []))


class Recipe(_Form):
    """A recipe: decode, resize without regard to the aspect ratio, ``(pixel / divide - mean) / std``, layout.

    Attributes:
        size: height and width that the picture is resized to.
        divide: pixels (0..255) are divided by this before mean and deviation.
        classes: what a class number in a response is: the id of a category of the dataset, or its position in the
            dataset's list of categories, the first being 1 (the reference's inverse label map).
        together: pictures of a batch that the model sees at once, at most; all when not given. A model whose layers are
            large is no faster on a CPU with more, and takes the memory of each.
    """

    size: int = Field(default=800, ge=8, le=4096)
    filter: Literal["area", "bilinear", "bicubic"] = "bilinear"
    divide: _Positive = 1.0
    mean: tuple[_Number, _Number, _Number] = (0.0, 0.0, 0.0)
    std: tuple[_Positive, _Positive, _Positive] = (1.0, 1.0, 1.0)
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    dtype: Literal["float32", "uint8"] = "float32"
    channels: Literal["RGB", "BGR"] = "RGB"
    output: OutputForm = OutputForm()
    classes: Literal["id", "position"] = "id"
    together: int | None = Field(default=None, ge=1, le=1024)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of one sample."""
        return (3, self.size, self.size) if self.layout == "NCHW" else (self.size, self.size, 3)


def read_recipe(raw: Mapping[str, Any]) -> Recipe:
    """Check a recipe.

    Raises:
        InvalidInputError: naming the key that is wrong.
    """
    recipe = read_form(Recipe, raw)
    if recipe.dtype == "uint8":
        for key in ("divide", "mean", "std"):
            if getattr(recipe, key) != Recipe.model_fields[key].default:
                raise InvalidInputError(
                    f"pixels as uint8 cannot be normalised, so {key} means nothing",
                    where=f"recipe: {key}",
                    hint="leave it out, or take dtype: float32",
                )
    return recipe
