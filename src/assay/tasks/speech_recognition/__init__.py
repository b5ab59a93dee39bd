"""Speech recognition: a recording in, the words that are said out.

Two kinds of model: RNN-T, the benchmark's (a folder of three graphs, decoded here), and Whisper, the stand-in (an
engine that generates text by itself). The recipe's ``decoder`` tells which.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from assay.base.progress import Progress
from assay.base.tensors import TensorSpec
from assay.errors import InvalidInputError
from assay.tasks.protocol import MODEL, Accuracy, BaseTask, Dataset, Model, Pipeline, Sample
from assay.tasks.speech_recognition.check import check_part
from assay.tasks.speech_recognition.fbank import Features
from assay.tasks.speech_recognition.generator import Generator
from assay.tasks.speech_recognition.logmel import LogMel
from assay.tasks.speech_recognition.recipe import read_recipe
from assay.tasks.speech_recognition.text import kind_text, labels_to_text
from assay.tasks.speech_recognition.transducer import FILES, Transducer

_BYTES_PER_SECOND = 1_200_000
"""Features and the encoder's layers (four gates of 1,024 floats every 30 ms) of one second of sound, measured."""

_BYTES_PER_WINDOW = 90_000_000
"""What Whisper tiny's encoder makes of 30 seconds (six heads of 1,500 by 1,500 scores among it), measured."""


class SpeechRecognition(BaseTask):
    """The task; it keeps nothing."""

    name = "speech-recognition"

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
        """Find the recordings of a folder."""
        del cache  # features are part of the timed path, so nothing is prepared
        from assay.tasks.speech_recognition.dataset import open_speech
        from assay.tasks.speech_recognition.vocabulary import need_tokenizer

        wanted = read_recipe(recipe)
        if wanted.decoder == "whisper" and model is not None:
            need_tokenizer(model)
        return open_speech(path, wanted, limit=limit, skip_bad=skip_bad, model=model, progress=progress)

    def parts(self, recipe: Mapping[str, Any]) -> Mapping[str, str]:
        """RNN-T's three networks; Whisper is opened as a whole."""
        return FILES if read_recipe(recipe).decoder == "rnnt" else {}

    def check_model(
        self,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
        recipe: Mapping[str, Any],
        *,
        part: str = MODEL,
    ) -> None:
        """Check one of RNN-T's networks."""
        if read_recipe(recipe).decoder == "whisper":
            raise _generates_nothing()
        check_part(part, inputs, outputs)

    def synthetic_inputs(self, recipe: Mapping[str, Any], count: int, seed: int) -> list[Sample]:
        """Noise, as long as the benchmark's recordings."""
        from assay.tasks.speech_recognition.synthetic import noise

        return noise(count, seed, read_recipe(recipe).max_seconds)

    def pipeline(self, model: Model, recipe: Mapping[str, Any]) -> Pipeline:
        """From recordings to labels or tokens.

        Raises:
            InvalidInputError: when the recipe says Whisper and the engine generates no text.
        """
        wanted = read_recipe(recipe)
        if wanted.decoder == "rnnt":
            return Transducer(model, Features(), wanted.max_symbols)
        generate = model[MODEL].generate
        if generate is None:
            raise _generates_nothing()
        return Generator(generate, LogMel(), wanted)

    def extra_memory(self, recipe: Mapping[str, Any], batch_size: int) -> int:
        """Bytes of what the encoder makes of a batch."""
        wanted = read_recipe(recipe)
        if wanted.decoder == "whisper":
            return min(batch_size, wanted.together) * _BYTES_PER_WINDOW
        return round(batch_size * wanted.max_seconds * _BYTES_PER_SECOND)

    def score(self, accuracy_log: Path, dataset: Dataset, recipe: Mapping[str, Any]) -> Accuracy:
        """Word error rate; the metric that the rounds call WER is 100 less it."""
        return self._score(accuracy_log, dataset, recipe, part=False)

    def score_part(self, accuracy_log: Path, dataset: Dataset, recipe: Mapping[str, Any]) -> Accuracy:
        """The same over the utterances that the log holds."""
        return self._score(accuracy_log, dataset, recipe, part=True)

    def _score(self, accuracy_log: Path, dataset: Dataset, recipe: Mapping[str, Any], *, part: bool) -> Accuracy:
        from assay.tasks.speech_recognition.accuracy import score
        from assay.tasks.speech_recognition.dataset import SpeechDataset
        from assay.tasks.speech_recognition.vocabulary import open_vocabulary

        assert isinstance(dataset, SpeechDataset)
        if read_recipe(recipe).decoder == "rnnt":
            read = partial(labels_to_text, where=str(accuracy_log))
            return score(accuracy_log, dataset.texts, read, part=part)
        return score(accuracy_log, dataset.texts, open_vocabulary(dataset.model), kind_text, part=part)


def _generates_nothing() -> InvalidInputError:
    return InvalidInputError(
        "the engine does not generate text, and the recipe says decoder: whisper",
        expected="a folder of CTranslate2's form with --backend ctranslate2",
        hint="for a folder of encoder.onnx, prediction.onnx and joint.onnx: --recipe decoder=rnnt",
    )


TASK = SpeechRecognition()
