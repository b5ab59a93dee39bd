from __future__ import annotations

from pathlib import Path

import numpy as np

from assay.backends.onnxruntime import BACKEND
from assay.backends.protocol import BackendOptions
from assay.models.dlrm_movielens import read_movielens
from assay.models.dlrm_network import Network
from assay.models.dlrm_stand_in import SCHEDULE, build_movielens_dlrm, shape_for, train_on
from assay.models.training_auc import roc_auc

from .films import movielens


def test_what_is_trained_answers_on_the_test_part_and_says_how_it_was_made(tmp_path: Path) -> None:
    folder = movielens(tmp_path, ratings=3000)
    model = build_movielens_dlrm(folder, 1)
    facts = {item.key: item.value for item in model.metadata_props}
    assert facts["recipe"] == "movielens-dlrm 1"
    assert facts["seed"] == "1"
    assert facts["split"] == "80%/10%/10% at random, seed 20230911"
    assert facts["pairs"] == "2400 trained on, 300 to stop by, 300 kept for the test"
    assert int(facts["parameters"]) > 5_000
    data = read_movielens(folder)
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    session = BACKEND.open(path, BackendOptions(threads=1))
    answers = np.array(session.stream().run((data.test.dense, data.test.ids))[0])[:, 0]
    session.close()
    assert roc_auc(data.test.targets, answers) > 0.95, "odd people like odd films"
    trained = train_on(data, 1, SCHEDULE)
    logits = Network(shape_for(data)).logits(trained.parameters, data.test.dense, data.test.ids)
    assert np.allclose(answers, 1 / (1 + np.exp(-logits)), atol=1e-5)


def test_the_same_seed_gives_the_same_file(tmp_path: Path) -> None:
    folder = movielens(tmp_path, ratings=300)
    one, two, other = (build_movielens_dlrm(folder, seed).SerializeToString(deterministic=True) for seed in (1, 1, 2))
    assert one == two != other
