"""Language model: a news article in, a summary out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assay.base.progress import Progress
from assay.base.tensors import TensorSpec
from assay.errors import InvalidInputError
from assay.models.tokenizer import open_tokenizer
from assay.tasks.language_model.pipeline import GeneratingPipeline
from assay.tasks.language_model.recipe import read_recipe
from assay.tasks.protocol import MODEL, Accuracy, BaseTask, Dataset, Model, Pipeline, Ragged

# fmt: off
_WORDS = (
    "the", "of", "a", "to", "in", "was", "his", "it", "with", "new",
    "day", "city", "said", "people", "government", "after", "over", "year", "two", "police",
)
# fmt: on
_LEAST, _MOST = 60, 900
_IDS = (300, 20_000)


class LanguageModel(BaseTask):
    """The task; it keeps nothing."""

    name = "language-model"

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
        """Make the prompts of a dataset."""
        from assay.tasks.language_model.dataset import open_texts

        return open_texts(
            path, read_recipe(recipe), cache=cache, limit=limit, skip_bad=skip_bad, model=model, progress=progress
        )

    def check_model(
        self,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
        recipe: Mapping[str, Any],
        *,
        part: str = MODEL,
    ) -> None:
        """Refuse models that do not generate by themselves: engines that do are not asked here."""
        del outputs, part
        read_recipe(recipe)
        raise _no_generator(", ".join(spec.name for spec in inputs) or "nothing")

    def synthetic_inputs(self, recipe: Mapping[str, Any], count: int, seed: int) -> Ragged:
        """Words and token ids without sense, of the lengths of news articles up to the recipe's limit."""
        most = min(_MOST, read_recipe(recipe).max_prompt_tokens)
        random = np.random.default_rng(seed)
        samples: Ragged = []
        for length in random.integers(min(_LEAST, most), most + 1, count):
            ids = random.integers(*_IDS, int(length), np.int32)
            text = " ".join(random.choice(_WORDS, int(length)))
            samples.append((ids, np.frombuffer(text.encode("ascii"), np.uint8)))
        return samples

    def pipeline(self, model: Model, recipe: Mapping[str, Any]) -> Pipeline:
        """Prompts to the engine, its answers to LoadGen."""
        part = model[MODEL]
        if part.generate is None:
            raise _no_generator(", ".join(spec.name for spec in part.inputs) or "nothing")
        wanted = read_recipe(recipe)
        tokenizer = None if wanted.tokenizer is None else open_tokenizer(Path(wanted.tokenizer).expanduser())
        return GeneratingPipeline(part.generate, wanted.wanted_decoding(), tokenizer)

    def score(self, accuracy_log: Path, dataset: Dataset, recipe: Mapping[str, Any]) -> Accuracy:
        """ROUGE-1, -2, -L and the length of all answers."""
        from assay.tasks.language_model.accuracy import score_log
        from assay.tasks.language_model.dataset import TextDataset

        assert isinstance(dataset, TextDataset)
        return score_log(accuracy_log, dataset, read_recipe(recipe))

    def score_part(self, accuracy_log: Path, dataset: Dataset, recipe: Mapping[str, Any]) -> Accuracy:
        """The same over the texts that the log holds."""
        from assay.tasks.language_model.accuracy import score_log
        from assay.tasks.language_model.dataset import TextDataset

        assert isinstance(dataset, TextDataset)
        return score_log(accuracy_log, dataset, read_recipe(recipe), part=True)


def _no_generator(found: str) -> InvalidInputError:
    return InvalidInputError(
        "the engine does not make text with this model",
        expected="an engine that generates by itself",
        found=f"a graph that takes {found}",
        hint="--backend llamacpp with a GGUF file, or --backend openai with a server",
    )


TASK = LanguageModel()
