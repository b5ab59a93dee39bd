from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.assets.catalogue import load_catalogue
from assay.base.generation import Decoding, Generated, Prompt
from assay.base.progress import SILENT
from assay.base.settings import Settings
from assay.base.tensors import Array, TensorSpec
from assay.errors import InvalidInputError, NotFoundError
from assay.tasks.protocol import Dataset, Model, ModelPart, Pipeline, Task
from assay.tasks.speech_recognition import TASK
from assay.tasks.speech_recognition.recipe import read_recipe
from assay.tasks.speech_recognition.text import BLANK, LABELS
from assay.testing import TaskContract, refusal, write_accuracy_log

_spec = importlib.util.spec_from_file_location(
    "speech_makers", Path(__file__).parent / "speech_recognition" / "conftest.py"
)
assert _spec is not None
assert _spec.loader is not None
make: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(make)

TEXTS = ("he was in", "a fevered state of mind", "it's", "", "his wife's action")
WHISPER = {"decoder": "whisper", "max_seconds": 30}


def knowing(texts: Sequence[str]) -> Model:
    """Networks that know what is said: the prediction network counts, the joint network looks it up."""

    def encode(inputs: Sequence[Array]) -> Sequence[Array]:
        features = inputs[0]
        count, frames = features.shape[:2]
        encoded = np.zeros((count, (frames + 1) // 2, 1), np.float32)
        encoded[...] = np.arange(count)[:, None, None]
        return (encoded,)

    def predict(inputs: Sequence[Array]) -> Sequence[Array]:
        label, hidden, cell = (np.asarray(each, np.float32) for each in inputs)
        written = hidden + (label != BLANK)[:, None, None]
        return written[:, 0], written, cell

    def join(inputs: Sequence[Array]) -> Sequence[Array]:
        scores = np.zeros((len(inputs[0]), BLANK + 1), np.float32)
        for row, (sample, written) in enumerate(zip(*inputs, strict=True)):
            text = texts[int(sample[0])]  # type: ignore[index]
            place = int(written[0])  # type: ignore[index]
            scores[row, LABELS.index(text[place]) if place < len(text) else BLANK] = 1
        return (scores,)

    state = TensorSpec("state", np.dtype(np.float32), (-1, 1, 1))
    label = TensorSpec("label", np.dtype(np.int64), (-1,))
    return {
        "encoder": ModelPart((), (), encode),
        "prediction": ModelPart((label, state, state), (), predict),
        "joint": ModelPart((), (), join),
    }


class TestRnnt(TaskContract):
    recipe: Mapping[str, Any] = {"decoder": "rnnt"}

    def task(self) -> Task:
        return TASK

    def dataset(self, folder: Path) -> Path:
        return Path(make.write_official(folder, TEXTS))

    def model_specs(self) -> tuple[Sequence[TensorSpec], Sequence[TensorSpec]]:
        floats = np.dtype(np.float32)
        inputs = [TensorSpec("encoded", floats, (-1, 1024)), TensorSpec("output", floats, (-1, 320))]
        return inputs, [TensorSpec("scores", floats, (-1, BLANK + 1))]

    def pipeline(self, dataset: Dataset, indices: Sequence[int]) -> Pipeline:
        return TASK.pipeline(knowing([TEXTS[index] for index in indices]), self.recipe)

    def test_a_model_that_fits_is_taken_and_others_are_not(self) -> None:
        inputs, outputs = self.model_specs()
        TASK.check_model(inputs, outputs, self.recipe, part="joint")
        refusal(InvalidInputError, TASK.check_model, inputs, outputs, self.recipe)

    def test_a_log_without_every_sample_is_refused(self, tmp_path: Path) -> None:
        dataset = self.opened(tmp_path)
        responses = self.responses(dataset)
        for number, broken in enumerate((responses[1:], [*responses[1:], (0, b"abc")], [])):
            log = write_accuracy_log(tmp_path / f"{number}.json", broken)
            refusal(InvalidInputError, TASK.score, log, dataset, self.recipe)
        # Having heard nothing is an answer.
        heard = TASK.score(write_accuracy_log(tmp_path / "log.json", [*responses[1:], (0, b"")]), dataset, self.recipe)
        assert heard.details["word_error_rate"] == pytest.approx(100 * 3 / 12)


def test_rnnt_is_a_folder_of_three_and_whisper_is_one() -> None:
    assert TASK.parts({}) == {"encoder": "encoder.onnx", "prediction": "prediction.onnx", "joint": "joint.onnx"}
    assert TASK.parts(WHISPER) == {}


def test_an_engine_without_text_is_no_whisper(tmp_path: Path) -> None:
    part = ModelPart((), (), lambda _: ())
    for call in (
        lambda: TASK.pipeline({"model": part}, WHISPER),
        lambda: TASK.check_model((), (), WHISPER),
    ):
        with pytest.raises(InvalidInputError, match="does not generate text") as caught:
            call()
        assert "ctranslate2" in str(caught.value.expected)


def test_a_whisper_answers_with_tokens_that_its_tokenizer_reads(tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel({"Mr": 0, "Smith": 1, "21": 2, "?": 3}, unk_token="?"))
    data, model = tmp_path / "data", tmp_path / "model"
    model.mkdir()
    make.write_wav(data / "a.wav")
    (data / "transcripts.txt").write_text("a.wav mister Smith, twenty-one\n")

    def opened() -> Dataset:
        return TASK.open_dataset(data, WHISPER, cache=tmp_path, model=model, progress=SILENT)

    with pytest.raises(NotFoundError, match=r"tokenizer\.json"):
        opened()
    tokenizer.save(str(model / "tokenizer.json"))
    dataset = opened()

    def generate(prompts: Sequence[Prompt], decoding: Decoding) -> Sequence[Generated]:
        return [Generated(np.array([0, 1, 2], np.int32), "", None, 1) for _ in prompts]

    pipeline = TASK.pipeline({"model": ModelPart((), (), lambda _: (), generate)}, WHISPER)
    (answer,) = pipeline(dataset.load([0]))
    log = write_accuracy_log(tmp_path / "log.json", [(0, answer.tobytes())])
    found = TASK.score(log, dataset, WHISPER)
    assert found.text == "Word Error Rate: 75.0%, accuracy=25.0%"
    assert found.details == {"word_error_rate": 75.0, "word_error_rate_spelled_out": 0.0}


def test_memory_grows_with_the_batch() -> None:
    assert 15 << 20 < TASK.extra_memory({}, 1) < 30 << 20
    assert TASK.extra_memory({}, 8) == 8 * TASK.extra_memory({}, 1)
    assert TASK.batch_work({}, 8) == 0
    assert TASK.extra_memory(WHISPER, 8) == TASK.extra_memory(WHISPER, 1) == 90_000_000
    assert TASK.extra_memory({**WHISPER, "together": 4}, 3) == 270_000_000


@pytest.mark.parametrize(
    ("name", "form", "dataset"),
    [
        ("rnnt", "onnx", "librispeech-dev-clean"),
        ("rnnt-synthetic", "onnx", None),
        ("whisper-tiny", "ctranslate2", "librivox-5"),
    ],
)
def test_recipes_of_the_catalogue_are_the_tasks(tmp_path: Path, name: str, form: str, dataset: str | None) -> None:
    asset = load_catalogue(Settings(home=tmp_path)).get(name)
    assert asset.model is not None
    assert (asset.model.format, asset.model.benchmark, asset.model.dataset) == (form, "rnnt", dataset)
    recipe = read_recipe(asset.model.recipe)
    assert recipe.decoder == ("whisper" if form == "ctranslate2" else "rnnt")
    # What the reference takes (harness-spec, section 5).
    assert recipe.decoder == "whisper" or (recipe.max_seconds, recipe.max_symbols) == (15.0, 30)
