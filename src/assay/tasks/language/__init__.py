"""Language: the span of a text that answers a question (BERT on SQuAD), or how like two texts are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assay.base.progress import Progress
from assay.base.tensors import TensorSpec
from assay.tasks.language.padding import make_padder
from assay.tasks.language.pipelines import embedding_output, make_pipeline, span_outputs
from assay.tasks.language.recipe import read_recipe
from assay.tasks.protocol import MODEL, Accuracy, BaseTask, Dataset, Model, Pipeline, Sample

_HEADS, _INNER, _COPIES = 16, 4096, 3


class Language(BaseTask):
    """The task; it keeps nothing."""

    name = "language"

    def open_dataset(
        self,
        path: Path,
        recipe: Mapping[str, Any],
        *,
        cache: Path,
        limit: int | None = None,
        skip_bad: bool = False,
        model: Path | None = None,
        progress: Progress,
    ) -> Dataset:
        """Find the texts and make them into tokens with the model's vocabulary."""
        wanted = read_recipe(recipe)
        if wanted.kind == "similarity":
            from assay.tasks.language.similarity import open_texts

            return open_texts(path, wanted, limit=limit, model=model)
        from assay.tasks.language.questions import open_questions

        return open_questions(path, wanted, cache=cache, limit=limit, skip_bad=skip_bad, model=model, progress=progress)

    def check_model(
        self,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
        recipe: Mapping[str, Any],
        *,
        part: str = MODEL,
    ) -> None:
        """Check for inputs of tokens and mask, and for outputs of the recipe's kind."""
        del part
        wanted = read_recipe(recipe)
        make_padder(inputs, wanted)
        if wanted.kind == "similarity":
            embedding_output(outputs, wanted)
        else:
            span_outputs(outputs, wanted)

    def synthetic_inputs(self, recipe: Mapping[str, Any], count: int, seed: int) -> list[Sample]:
        """Random tokens; lengths are distributed as those of real questions, cut at the recipe's length."""
        from assay.tasks.language.lengths import synthetic_samples

        return synthetic_samples(read_recipe(recipe), count, seed)

    def pipeline(self, model: Model, recipe: Mapping[str, Any]) -> Pipeline:
        """Pad a batch, run the model once, take the padding off its outputs."""
        return make_pipeline(model[MODEL], read_recipe(recipe))

    def extra_memory(self, recipe: Mapping[str, Any], batch_size: int) -> int:
        """What a layer of BERT-Large works with: attention of every head, and a few copies of the widest layer."""
        length = read_recipe(recipe).max_length
        return 4 * batch_size * length * (_HEADS * length + _COPIES * _INNER)

    def score(self, accuracy_log: Path, dataset: Dataset, recipe: Mapping[str, Any]) -> Accuracy:
        """F1 and exact match in percent, or how cosines go with what people thought."""
        from assay.tasks.language.similarity import SimilarityDataset, score_similarity

        if isinstance(dataset, SimilarityDataset):
            return score_similarity(accuracy_log, dataset)
        from assay.tasks.language.questions import QuestionDataset
        from assay.tasks.language.squad_score import score_answers

        assert isinstance(dataset, QuestionDataset)
        return score_answers(accuracy_log, dataset, read_recipe(recipe))

    def score_part(self, accuracy_log: Path, dataset: Dataset, recipe: Mapping[str, Any]) -> Accuracy:
        """The same of the samples that the log holds; questions without an answer count as answered wrongly."""
        from assay.tasks.language.similarity import SimilarityDataset, score_similarity

        if isinstance(dataset, SimilarityDataset):
            return score_similarity(accuracy_log, dataset, part=True)
        from assay.tasks.language.questions import QuestionDataset
        from assay.tasks.language.squad_score import score_answers

        assert isinstance(dataset, QuestionDataset)
        return score_answers(accuracy_log, dataset, read_recipe(recipe), part=True)


TASK = Language()
