from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.assets.layouts import check_layout
from assay.assets.layouts.openimages import images_folder
from assay.errors import InvalidInputError


@pytest.mark.parametrize("below", ["validation/data", "."])
def test_images_lie_where_the_tool_puts_them_or_beside(tmp_path: Path, below: str) -> None:
    document = {
        "images": [{"id": n, "file_name": f"{n:016x}.jpg", "height": 768, "width": 1024} for n in range(2)],
        "annotations": [{"image_id": 0, "category_id": 0, "bbox": [0.5, 0.5, 9, 9]}],
        "categories": [{"id": 0, "name": "Airplane"}],
    }
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations" / "openimages-mlperf.json").write_text(json.dumps(document))
    (tmp_path / below).mkdir(parents=True, exist_ok=True)
    with pytest.raises(InvalidInputError, match=r"2 of 2 images are missing; found no 0{16}\.jpg") as caught:
        check_layout("openimages-mlperf", tmp_path, partial=True)
    assert "openimages_mlperf.sh" in str(caught.value.hint)
    for image in document["images"]:
        assert isinstance(image, dict)
        (tmp_path / below / str(image["file_name"])).touch()
    found = check_layout("openimages-mlperf", tmp_path, partial=True)
    assert (found.samples, found.partial) == (2, True)
    assert images_folder(tmp_path) == (tmp_path / below if below != "." else tmp_path)
    with pytest.raises(InvalidInputError, match="expected 24,781; found 2"):
        check_layout("openimages-mlperf", tmp_path)
