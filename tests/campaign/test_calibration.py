from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from assay.base.tensors import TensorSpec
from assay.campaign.calibration import OFFICIAL_LISTS, Recorder, choose, names_of, read_wanted
from assay.errors import InvalidInputError, NotFoundError, UsageError
from assay.tasks.protocol import ModelPart

NAMES = ("val/a.JPEG", "val/b.JPEG", "val/c.JPEG")


def listing(folder: Path, text: str) -> str:
    path = folder / "cal.txt"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_number_is_the_first_samples() -> None:
    assert choose(read_wanted("2"), 3, None) == (0, 1)
    assert choose(read_wanted("9"), 3, None) == (0, 1, 2)
    assert choose(read_wanted(None), 100, None) == tuple(range(32))
    for text in ("0", "-3"):
        with pytest.raises(UsageError, match="at least one"):
            read_wanted(text)


def test_a_list_names_samples_by_path_file_or_stem(tmp_path: Path) -> None:
    wanted = read_wanted(listing(tmp_path, "c.JPEG\nb\n\nval/a.JPEG\nelsewhere/b.JPEG\nc.JPEG\n"))
    assert choose(wanted, 3, NAMES) == (2, 1, 0, 1)
    assert (wanted.official, len(wanted.sha256)) == ("", 64)


def test_numbers_are_for_datasets_without_names(tmp_path: Path) -> None:
    wanted = read_wanted(listing(tmp_path, "2\n0\n"))
    assert choose(wanted, 3, None) == (2, 0)
    for names, expected in ((NAMES, "names of its samples"), (None, "no names")):
        with pytest.raises(InvalidInputError, match="are not in the dataset") as caught:
            choose(read_wanted(listing(tmp_path, "7\nx\n")), 3, names)
        assert expected in (caught.value.expected or "")
        assert caught.value.found == "7, x"


def test_bad_lists_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no such calibration list"):
        read_wanted(str(tmp_path / "none.txt"))
    with pytest.raises(InvalidInputError, match="empty"):
        read_wanted(listing(tmp_path, "\n \n"))
    (tmp_path / "cal.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInputError, match="UTF-8"):
        read_wanted(str(tmp_path / "cal.txt"))
    (tmp_path / "cal.txt").write_bytes(b"a\n" * (3 << 20))
    with pytest.raises(InvalidInputError, match="too large"):
        read_wanted(str(tmp_path / "cal.txt"))


def test_official_lists_are_known_by_their_content() -> None:
    assert all(len(digest) == 64 for digest in OFFICIAL_LISTS)
    assert {name.partition("/")[0] for name in OFFICIAL_LISTS.values()} >= {"ImageNet", "COCO", "KiTS", "SQuAD-v1.1"}


def test_names_come_from_datasets_that_have_them() -> None:
    assert names_of(SimpleNamespace(names=NAMES)) == NAMES
    assert names_of(SimpleNamespace()) is None


def test_each_sample_may_keep_so_many_calls(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, per_sample=2)
    spec = TensorSpec("x/y:0", np.dtype(np.float32), (-1, 2))
    part = recorder.around("model", ModelPart((spec,), (spec,), lambda inputs: inputs))
    for sample in range(3):
        recorder.next_sample()
        for call in range(4):
            given = np.full((1, 2), 10 * sample + call, np.float32)
            assert part.run((given,))[0] is given
    values = [int(feed["x/y:0"][0, 0]) for feed in recorder.feeds("model")]
    assert values == [0, 1, 10, 11, 20, 21]
    assert recorder.calls("model") == 6
