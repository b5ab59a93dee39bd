from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.assets.forms import read_manifest
from assay.backends.onnxruntime import BACKEND
from assay.backends.protocol import BackendOptions
from assay.models import dlrm_synthetic
from assay.models.dlrm_synthetic import DLRM, DLRM_V2, MAX_ROWS, Official, build_dlrm_synthetic, draw_official
from assay.tasks.recommendation import TASK

MANIFESTS = Path(dlrm_synthetic.__file__).parents[1] / "assets" / "manifests"
BOTH = pytest.mark.parametrize(
    ("official", "name", "seed"), [(DLRM, "dlrm-synthetic", 1), (DLRM_V2, "dlrm-v2-synthetic", 1)]
)


def test_the_tables_are_those_of_the_reference() -> None:
    assert (len(DLRM.rows), sum(DLRM.hots), DLRM.interaction) == (26, 26, 479)
    assert (len(DLRM_V2.rows), sum(DLRM_V2.hots), DLRM_V2.interaction) == (26, 214, 3456)
    assert DLRM.table_bytes == pytest.approx(96.1e9, rel=0.01)
    assert DLRM_V2.table_bytes == pytest.approx(104.5e9, rel=0.01)


@BOTH
def test_a_model_of_few_rows_fits_its_task_and_answers_any_number_of_pairs(
    tmp_path: Path, official: Official, name: str, seed: int
) -> None:
    recipe = {"hots": official.hots, "rows": [min(rows, 8) for rows in official.rows], "fold": True}
    path = tmp_path / "model.onnx"
    path.write_bytes(build_dlrm_synthetic(official, seed, max_rows=8).SerializeToString())
    session = BACKEND.open(path, BackendOptions(threads=1))
    TASK.check_model(session.inputs, session.outputs, recipe)
    stream = session.stream()
    samples = TASK.synthetic_inputs(recipe, 2, 1)
    answers = [np.array(stream.run(sample[:2])[0]) for sample in samples]
    assert [len(answer) for answer in answers] == [len(sample[2]) for sample in samples]
    assert all(0 <= answer.min() <= answer.max() <= 1 and answer.std() > 0.01 for answer in answers)
    session.close()


@BOTH
def test_the_manifest_says_the_rows_that_are_built(official: Official, name: str, seed: int) -> None:
    asset = read_manifest(MANIFESTS / f"{name}.yaml")
    assert asset.model is not None
    assert asset.build is not None
    assert asset.build.seed == seed
    assert asset.labels == ("synthetic-weights",)
    assert asset.model.recipe["rows"] == [min(rows, MAX_ROWS) for rows in official.rows]
    assert tuple(asset.model.recipe.get("hots", (1,) * 26)) == official.hots


def test_weights_come_from_the_seed() -> None:
    one, same, other = (draw_official(DLRM, seed, max_rows=2) for seed in (1, 1, 2))
    assert all(np.array_equal(value, same[name]) for name, value in one.items())
    assert not np.array_equal(one["top.0.weight"], other["top.0.weight"])
    assert one["top.0.weight"].shape == (1024, 479)
