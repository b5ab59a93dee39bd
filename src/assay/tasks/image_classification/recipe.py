"""How an image model wants its samples and how its outputs are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from assay.errors import InvalidInputError
from assay.tasks.forms import read_form

_Number = Annotated[float, Field(allow_inf_nan=False)]
_Deviation = Annotated[float, Field(allow_inf_nan=False, gt=0)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Resize(_Form):
    """Scaling before the crop; the aspect ratio is kept.

    Attributes:
        library: what decodes and scales; it decides the arithmetic of sizes and of the crop too.
    """

    short_side: int = Field(default=256, ge=8, le=4096)
    filter: Literal["area", "bilinear", "bicubic"] = "area"
    library: Literal["cv2", "pil"] = "cv2"


class OutputForm(_Form):
    """What the model's output is.

    Attributes:
        kind: ``logits`` (scores of all classes) or ``argmax`` (the label itself).
        label_offset: added to the label: -1 for models with a background class.
        name: output to read; the first when not given.
        top: labels kept in a response, best first; LoadGen's log then gives top-k accuracy too.
    """

    kind: Literal["logits", "argmax"] = "logits"
    label_offset: int = Field(default=0, ge=-1, le=1)
    name: str | None = None
    top: int = Field(default=5, ge=1, le=10)


class Recipe(_Form):
    """A recipe: decode, resize, crop, ``(pixel * scale - mean) / std``, layout.

    Attributes:
        scale: pixels (0..255) are multiplied by this before mean and deviation.
    """

    resize: Resize = Resize()
    crop: int = Field(default=224, ge=8, le=4096)
    scale: _Number = 1.0
    mean: tuple[_Number, _Number, _Number] = (0.0, 0.0, 0.0)
    std: tuple[_Deviation, _Deviation, _Deviation] = (1.0, 1.0, 1.0)
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    dtype: Literal["float32", "uint8"] = "float32"
    channels: Literal["RGB", "BGR"] = "RGB"
    output: OutputForm = OutputForm()

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of one sample."""
        return (3, self.crop, self.crop) if self.layout == "NCHW" else (self.crop, self.crop, 3)


def read_recipe(raw: Mapping[str, Any]) -> Recipe:
    """Check a recipe.

    Raises:
        InvalidInputError: naming the key that is wrong.
    """
    recipe = read_form(Recipe, raw)
    if recipe.crop > recipe.resize.short_side:
        raise InvalidInputError(
            "the crop is larger than the resized image",
            where="recipe: crop",
            expected=f"at most {recipe.resize.short_side}",
            found=str(recipe.crop),
        )
    if recipe.dtype == "uint8":
        for key in ("scale", "mean", "std"):
            if getattr(recipe, key) != Recipe.model_fields[key].default:
                raise InvalidInputError(
                    f"pixels as uint8 cannot be normalised, so {key} means nothing",
                    where=f"recipe: {key}",
                    hint="leave it out, or take dtype: float32",
                )
    return recipe
