"""What the folder of a language model of CTranslate2 says beside what the library tells: words, places, memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psutil

from assay.backends.protocol import Precision
from assay.base.files import read_json
from assay.base.units import format_size
from assay.errors import InvalidInputError, MachineError
from assay.models.ctranslate2_file import ModelHeader, read_header

USUAL_CONTEXT = 2048
_EMBEDDINGS = "decoder/embeddings/weight"
_PLACES = "decoder/position_encodings/encodings"
_ATTENTION = "decoder/layer_{}/self_attention"
_BYTES = {Precision.FP32: 4, Precision.INT8: 1, Precision.BF16: 2, Precision.FP16: 2}
_MOST_VOCABULARY = 128 << 20


@dataclass(frozen=True, slots=True)
class DecoderFacts:
    """What is known of a model beside what the library has loaded.

    Attributes:
        words: of the vocabulary, by id.
        context: most tokens of a prompt and its answer together.
        own_context: whether the model has no more places; else the user may say more.
        bytes_per_token: what the keys and values of one token take; 0 where it is not this machine's memory.
    """

    words: tuple[str, ...]
    context: int
    own_context: bool
    bytes_per_token: int


def read_facts(model: Path, context: int | None, *, own_memory: bool, precision: Precision) -> DecoderFacts:
    """What a folder says of its model.

    Args:
        model: the folder.
        context: most tokens of prompt and answer, where the user says so.
        own_memory: whether it will be in this machine's memory.
        precision: in which it will be computed.

    Raises:
        InvalidInputError: when a file is damaged or of another model, or the context is longer than the model's places.
        MachineError: when the weights are larger than the memory left.
    """
    header = read_header(model / "model.bin")
    if own_memory:
        _check_weights(header, precision)
    places = header.variables.get(_PLACES)
    own = places.shape[0] if places else None
    if own is not None and context is not None and context > own:
        raise InvalidInputError(
            "the model has fewer places", where=model, expected=f"context={own} at most", found=f"context={context}"
        )
    return DecoderFacts(
        words=_words(model, header),
        context=context or own or USUAL_CONTEXT,
        own_context=own is not None,
        bytes_per_token=_bytes_per_token(header, precision) if own_memory else 0,
    )


def _words(model: Path, header: ModelHeader) -> tuple[str, ...]:
    """The vocabulary, which the library wants prompts to be written in.

    The text form is read as the library does: a carriage return belongs to a word unless every line ends with one.
    """
    path = model / "vocabulary.json"
    if path.is_file():
        words = read_json(path, max_bytes=_MOST_VOCABULARY)
    else:
        path = model / "vocabulary.txt"
        words = path.read_bytes().decode("utf-8", "surrogateescape").removesuffix("\n").split("\n")
        if all(word.endswith("\r") for word in words):
            words = [word[:-1] for word in words]
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise InvalidInputError("the vocabulary is no list of words", where=path)
    embeddings = header.variables.get(_EMBEDDINGS)
    if embeddings is not None and embeddings.shape[0] != len(words):
        raise InvalidInputError(
            "the vocabulary is that of another model",
            where=path,
            expected=f"{embeddings.shape[0]} words",
            found=f"{len(words)} words",
        )
    if len(set(words)) != len(words):
        # The library would take the first of two ids, and a prompt would be another one.
        raise InvalidInputError("the vocabulary has a word twice", where=path, hint="convert the model again")
    return tuple(words)


def _check_weights(header: ModelHeader, precision: Precision) -> None:
    """Refuse a model that does not fit while it is loaded, which nobody sees who looks at the file.

    An int8 file computed in fp32 takes four times its size; and the library holds the matrices of layers twice until all
    are loaded (measured with 4.8: 11.4 GB for 6.1 GB of int8).
    """
    needed = 0
    for name, each in header.variables.items():
        matrix = name.endswith("/weight") and len(each.shape) > 1
        size = each.count * (_BYTES[precision] if matrix else 4)
        needed += 2 * size if matrix and name != _EMBEDDINGS else size
    left = int(psutil.virtual_memory().available)
    if needed > left:
        raise MachineError(
            f"too little memory for this model in {precision.value}",
            where=header.path.parent,
            expected=f"about {format_size(needed)}",
            found=f"{format_size(left)} available",
            hint="end other programs, or take a smaller model"
            if precision is Precision.INT8
            else "give --precision int8",
        )


def _bytes_per_token(header: ModelHeader, precision: Precision) -> int:
    """Of the keys and values of one token in all layers: what is left of the attention's rows beside the queries."""
    total = layer = 0
    heads = header.number("decoder/num_heads") or 1
    while (rows := header.variables.get(f"{_ATTENTION.format(layer)}/linear_0/weight")) is not None:
        pairs = header.number(f"{_ATTENTION.format(layer)}/num_heads_kv") or heads
        total += rows.shape[0] * 2 * pairs // (heads + 2 * pairs)
        layer += 1
    return total * (4 if precision in (Precision.FP32, Precision.INT8) else 2)
