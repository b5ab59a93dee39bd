"""MiniLM taught to find answers: a span head and all its layers, fine-tuned on questions with PyTorch.

The last sixth of the articles is never looked at; accuracy is measured on it. The recipe is the usual one for SQuAD
(Devlin et al. 2019, 4.2): cross-entropy of the start and of the end of the answer, AdamW, a rate that rises and falls
linearly, three passes. Over five sixths of XQuAD's articles they gave F1 49.8 on the last sixth (two: 36.8, one: 21.0).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.base.files import sha256_file
from assay.base.progress import SILENT, Progress
from assay.errors import MissingDependencyError
from assay.models.bert import BertShape
from assay.models.minilm import MINILM_L6, WEIGHTS_FILE, read_safetensors, with_spans
from assay.models.text.answers import Example, make_examples
from assay.models.text.features import WindowForm
from assay.models.text.squad import find_squad, read_squad
from assay.models.text.vocabulary import find_vocabulary, read_vocabulary
from assay.models.text.wordpiece import Tokeniser

HEAD = "qa_outputs"
_SHARE = (5, 6)
_ABSENT = -10_000.0
_FROZEN = "embeddings.word_embeddings.weight"
"""Half of all parameters; few of its rows are in a thousand questions, and their steps would cost a sixth of the time."""
_GROUP = 16
"""Batches whose examples are put in order of length before they are cut."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast to train.

    Attributes:
        epochs: passes over the training part.
        batch: questions of a step.
        rate: largest step of AdamW.
        decay: weights are drawn towards 0 by this share of the rate.
        warm_up: share of the steps in which the rate rises.
        threads: of PyTorch.
    """

    epochs: int = 3
    batch: int = 8
    rate: float = 1e-4
    decay: float = 0.01
    warm_up: float = 0.1
    threads: int = 2


def training_articles(count: int) -> int:
    """How many of some articles are trained on: the first five sixths."""
    return count * _SHARE[0] // _SHARE[1]


def train_spans(
    weights: Path,
    data: Path,
    seed: int,
    progress: Progress = SILENT,
    *,
    schedule: Schedule | None = None,
    shape: BertShape = MINILM_L6,
) -> Iterator[bytes]:
    """Fine-tune and give the model in pieces; what it was made of and how is in its metadata.

    Args:
        weights: folder with ``model.safetensors`` and the vocabulary.
        data: file of SQuAD's form.
        seed: of the head, the order of the questions and dropout.
        progress: told after each step.
        schedule: how long and how fast.
        shape: of the model.

    Raises:
        MissingDependencyError: when PyTorch is not installed.
        InvalidInputError: when weights or questions are not what they should be.
    """
    torch = _torch()
    plan = schedule or Schedule()
    file = find_squad(data)
    squad = read_squad(file)
    last = training_articles(max(squad.articles) + 1)
    tokeniser = Tokeniser(read_vocabulary(find_vocabulary(None, weights), shape.pieces))
    examples, lost = make_examples(squad.part(0, last), tokeniser, WindowForm())
    tensors = dict(read_safetensors(weights / WEIGHTS_FILE))
    random = np.random.default_rng(seed)
    tensors[f"{HEAD}.weight"] = (random.standard_normal((2, shape.hidden)) * 0.02).astype(np.float32)
    tensors[f"{HEAD}.bias"] = np.zeros(2, np.float32)
    trained, losses = _Training(torch, tensors, shape, plan, seed).run(examples, progress)
    facts = {
        "weights": f"{WEIGHTS_FILE}, sha256 {sha256_file(weights / WEIGHTS_FILE)}",
        "data": f"{file.name}, sha256 {sha256_file(file)}, articles 0 to {last - 1} of {max(squad.articles) + 1}",
        "examples": f"{len(examples)} windows; {lost} questions whose answer is not found in the text left out",
        "schedule": f"{plan.epochs} epochs, batch {plan.batch}, AdamW {plan.rate:g}, decay {plan.decay:g}, seed {seed}",
        "losses": ", ".join(f"{loss:.3f}" for loss in losses),
        "trainer": f"PyTorch {torch.__version__}",
    }
    return with_spans(trained, weights, shape, facts)


def like_lengths(lengths: list[int], batch: int, random: np.random.Generator) -> list[list[int]]:
    """Batches in a drawn order whose members are of about one length, so that little of them is padding.

    Args:
        lengths: of all examples.
        batch: examples in each, the last ones of a group apart.
        random: draws the order.
    """
    order = random.permutation(len(lengths))
    batches: list[list[int]] = []
    for start in range(0, len(order), batch * _GROUP):
        group = sorted(order[start : start + batch * _GROUP].tolist(), key=lambda index: lengths[index])
        batches += [group[place : place + batch] for place in range(0, len(group), batch)]
    return [batches[index] for index in random.permutation(len(batches))]


class _Training:
    def __init__(
        self, torch: Any, tensors: Mapping[str, NDArray[Any]], shape: BertShape, plan: Schedule, seed: int
    ) -> None:
        self._torch = torch
        self._shape = shape
        self._plan = plan
        self._random = np.random.default_rng(seed)
        torch.manual_seed(seed)
        torch.set_num_threads(plan.threads)
        self._tensors = {
            name: torch.tensor(value, requires_grad=value.dtype == np.float32 and name != _FROZEN)
            for name, value in tensors.items()
        }

    def run(self, examples: list[Example], progress: Progress) -> tuple[dict[str, NDArray[Any]], list[float]]:
        """Train; the tensors and the mean loss of each pass."""
        torch, plan = self._torch, self._plan
        free = [value for value in self._tensors.values() if value.requires_grad]
        optimiser = torch.optim.AdamW(free, lr=plan.rate, weight_decay=plan.decay)
        batches = -(-len(examples) // plan.batch)
        steps = plan.epochs * batches
        rise = max(1, round(steps * plan.warm_up))
        rate = torch.optim.lr_scheduler.LambdaLR(
            optimiser, lambda step: min((step + 1) / rise, (steps - step) / max(1, steps - rise))
        )
        step = progress.start(f"fine-tune, {plan.epochs} passes", total=steps, unit="steps")
        losses: list[float] = []
        try:
            for number in range(plan.epochs):
                losses.append(self._epoch(examples, optimiser, rate, free, step))
                step.update(note=f"loss {losses[-1]:.2f} after pass {number + 1}")
        finally:
            step.finish()
        return {name: value.detach().numpy() for name, value in self._tensors.items()}, losses

    def _epoch(self, examples: list[Example], optimiser: Any, rate: Any, free: list[Any], step: Any) -> float:
        losses: list[float] = []
        for batch in like_lengths([len(example.tokens) for example in examples], self._plan.batch, self._random):
            loss = self._loss([examples[index] for index in batch])
            optimiser.zero_grad()
            loss.backward()
            self._torch.nn.utils.clip_grad_norm_(free, 1.0)
            optimiser.step()
            rate.step()
            losses.append(loss.item())
            step.advance(1)
        return float(np.mean(losses))

    def _loss(self, examples: list[Example]) -> Any:
        torch = self._torch
        width = max(len(example.tokens) for example in examples)
        tokens = np.zeros((len(examples), width), np.int64)
        segments, mask = np.zeros_like(tokens), np.zeros_like(tokens)
        for row, example in enumerate(examples):
            size = len(example.tokens)
            tokens[row, :size], mask[row, :size] = example.tokens, 1
            segments[row, example.text : size] = 1
        logits = self.logits(*map(torch.from_numpy, (tokens, mask, segments)))
        logits = logits + (1.0 - torch.from_numpy(mask)[:, :, None].float()) * _ABSENT
        truth = torch.tensor([[example.first, example.last] for example in examples])
        return torch.nn.functional.cross_entropy(logits, truth)

    def logits(self, tokens: Any, mask: Any, segments: Any) -> Any:
        """Start and end logits, ``(batch, length, 2)``."""
        functional, own, shape = self._torch.nn.functional, self._tensors, self._shape
        absent = (1.0 - mask[:, None, None, :].float()) * _ABSENT
        x = own["embeddings.word_embeddings.weight"][tokens]
        x = x + own["embeddings.position_embeddings.weight"][: tokens.shape[1]]
        x = x + own["embeddings.token_type_embeddings.weight"][segments]
        x = self._drop(self._norm(x, "embeddings.LayerNorm"))
        for number in range(shape.layers):
            name = f"encoder.layer.{number}"
            query, key, value = (
                self._dense(x, f"{name}.attention.self.{part}").unflatten(-1, (shape.heads, -1)).transpose(1, 2)
                for part in ("query", "key", "value")
            )
            context = functional.scaled_dot_product_attention(query, key, value, attn_mask=absent)
            context = self._dense(context.transpose(1, 2).flatten(2), f"{name}.attention.output.dense")
            x = self._norm(self._drop(context) + x, f"{name}.attention.output.LayerNorm")
            y = self._dense(functional.gelu(self._dense(x, f"{name}.intermediate.dense")), f"{name}.output.dense")
            x = self._norm(self._drop(y) + x, f"{name}.output.LayerNorm")
        return self._dense(x, HEAD)

    def _dense(self, x: Any, name: str) -> Any:
        return self._torch.nn.functional.linear(x, self._tensors[f"{name}.weight"], self._tensors[f"{name}.bias"])

    def _norm(self, x: Any, name: str) -> Any:
        weight, bias = self._tensors[f"{name}.weight"], self._tensors[f"{name}.bias"]
        return self._torch.nn.functional.layer_norm(x, (self._shape.hidden,), weight, bias, self._shape.epsilon)

    def _drop(self, x: Any) -> Any:
        return self._torch.nn.functional.dropout(x, 0.1)


def _torch() -> Any:
    try:
        import torch
    except ImportError as error:
        raise MissingDependencyError(
            f"this model is fine-tuned here, which takes PyTorch: {error}",
            hint='pip install "assay[torch]"; on a machine without a GPU: pip install torch --index-url '
            "https://download.pytorch.org/whl/cpu",
        ) from error
    return torch
