from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.assets.layouts import check_layout, criteo
from assay.errors import InvalidInputError

ROW = "\t".join(["1", *(["5"] * 13), *(["68fd1e64"] * 26)]) + "\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three samples of 200, 200 and 100 pairs."""
    (tmp_path / criteo.TRACE).write_text("0, 200, 200\n200, 400, 200\n400, 500, 100\n")
    (tmp_path / "day_23").write_text(ROW * 500)
    return tmp_path


def test_samples_are_those_of_the_trace(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = check_layout("criteo-terabyte", folder, partial=True)
    assert (found.path, found.samples, found.partial) == (folder, 3, True)
    with pytest.raises(InvalidInputError, match="expected 330,067; found 3"):
        check_layout("criteo-terabyte", folder)
    monkeypatch.setattr(criteo, "SAMPLES", 3)
    with pytest.raises(InvalidInputError, match="expected 89,137,319 pairs; found 500"):
        check_layout("criteo-terabyte", folder)


def test_the_binary_form_is_taken_too(folder: Path) -> None:
    (folder / "day_23").unlink()
    with pytest.raises(InvalidInputError, match="day_23 is missing"):
        check_layout("criteo-terabyte", folder, partial=True)
    (folder / "terabyte_processed_test.bin").write_bytes(bytes(160 * 500))
    assert check_layout("criteo-terabyte", folder, partial=True).samples == 3
    for size in (160 * 499, 160 * 500 + 1):
        (folder / "terabyte_processed_test.bin").write_bytes(bytes(size))
        with pytest.raises(InvalidInputError, match="at least 500 rows of 160 bytes"):
            check_layout("criteo-terabyte", folder, partial=True)


@pytest.mark.parametrize(
    "line", ["x", "200, 400", "200, 400, 100", "100, 300, 200", "200, 200, 0", "200, 400, 200, 1", "200, -4, 200"]
)
def test_a_wrong_line_of_the_trace_is_told(folder: Path, line: str) -> None:
    (folder / criteo.TRACE).write_text(f"0, 200, 200\n{line}\n")
    with pytest.raises(InvalidInputError, match=r"samples\.txt:2: .*expected 200, END, SIZE"):
        check_layout("criteo-terabyte", folder, partial=True)


@pytest.mark.parametrize("text", ["1,2,3\n" * 9_000, "7" + ROW[1:] * 500, "", ROW])
def test_other_text_is_told(folder: Path, text: str) -> None:
    (folder / "day_23").write_text(text)
    with pytest.raises(InvalidInputError, match="not a row|too short"):
        check_layout("criteo-terabyte", folder, partial=True)


def test_no_trace_is_told(folder: Path) -> None:
    (folder / criteo.TRACE).unlink()
    with pytest.raises(InvalidInputError, match="dlrm_trace_of_aggregated_samples.txt is missing"):
        check_layout("criteo-terabyte", folder)


@pytest.fixture
def multihot(tmp_path: Path) -> Path:
    """Ten rows."""
    np.save(tmp_path / "day_23_dense.npy", np.zeros((10, 13), np.float32))
    np.save(tmp_path / "day_23_labels.npy", np.zeros((10, 1), np.int32))
    sparse(tmp_path, rows=10)
    return tmp_path


def sparse(folder: Path, *, rows: int, tables: int = 26) -> None:
    arrays = {str(number): np.zeros((rows, 1 + number % 3), np.int32) for number in range(tables)}
    np.savez(folder / "day_23_sparse_multi_hot.npz", **arrays)  # type: ignore[arg-type]


def test_multihot_rows_are_counted(multihot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = check_layout("criteo-terabyte-multihot", multihot, partial=True)
    assert (found.samples, found.partial) == (10, True)
    with pytest.raises(InvalidInputError, match="expected 178,274,637; found 10"):
        check_layout("criteo-terabyte-multihot", multihot)
    monkeypatch.setattr(criteo, "ROWS", 10)
    found = check_layout("criteo-terabyte-multihot", multihot)
    assert (found.samples, found.partial) == (330_067, False)


def test_multihot_arrays_of_other_shapes_are_told(multihot: Path) -> None:
    sparse(multihot, rows=9)
    with pytest.raises(InvalidInputError, match="another number of rows; expected 10; found 9"):
        check_layout("criteo-terabyte-multihot", multihot, partial=True)
    sparse(multihot, rows=10, tables=25)
    with pytest.raises(InvalidInputError, match="not the 26 arrays"):
        check_layout("criteo-terabyte-multihot", multihot, partial=True)
    (multihot / "day_23_sparse_multi_hot.npz").write_bytes(b"PK no zip")
    with pytest.raises(InvalidInputError, match="damaged"):
        check_layout("criteo-terabyte-multihot", multihot, partial=True)
    np.save(multihot / "day_23_dense.npy", np.zeros((10, 12), np.float32))
    with pytest.raises(InvalidInputError, match=r"expected \[rows, 13\] of numbers; found \[10, 12\]"):
        check_layout("criteo-terabyte-multihot", multihot, partial=True)


def test_an_array_that_could_run_code_is_refused_unread(multihot: Path) -> None:
    np.save(multihot / "day_23_dense.npy", np.full((10, 13), None, object), allow_pickle=True)
    with pytest.raises(InvalidInputError, match="another shape"):
        check_layout("criteo-terabyte-multihot", multihot, partial=True)
    (multihot / "day_23_dense.npy").write_bytes(b"\x93NUMPY\x01\x00\xff\xff" + b"[" * 70_000)
    with pytest.raises(InvalidInputError, match="no array"):
        check_layout("criteo-terabyte-multihot", multihot, partial=True)
