from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.assets.layouts import LAYOUTS, check_layout
from assay.assets.layouts.common import checked, entries, need_files, read_list, read_object
from assay.errors import InvalidInputError

NAMES = {
    "cnn-dailymail": "cnn_eval.json",
    "coco-val2017-128": "labels/000000000139.txt",
    "coco2017": "annotations/instances_val2017.json",
    "criteo-terabyte": "dlrm_trace_of_aggregated_samples.txt",
    "criteo-terabyte-multihot": "day_23_dense.npy",
    "imagenet2012": "val_map.txt",
    "kits19": "case_00000.pkl",
    "librispeech-dev-clean": "dev-clean-wav.json",
    "openimages-mlperf": "annotations/openimages-mlperf.json",
    "squad-v1.1": "dev-v1.1.json",
    "xquad-en": "xquad.en.json",
}
DATA = sorted(set(LAYOUTS) - {"onnx-model"})  # of any content; see test_onnx_model
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["images", "data", "paragraphs", "qas", "files", "id"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("layout", DATA)
def test_an_empty_folder_lacks_something_that_is_named(tmp_path: Path, layout: str) -> None:
    with pytest.raises(InvalidInputError, match="missing") as caught:
        check_layout(layout, tmp_path)
    assert caught.value.hint


@pytest.mark.parametrize("layout", DATA)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=100) | JSON)
def test_strangers_files_are_told_whatever_they_hold(tmp_path: Path, layout: str, content: object) -> None:
    path = tmp_path / NAMES[layout]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    with pytest.raises(InvalidInputError):
        check_layout(layout, tmp_path, partial=True)


@pytest.mark.parametrize(
    ("found", "partial", "right"),
    [(10, False, True), (9, False, False), (11, False, False), (9, True, True), (0, True, False), (11, True, False)],
)
def test_a_count_is_the_whole_or_a_part_that_was_asked_for(
    tmp_path: Path, found: int, partial: bool, right: bool
) -> None:
    def check() -> bool:
        return checked(tmp_path, found, 10, what="images", where=tmp_path, partial=partial, hint="get them").partial

    if right:
        assert check() == (found < 10)
    else:
        with pytest.raises(InvalidInputError, match=f"found {found}"):
            check()


def test_a_folder_in_the_place_of_a_list_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("{}")
    (tmp_path / "b").write_text("[]")
    assert (read_object(tmp_path / "a", ""), read_list(tmp_path / "b", "")) == ({}, [])
    with pytest.raises(InvalidInputError, match="not a JSON list"):
        read_list(tmp_path / "a", "")


def test_files_in_folders_are_looked_up(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "x").touch()
    need_files(tmp_path, ["a/b/x"], what="files", hint="")
    with pytest.raises(InvalidInputError, match=r"2 of 3 files are missing; found no a/b/y, c/x"):
        need_files(tmp_path, ["a/b/x", "a/b/y", "c/x"], what="files", hint="")


def test_a_truth_value_is_no_number() -> None:
    with pytest.raises(InvalidInputError, match=r"rows\[0\]\.n is wrong; found True"):
        entries([{"n": True}], "rows", {"n": int}, Path("x"))
