"""What an engine, a task or a power meter has to hold, as tests that its author can run.

Derive a class, name it ``Test...``, say how the thing is made, and let pytest collect it::

    class TestMyEngine(BackendContract):
        def backend(self) -> Backend:
            return MyEngine()

Only pytest's ``tmp_path`` is needed.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.backends.protocol import Backend, BackendOptions, Precision, Session
from assay.base.progress import SILENT
from assay.base.tensors import Array, TensorSpec
from assay.errors import AssayError, InvalidInputError, NotFoundError, UsageError
from assay.power.meters import Meter, Recorder
from assay.power.samples import read_samples
from assay.tasks.protocol import MODEL, Dataset, ModelPart, Pipeline, Sample, Samples, Task

TINY_SHAPE = (3, 8, 8)
TINY_CLASSES = 10
_FEATURES = 4


def tiny_classifier(path: Path, *, batch: int | None = None) -> Path:
    """Write a small ONNX classifier (convolution, ReLU, global mean, linear layer) and return its path.

    It takes float32 ``input`` of ``(batch, 3, 8, 8)`` to ``logits`` of ``(batch, 10)``; :func:`tiny_logits` computes
    the same.

    Args:
        path: where the file goes.
        batch: the one batch size it takes; any when not given.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    size: int | str = "batch" if batch is None else batch
    kernel, weight = _tiny_weights()
    nodes = [
        helper.make_node("Conv", ["input", "kernel"], ["conv"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["conv"], ["relu"]),
        helper.make_node("GlobalAveragePool", ["relu"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"], axis=1),
        helper.make_node("MatMul", ["flat", "weight"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny-classifier",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [size, *TINY_SHAPE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [size, TINY_CLASSES])],
        [numpy_helper.from_array(kernel, "kernel"), numpy_helper.from_array(weight, "weight")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path


def tiny_logits(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the model of :func:`tiny_classifier` computes, in numpy."""
    kernel, weight = _tiny_weights()
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    features = np.maximum(np.einsum("nchwij,fcij->nfhw", windows, kernel), 0).mean(axis=(2, 3))
    return np.asarray(features @ weight, np.float32)


def _tiny_weights() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    random = np.random.default_rng(7)
    kernel = random.standard_normal((_FEATURES, TINY_SHAPE[0], 3, 3)).astype(np.float32)
    return kernel, random.standard_normal((_FEATURES, TINY_CLASSES)).astype(np.float32)


def write_accuracy_log(path: Path, responses: Iterable[tuple[int, bytes]]) -> Path:
    """Write responses (sample index, bytes) in the form of LoadGen's ``mlperf_log_accuracy.json``."""
    lines = [
        json.dumps({"seq_id": number, "qsl_idx": index, "data": data.hex().upper()})
        for number, (index, data) in enumerate(responses)
    ]
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="ascii")
    return path


def refusal(kinds: type[AssayError] | tuple[type[AssayError], ...], call: Any, *arguments: Any) -> AssayError:
    """The error that a call raises, of one of these kinds, saying what is wrong in a sentence."""
    try:
        call(*arguments)
    except kinds as error:
        assert len(error.what) > 10, f"says too little: {error.what!r}"
        return error
    raise AssertionError(f"nothing was refused; expected {kinds}")


def samples_of(samples: Samples) -> list[Sample]:
    """Samples one by one, in either form."""
    if isinstance(samples, list):
        return samples
    return [tuple(array[row] for array in samples) for row in range(len(samples[0]))]


def same_samples(some: Samples, others: Samples) -> bool:
    """Whether all arrays of all samples are equal."""
    ones, twos = samples_of(some), samples_of(others)
    return len(ones) == len(twos) and all(
        np.array_equal(one, two) for a, b in zip(ones, twos, strict=True) for one, two in zip(a, b, strict=True)
    )


class BackendContract:
    """What :class:`~assay.backends.protocol.Backend` asks of an engine.

    Attributes:
        computes: whether its answers mean something.
        tolerance: largest difference from numpy's single precision that is allowed.
    """

    computes = True
    tolerance = 1e-4

    def backend(self) -> Backend:
        """The engine."""
        raise NotImplementedError

    def model(self, folder: Path) -> Path:
        """A model file; one that computes what :meth:`expected` does."""
        return tiny_classifier(folder / "tiny.onnx")

    def broken_model(self, folder: Path) -> Path:
        """A file that is no model."""
        path = folder / "broken.onnx"
        path.write_bytes(b"this is no model" * 64)
        return path

    def expected(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the model answers."""
        return tiny_logits(images)

    def images(self, session: Session, count: int, seed: int = 0) -> NDArray[np.float32]:
        """Inputs of the model."""
        shape = (count, *session.inputs[0].shape[1:])
        return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)

    def check(self, answer: Array, expected: NDArray[np.float32]) -> None:
        """Check an answer of the engine against numpy's."""
        difference = np.abs(np.asarray(answer, np.float32) - expected).max()
        assert difference <= self.tolerance, f"differs by {difference:.2g} from what the model computes"

    def test_it_has_a_name_and_a_title(self) -> None:
        backend = self.backend()
        assert backend.name == backend.name.strip().lower()
        assert backend.title
        assert backend.formats, "the forms of model that it reads"

    def test_it_tells_what_it_can_do(self) -> None:
        able = self.backend().capabilities()
        assert able.version
        assert able.devices
        assert Precision.FP32 in able.precisions

    def test_an_unknown_option_is_refused_without_a_model(self) -> None:
        backend = self.backend()
        backend.check_options(BackendOptions(threads=1))
        refusal(UsageError, backend.check_options, BackendOptions(extra={"no such option": "1"}))

    def test_a_session_tells_inputs_and_outputs(self, tmp_path: Path) -> None:
        session = self.backend().open(self.model(tmp_path), BackendOptions())
        assert len(session.inputs) == 1
        assert session.inputs[0].shape[0] == -1, "the batch is free"
        assert session.inputs[0].dtype == np.float32
        assert session.outputs[0].name
        session.close()

    def test_a_session_describes_itself(self, tmp_path: Path) -> None:
        session = self.backend().open(self.model(tmp_path), BackendOptions(threads=1))
        facts = session.describe()
        assert {"engine", "version", "device", "precision"} <= facts.keys()
        assert all(isinstance(value, str) and value for value in facts.values())
        session.close()

    def test_every_batch_size_gives_a_row_for_each_sample(self, tmp_path: Path) -> None:
        session = self.backend().open(self.model(tmp_path), BackendOptions(threads=1))
        session.prepare([1, 4])
        stream = session.stream()
        # 3 has not been prepared: slower at most.
        for count in (1, 4, 3, 1):
            images = self.images(session, count, seed=count)
            outputs = stream.run((images,))
            assert len(outputs) == len(session.outputs)
            for output, spec in zip(outputs, session.outputs, strict=True):
                assert output.dtype == spec.dtype
                assert len(output) == count
            if self.computes:
                self.check(outputs[0], self.expected(images))
        session.close()

    def test_inputs_are_left_as_they_are(self, tmp_path: Path) -> None:
        session = self.backend().open(self.model(tmp_path), BackendOptions(threads=1))
        images = self.images(session, 2)
        before = images.copy()
        session.stream().run((images,))
        assert np.array_equal(images, before)
        session.close()

    def test_part_of_a_larger_array_is_taken_as_well(self, tmp_path: Path) -> None:
        session = self.backend().open(self.model(tmp_path), BackendOptions(threads=1))
        images = self.images(session, 5)
        outputs = session.stream().run((images[2:4],))
        if self.computes:
            self.check(outputs[0], self.expected(images[2:4]))
        session.close()

    def test_answers_hold_until_the_next_call_on_the_same_stream(self, tmp_path: Path) -> None:
        session = self.backend().open(self.model(tmp_path), BackendOptions(threads=1, streams=2))
        one, other = session.stream(), session.stream()
        images = self.images(session, 2)
        answer = one.run((images,))[0]
        before = np.array(answer)
        other.run((self.images(session, 2, seed=9),))
        assert np.array_equal(answer, before)
        session.close()

    def test_streams_run_side_by_side(self, tmp_path: Path) -> None:
        session = self.backend().open(self.model(tmp_path), BackendOptions(threads=1, streams=3))
        session.prepare([1, 2, 3])
        wrong: list[str] = []

        def work(number: int) -> None:
            try:
                stream = session.stream()
                images = self.images(session, number + 1, seed=number)
                expected = self.expected(images)
                for _ in range(25):
                    answer = stream.run((images,))[0]
                    if self.computes and not np.allclose(answer, expected, atol=self.tolerance):
                        wrong.append(f"stream {number} got another's answer")
            except AssayError as error:
                wrong.append(str(error))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        assert not wrong, wrong[0]
        session.close()

    def test_what_is_no_model_is_refused(self, tmp_path: Path) -> None:
        path = self.broken_model(tmp_path)
        error = refusal(InvalidInputError, self.backend().open, path, BackendOptions())
        assert str(path) in str(error)

    def test_a_missing_model_is_told(self, tmp_path: Path) -> None:
        refusal(NotFoundError, self.backend().open, tmp_path / "none.onnx", BackendOptions())

    def test_a_closed_session_may_be_closed_again(self, tmp_path: Path) -> None:
        session = self.backend().open(self.model(tmp_path), BackendOptions())
        session.close()
        session.close()

    def test_a_format_is_met_or_refused(self, tmp_path: Path) -> None:
        """A model that is not quantised never counts as int8; bf16 and fp16 run, or are refused with the reason."""
        backend = self.backend()
        model = self.model(tmp_path)
        if self.computes:
            refusal(UsageError, backend.open, model, BackendOptions(precision=Precision.INT8))
        for precision in (Precision.BF16, Precision.FP16):
            try:
                session = backend.open(model, BackendOptions(precision=precision))
            except UsageError as error:
                assert error.hint, "a refused format has a way out"
                continue
            assert not self.computes or session.describe()["precision"] == precision.value
            assert len(session.stream().run((self.images(session, 1),))[0]) == 1
            session.close()


class TaskContract:
    """What :class:`~assay.tasks.protocol.Task` asks of a task.

    Attributes:
        recipe: a recipe that the task takes.
        best_score: value of the first metric when every answer is right.
    """

    recipe: Mapping[str, Any] = {}
    best_score = 100.0

    def task(self) -> Task:
        """The task."""
        raise NotImplementedError

    def dataset(self, folder: Path) -> Path:
        """Make a dataset of at least four samples in a folder; returns the path to open."""
        raise NotImplementedError

    def model_specs(self) -> tuple[Sequence[TensorSpec], Sequence[TensorSpec]]:
        """Inputs and outputs of a model that fits the recipe."""
        raise NotImplementedError

    def right_outputs(self, dataset: Dataset, indices: Sequence[int]) -> Sequence[Array]:
        """What a perfect model gives for some samples, stacked."""
        raise NotImplementedError

    def opened(self, folder: Path, *, limit: int | None = None) -> Dataset:
        """The dataset of :meth:`dataset`, opened."""
        home = folder / "data"
        if not home.is_dir():
            home.mkdir()
            self.dataset(home)
        return self.task().open_dataset(home, self.recipe, cache=folder / "cache", limit=limit, progress=SILENT)

    def responses(self, dataset: Dataset) -> list[tuple[int, bytes]]:
        """Sample index and bytes of the right response of every sample."""
        indices = range(dataset.count)
        answers = list(self.pipeline(dataset, indices)(dataset.load(indices)))
        return [(index, answers[index].tobytes()) for index in indices]

    def pipeline(self, dataset: Dataset, indices: Sequence[int]) -> Pipeline:
        """A pipeline of the task around a model that answers these samples right; for other models, make your own."""
        inputs, outputs = self.model_specs()
        right = self.right_outputs(dataset, indices)
        return self.task().pipeline({MODEL: ModelPart(tuple(inputs), tuple(outputs), lambda _: right)}, self.recipe)

    def test_samples_come_in_the_order_asked_for(self, tmp_path: Path) -> None:
        dataset = self.opened(tmp_path)
        assert dataset.count >= 4
        whole = dataset.load(range(dataset.count))
        some = dataset.load([2, 0, 3])
        assert isinstance(whole, list) == isinstance(some, list)
        assert len(samples_of(some)) == 3
        for index, sample in zip([2, 0, 3], samples_of(some), strict=True):
            for array, same in zip(sample, samples_of(whole)[index], strict=True):
                assert array.flags.c_contiguous
                assert np.array_equal(array, same)

    def test_sizes_are_those_of_the_samples(self, tmp_path: Path) -> None:
        dataset = self.opened(tmp_path)
        sizes = dataset.sizes
        if sizes is not None:
            assert sizes.shape == (dataset.count,)
            assert sizes.min() >= 0

    def test_samples_are_what_the_model_takes(self, tmp_path: Path) -> None:
        inputs, _ = self.model_specs()
        samples = self.opened(tmp_path).load([0])
        if isinstance(samples, list):
            return  # what the model takes is made by the task's pipeline
        for array, spec in zip(samples, inputs, strict=True):
            assert array.dtype == spec.dtype
            assert all(want in (-1, have) for have, want in zip(array.shape, spec.shape, strict=True))

    def test_a_second_opening_gives_the_same(self, tmp_path: Path) -> None:
        first, second = self.opened(tmp_path), self.opened(tmp_path)
        assert first.count == second.count
        assert same_samples(first.load([1]), second.load([1]))

    def test_a_limit_takes_the_first_samples(self, tmp_path: Path) -> None:
        few = self.opened(tmp_path, limit=2)
        assert few.count == 2
        assert same_samples(few.load([1]), self.opened(tmp_path).load([1]))

    def test_a_folder_without_samples_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "data").mkdir()
        error = refusal((InvalidInputError, NotFoundError), self.opened, tmp_path)
        assert str(tmp_path) in str(error)

    def test_an_unknown_key_of_the_recipe_is_refused(self) -> None:
        inputs, outputs = self.model_specs()
        error = refusal(InvalidInputError, self.task().check_model, inputs, outputs, {**self.recipe, "no such key": 1})
        assert "no such key" in str(error)

    def test_a_model_that_fits_is_taken_and_others_are_not(self) -> None:
        inputs, outputs = self.model_specs()
        task = self.task()
        task.check_model(inputs, outputs, self.recipe)
        refusal(InvalidInputError, task.check_model, [], outputs, self.recipe)
        refusal(InvalidInputError, task.check_model, inputs, [], self.recipe)

    def test_synthetic_inputs_are_like_samples_and_the_same_for_a_seed(self, tmp_path: Path) -> None:
        task = self.task()
        made, again = task.synthetic_inputs(self.recipe, 3, 5), task.synthetic_inputs(self.recipe, 3, 5)
        other = task.synthetic_inputs(self.recipe, 3, 6)
        real = samples_of(self.opened(tmp_path).load([0, 1, 2]))
        for sample, like in zip(samples_of(made), real, strict=True):
            for array, true in zip(sample, like, strict=True):
                assert (array.dtype, array.ndim) == (true.dtype, true.ndim)
                assert isinstance(made, list) or array.shape == true.shape
        assert same_samples(made, again)
        assert not same_samples(made, other)

    def test_each_sample_has_a_response_whatever_the_batch(self, tmp_path: Path) -> None:
        dataset = self.opened(tmp_path)
        alone, three = (
            [np.array(answer) for answer in self.pipeline(dataset, range(count))(dataset.load(range(count)))]
            for count in (1, 3)
        )
        assert (len(alone), len(three)) == (1, 3)
        assert np.array_equal(alone[0], three[0]), "the batch makes no difference"
        assert not any(answer.dtype.hasobject for answer in three)

    def test_figures_are_numbers_and_can_be_forgotten(self, tmp_path: Path) -> None:
        dataset = self.opened(tmp_path)
        pipeline = self.pipeline(dataset, [0])
        pipeline(dataset.load([0]))
        assert all(np.isfinite(value) for value in pipeline.figures().values())
        pipeline.reset()

    def test_right_answers_give_the_best_score(self, tmp_path: Path) -> None:
        dataset = self.opened(tmp_path)
        log = write_accuracy_log(tmp_path / "log.json", reversed(self.responses(dataset)))
        accuracy = self.task().score(log, dataset, self.recipe)
        assert next(iter(accuracy.metrics.values())) == self.best_score
        assert accuracy.samples == dataset.count
        assert accuracy.metrics.keys() == accuracy.units.keys()
        assert accuracy.text
        assert "hash=" not in accuracy.text

    def test_a_log_without_every_sample_is_refused(self, tmp_path: Path) -> None:
        dataset = self.opened(tmp_path)
        responses = self.responses(dataset)
        for number, broken in enumerate((responses[1:], [*responses[1:], (0, b"")], [])):
            log = write_accuracy_log(tmp_path / f"{number}.json", broken)
            refusal(InvalidInputError, self.task().score, log, dataset, self.recipe)


class MeterContract:
    """What :class:`~assay.power.meters.Meter` asks of a power meter."""

    def meter(self) -> Meter:
        """A meter that is ready to be asked."""
        raise NotImplementedError

    def test_it_has_a_name_that_can_stand_in_a_log(self) -> None:
        name = self.meter().name
        assert name and not set(name) & set(",\r\n"), f"no name for a line of a log: {name!r}"

    def test_it_tells_watts_or_nothing_yet(self) -> None:
        meter = self.meter()
        for _ in range(3):
            watts = meter.watts()
            assert watts is None or (math.isfinite(watts) and watts >= 0), f"no power: {watts!r}"
            time.sleep(0.05)

    def test_it_can_be_asked_from_another_thread(self, tmp_path: Path) -> None:
        log = tmp_path / "spl.txt"
        with Recorder(self.meter(), log, 0.05).recording():
            time.sleep(0.4)
        assert read_samples(log), "no sample came of eight looks"
