from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.base.generation import Decoding, Generated, Prompt
from assay.base.tensors import Array, TensorSpec
from assay.errors import InvalidInputError
from assay.tasks.language_model import TASK
from assay.tasks.language_model.dataset import TextDataset
from assay.tasks.protocol import MODEL, Dataset, ModelPart, Pipeline, Task
from assay.testing import TaskContract, refusal, write_accuracy_log

from .language_model.conftest import RECIPE, write_cnn

GRAPH = TensorSpec("ids", np.dtype(np.int64), (-1, -1))
NO_IDS = np.empty(0, np.int32)


def no_graph(inputs: Sequence[Array]) -> Sequence[Array]:
    raise AssertionError("there is no graph")


class TestLanguageModel(TaskContract):
    recipe = RECIPE

    def task(self) -> Task:
        return TASK

    def dataset(self, folder: Path) -> Path:
        pytest.importorskip("nltk", reason="the extra llm is not installed")
        return write_cnn(folder)

    def model_specs(self) -> tuple[Sequence[TensorSpec], Sequence[TensorSpec]]:
        return (), ()

    def pipeline(self, dataset: Dataset, indices: Sequence[int]) -> Pipeline:
        assert isinstance(dataset, TextDataset)
        left = [dataset.targets.text(index) for index in indices]

        def generate(prompts: Sequence[Prompt], decoding: Decoding) -> Sequence[Generated]:
            return [Generated(NO_IDS, left.pop(0), None, 1) for _ in prompts]

        return TASK.pipeline({MODEL: ModelPart((), (), no_graph, generate)}, self.recipe)

    def test_a_model_that_fits_is_taken_and_others_are_not(self) -> None:
        """Graphs are refused; engines that generate by themselves are not asked."""
        for specs in ([GRAPH], []):
            with pytest.raises(InvalidInputError, match="does not make text") as caught:
                TASK.check_model(specs, [GRAPH], RECIPE)
            assert "llamacpp" in str(caught.value.hint)

    def test_a_log_without_every_sample_is_refused(self, tmp_path: Path) -> None:
        """An empty answer counts, as in the official script, unless all are empty."""
        dataset = self.opened(tmp_path)
        responses = self.responses(dataset)
        for number, broken in enumerate((responses[1:], [(index, b"") for index in range(dataset.count)], [])):
            log = write_accuracy_log(tmp_path / f"{number}.json", broken)
            refusal(InvalidInputError, TASK.score, log, dataset, self.recipe)
        log = write_accuracy_log(tmp_path / "one.json", [*responses[1:], (0, b"")])
        assert TASK.score(log, dataset, self.recipe).metrics["ROUGE1"] == 80.0


def test_an_engine_that_runs_graphs_only_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="does not make text") as caught:
        TASK.pipeline({MODEL: ModelPart((GRAPH,), (GRAPH,), no_graph)}, RECIPE)
    assert caught.value.found == "a graph that takes ids"


def test_synthetic_prompts_stay_within_the_limit() -> None:
    made: Any = TASK.synthetic_inputs({**RECIPE, "max_prompt_tokens": 100}, 20, 1)
    assert {60 <= len(ids) <= 100 for ids, _ in made} == {True}
    assert made[0][1].tobytes().decode().count(" ") == len(made[0][0]) - 1
