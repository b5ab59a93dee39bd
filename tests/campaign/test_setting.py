from __future__ import annotations

from pathlib import Path

import pytest

from assay.backends.protocol import Precision
from assay.campaign.flow.forms import EntryForm
from assay.campaign.setting import SETTING_KEYS, SettingForm, read_setting, setting_schema, setting_text, write_setting
from assay.errors import InvalidInputError, NotFoundError


def test_what_is_written_is_read(tmp_path: Path) -> None:
    setting = SettingForm(
        backend="openvino", precision=Precision.INT8, threads=2, batch_size=16, batch_wait="2ms",
        backend_options={"hint": "throughput"},
    )  # fmt: skip
    path = tmp_path / "new" / "best.yaml"
    write_setting(path, setting, about="found by 30 trials: the second of the front")
    found = read_setting(path)
    assert found.setting == setting and found.about.startswith("found by 30")
    assert found.given == set(SETTING_KEYS)


def test_what_is_not_given_stays_open(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("format: 1\nthreads: 4\n")
    assert read_setting(path).given == {"threads"} and read_setting(path).setting == SettingForm(threads=4)
    assert setting_text(SettingForm()) == "format: 1\nbackend: auto\nthreads: 0\nstreams: 1\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("format: 2\n", "format"),
        ("threads: 1\n", "format"),
        ("format: 1\nthreads: -1\n", "threads"),
        ("format: 1\nbatch_wait: soon\n", "not a duration"),
        ("format: 1\ntarget_qps: 3\n", "target_qps"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(text)
    with pytest.raises(InvalidInputError, match=says) as caught:
        read_setting(path)
    assert "s.yaml" in str(caught.value.where)
    with pytest.raises(NotFoundError):
        read_setting(tmp_path / "none.yaml")


def test_an_entry_of_a_campaign_has_every_key_of_a_setting() -> None:
    assert set(SETTING_KEYS) <= set(EntryForm.model_fields)
    assert all("description" in each for name, each in setting_schema()["properties"].items() if name != "format")
