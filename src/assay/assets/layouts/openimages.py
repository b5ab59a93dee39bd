"""OpenImages v6 validation, cut down to MLPerf's 264 classes by the reference's own tool."""

from __future__ import annotations

from pathlib import Path

from assay.assets.layouts.coco import read_coco_images
from assay.assets.layouts.common import Checked, checked, need_files, need_folder

# harness-spec: qsl_reported_total_count of published v3.0 logs.
SAMPLES = 24_781
_HINT = (
    "run MLCommons' vision/classification_and_detection/tools/openimages_mlperf.sh -d FOLDER; it makes "
    "annotations/openimages-mlperf.json and validation/data/*.jpg"
)


def check_openimages(path: Path, partial: bool) -> Checked:
    """OpenImages for MLPerf: ``annotations/openimages-mlperf.json`` in COCO's form, and the images it names.

    They lie in ``validation/data`` where the tool puts them, or beside ``annotations``.

    Raises:
        InvalidInputError: for what is missing or wrong.
    """
    need_folder(path, _HINT)
    annotations = path / "annotations" / "openimages-mlperf.json"
    images = read_coco_images(annotations, _HINT)
    found = checked(path, len(images), SAMPLES, what="images", where=annotations, partial=partial, hint=_HINT)
    need_files(images_folder(path), images, what="images", hint=_HINT)
    return found


def images_folder(path: Path) -> Path:
    """Where the images of a folder of this layout lie."""
    below = path / "validation" / "data"
    return below if below.is_dir() else path
