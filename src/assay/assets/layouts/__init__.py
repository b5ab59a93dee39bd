"""Folders that users bring: what has to be in them, one module per dataset."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from assay.assets.layouts.coco import check_coco2017
from assay.assets.layouts.common import Checked
from assay.assets.layouts.criteo import check_criteo, check_criteo_multihot
from assay.assets.layouts.imagenet2012 import check_imagenet2012
from assay.assets.layouts.kits19 import check_kits19
from assay.assets.layouts.librispeech import check_librispeech
from assay.assets.layouts.onnx_model import check_onnx_model
from assay.assets.layouts.openimages import check_openimages
from assay.assets.layouts.texts import check_cnn_dailymail, check_squad, check_xquad
from assay.assets.layouts.yolo import check_coco_val2017_128
from assay.errors import NotFoundError

__all__ = ["LAYOUTS", "Checked", "check_layout"]

LAYOUTS: dict[str, Callable[[Path, bool], Checked]] = {
    "cnn-dailymail": check_cnn_dailymail,
    "coco-val2017-128": check_coco_val2017_128,
    "coco2017": check_coco2017,
    "criteo-terabyte": check_criteo,
    "criteo-terabyte-multihot": check_criteo_multihot,
    "imagenet2012": check_imagenet2012,
    "kits19": check_kits19,
    "librispeech-dev-clean": check_librispeech,
    "onnx-model": check_onnx_model,
    "openimages-mlperf": check_openimages,
    "squad-v1.1": check_squad,
    "xquad-en": check_xquad,
}


def check_layout(layout: str, path: Path, *, partial: bool = False) -> Checked:
    """Check a folder (or, where the dataset is one file, that file) against a layout.

    Args:
        layout: one of :data:`LAYOUTS`.
        path: what the user brings.
        partial: fewer samples than the dataset has are allowed; what is listed has to be there all the same.

    Raises:
        NotFoundError: when the folder is not there.
        InvalidInputError: for what is missing or wrong, with the first few names.
    """
    if not path.exists():
        raise NotFoundError("the folder is not there", where=path)
    return LAYOUTS[layout](path, partial)
