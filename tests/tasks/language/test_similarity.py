from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.errors import InvalidInputError, NotFoundError, UsageError
from assay.tasks.language.recipe import read_recipe
from assay.tasks.language.similarity import (
    SCORES,
    TEXTS,
    SimilarityDataset,
    correlation,
    open_texts,
    ranks,
    score_similarity,
)
from assay.testing import write_accuracy_log

from ...models.text.made import write_vocabulary

RECIPE = read_recipe({"kind": "similarity", "max_length": 8})


def made(
    folder: Path, lines: tuple[str, ...] = ("the river", "the caf\xe9 and the tower", "the", "the bridge")
) -> Path:
    write_vocabulary(folder)
    (folder / TEXTS).write_bytes("\n".join([*lines, ""]).encode("latin-1"))
    count = len(lines)
    table = [[1 - abs(a - b) / count for b in range(count)] for a in range(count)]
    (folder / SCORES).write_text("\n".join(" ".join(map(str, row)) for row in table))
    return folder


def opened(folder: Path, limit: int | None = None) -> SimilarityDataset:
    return open_texts(folder, RECIPE, limit=limit, model=folder)


def test_a_text_is_cut_where_the_model_ends(tmp_path: Path) -> None:
    data = opened(made(tmp_path))
    assert data.count == 4
    assert data.sizes.tolist() == [4, 8, 3, 4]
    tokens, segments = data.load([1])[0]
    assert len(tokens) == 8
    assert segments.tolist() == [0] * 8
    assert (tokens[0], tokens[-1]) == (2, 3)


def test_vectors_that_go_with_people_score_best(tmp_path: Path) -> None:
    data = opened(made(tmp_path))
    angles = np.arange(4) * 0.1
    vectors = np.stack((np.cos(angles), np.sin(angles)), axis=1).astype(np.float32)
    log = write_accuracy_log(tmp_path / "log.json", [(i, vectors[i].tobytes()) for i in (3, 1, 0, 2, 3)])
    found = score_similarity(log, data)
    assert found.metrics["Pearson"] == pytest.approx(0.99, abs=0.01)
    assert found.details["pairs"] == 6
    assert found.details["Spearman"] > 0.9
    assert found.text.startswith("pearson=0.9881")
    assert found.text.endswith(", pairs=6")


def test_a_part_is_scored_over_the_pairs_of_its_texts(tmp_path: Path) -> None:
    data = opened(made(tmp_path))
    angles = np.arange(4) * 0.1
    vectors = np.stack((np.cos(angles), np.sin(angles)), axis=1).astype(np.float32)
    log = write_accuracy_log(tmp_path / "log.json", [(i, vectors[i].tobytes()) for i in (3, 1, 0)])
    found = score_similarity(log, data, part=True)
    assert (found.samples, found.details["pairs"]) == (3, 3)
    # The cosines of 0.1, 0.2 and 0.3 beside 0.75, 0.5 and 0.25.
    assert found.metrics["Pearson"] == pytest.approx(np.corrcoef(np.cos([0.1, 0.3, 0.2]), [0.75, 0.25, 0.5])[0, 1])
    for few in ([3], [3, 4]):
        log = write_accuracy_log(tmp_path / "log.json", [(i, vectors[0].tobytes()) for i in few])
        with pytest.raises(InvalidInputError, match="one response for each"):
            score_similarity(log, data, part=True)


@pytest.mark.parametrize("vector", [[0.0, 0.0], [np.nan, 1.0], [1.0], []], ids=["zeros", "no number", "short", "empty"])
def test_responses_that_are_no_vectors_are_refused(tmp_path: Path, vector: list[float]) -> None:
    data = opened(made(tmp_path))
    good = np.ones(2, np.float32).tobytes()
    bad = np.array(vector, np.float32).tobytes()
    log = write_accuracy_log(tmp_path / "log.json", [(0, good), (1, good), (2, good), (3, bad)])
    with pytest.raises(InvalidInputError):
        score_similarity(log, data)
    with pytest.raises(InvalidInputError, match="one response for each"):
        score_similarity(write_accuracy_log(tmp_path / "log.json", [(0, good)]), data)


def test_correlations_are_those_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    random = np.random.default_rng(1)
    one, other = random.integers(0, 6, 40).astype(float), random.integers(0, 6, 40).astype(float)
    assert correlation(one, other) == pytest.approx(stats.pearsonr(one, other)[0])
    assert correlation(ranks(one), ranks(other)) == pytest.approx(stats.spearmanr(one, other)[0])
    assert correlation(one, np.ones(40)) == 0


def test_what_is_missing_or_does_not_fit_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=TEXTS):
        opened(tmp_path)
    made(tmp_path)
    with pytest.raises(UsageError, match="2 texts"):
        opened(tmp_path, 1)
    assert opened(tmp_path, 3).similarity.shape == (3, 3)
    for table in ("1 0\n0 1\n", "1 0\n0\n", "a b\nc d\n", "nan nan nan nan\n" * 4, ""):
        (tmp_path / SCORES).write_text(table)
        with pytest.raises(InvalidInputError, match="table of similarities"):
            opened(tmp_path)
