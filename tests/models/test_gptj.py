from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from assay.assets.catalogue import Catalogue, load_catalogue
from assay.assets.store import AssetStore
from assay.base.progress import SILENT
from assay.base.settings import Settings
from assay.errors import MachineError
from assay.models import gptj
from assay.models.build import materialise
from assay.models.gptj import GPTJ_6B, build_gptj

from .tiny_gptj import SMALL, arrays_of, tiny_gptj


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_gptj(tmp_path_factory.mktemp("gptj") / "tiny")


def test_the_true_model_has_six_billion_weights() -> None:
    """6,050,882,784 of the checkpoint are these matrices, biases and norms."""
    width, inner = GPTJ_6B.width, GPTJ_6B.inner
    norms_and_biases = GPTJ_6B.layers * (2 * width + inner + width) + 2 * width + GPTJ_6B.vocabulary
    assert GPTJ_6B.weight_bytes + norms_and_biases == 6_050_882_784
    assert (GPTJ_6B.layers, width, GPTJ_6B.heads, GPTJ_6B.rotary) == (28, 4096, 16, 64)


def test_a_seed_gives_the_same_model(folder: Path, tmp_path: Path) -> None:
    again, other = tiny_gptj(tmp_path / "again"), tiny_gptj(tmp_path / "other", seed=4)
    assert (again / "model.bin").read_bytes() == (folder / "model.bin").read_bytes()
    assert (other / "model.bin").read_bytes() != (folder / "model.bin").read_bytes()
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.bin", "vocabulary.json"]


def test_tokens_are_as_many_as_rows_and_one_ends_a_text(folder: Path) -> None:
    tokens = json.loads((folder / "vocabulary.json").read_text())
    assert len(set(tokens)) == len(tokens) == SMALL.vocabulary
    assert tokens[SMALL.end] == json.loads((folder / "config.json").read_text())["eos_token"]


def test_weights_are_spread_as_at_the_start_of_training(folder: Path) -> None:
    arrays = arrays_of(folder)
    for name, wanted in (("decoder/layer_1/ffn/linear_0", 1.28 / 32**0.5), ("decoder/embeddings", 1.0)):
        values = arrays[f"{name}/weight"] / arrays[f"{name}/weight_scale"][:, None]
        assert values.std() == pytest.approx(wanted, rel=0.05)
    assert min(array.min() for name, array in arrays.items() if name.endswith("/weight")) == -127


def test_the_file_is_the_one_that_the_library_writes(folder: Path, tmp_path: Path) -> None:
    """Byte for byte, for the arguments that its converter of GPT-J gives."""
    pytest.importorskip("ctranslate2", reason="the extra speech is not installed")
    from ctranslate2.specs import common_spec, transformer_spec

    arrays = arrays_of(folder)
    spec = transformer_spec.TransformerDecoderModelSpec.from_config(
        SMALL.layers,
        SMALL.heads,
        pre_norm=True,
        activation=common_spec.Activation.GELUTanh,
        rotary_dim=SMALL.rotary,
        rotary_interleave=False,
        parallel_residual=True,
        shared_layer_norm=True,
    )
    spec.decoder.scale_embeddings = False

    def fill(part: Any, name: str) -> None:
        for key in ("weight", "weight_scale", "bias", "gamma", "beta"):
            if f"{name}/{key}" in arrays:
                setattr(part, key, arrays[f"{name}/{key}"])

    for key in ("embeddings", "projection", "layer_norm"):
        fill(getattr(spec.decoder, key), f"decoder/{key}")
    for number, layer in enumerate(spec.decoder.layer):
        name = f"decoder/layer_{number}"
        fill(layer.shared_layer_norm, f"{name}/shared_layer_norm")
        for side in (0, 1):
            fill(getattr(layer.ffn, f"linear_{side}"), f"{name}/ffn/linear_{side}")
            fill(layer.self_attention.linear[side], f"{name}/self_attention/linear_{side}")
    spec.register_vocabulary(json.loads((folder / "vocabulary.json").read_text()))
    for key in ("bos_token", "eos_token", "unk_token"):
        setattr(spec.config, key, "<|endoftext|>")
    spec.validate()
    spec.save(str(tmp_path))
    assert (tmp_path / "model.bin").read_bytes() == (folder / "model.bin").read_bytes()
    theirs, ours = (json.loads((place / "config.json").read_text()) for place in (tmp_path, folder))
    assert theirs.pop("layer_norm_epsilon") is None, "the library's own, which is GPT-J's"
    assert ours.pop("layer_norm_epsilon") == 1e-5
    assert theirs == ours
    assert json.loads((tmp_path / "vocabulary.json").read_text()) == json.loads(
        (folder / "vocabulary.json").read_text()
    )


def test_one_array_is_in_memory_at_a_time(tmp_path: Path) -> None:
    """Drawn as late as they are written, in the order of their names."""
    random = np.random.default_rng(1)
    makers = gptj._makers(SMALL, random)
    before = random.bit_generator.state
    assert np.random.default_rng(1).bit_generator.state == before, "nothing is drawn yet"
    assert all(callable(make) for make in makers.values())


def test_a_disk_that_is_too_small_is_told_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = SimpleNamespace(total=10 << 30, used=8 << 30, free=2 << 30)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: few)
    with pytest.raises(MachineError, match="not enough disk space") as caught:
        build_gptj(1, tmp_path / "model")
    assert caught.value.expected == "6.1 GB free"
    assert not (tmp_path / "model").exists()


def test_the_catalogues_model_is_built_once_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gptj, "build_gptj", partial(build_gptj, shape=SMALL))
    asset = load_catalogue(Settings(home=tmp_path)).get("gptj-synthetic")
    assert asset.model is not None
    official = load_catalogue(Settings(home=tmp_path)).get("gptj").model
    assert official is not None
    assert (asset.model.recipe, asset.model.benchmark) == (official.recipe, official.benchmark)
    assert (asset.model.format, asset.labels, asset.model.dataset) == ("ctranslate2", ("synthetic-weights",), None)
    store = AssetStore(Settings(home=tmp_path), Catalogue({asset.name: asset}))
    found = materialise(store, asset, progress=SILENT)
    assert found.path.is_dir()
    written = (found.path / "model.bin").stat().st_mtime_ns
    assert materialise(store, asset, progress=SILENT) == found
    assert (found.path / "model.bin").stat().st_mtime_ns == written
