"""Text to token ids and back, from what lies with a model: a GGUF file, or the files of a tokenizer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from assay.base.files import read_json
from assay.errors import InvalidInputError, NotFoundError
from assay.models.gguf import Gguf, read_gguf

if TYPE_CHECKING:
    import tokenizers

_MOST_BYTES = 128 << 20
_CONTROL, _USER_DEFINED = 3, 4
_SPLITTERS = ("gpt-2", "smollm")
_END = "<|endoftext|>"
_PAIRS = (("vocab.json", "merges.txt"), ("encoder.json", "vocab.bpe"))
"""Names of GPT-2's two files at Hugging Face, and OpenAI's own."""


class TextTokenizer:
    """A byte-level BPE tokenizer; safe for several threads.

    Args:
        inner: of the library.
        origin: the file it was made of.
        end: id of the token that ends a text; None when not known.
    """

    def __init__(self, inner: tokenizers.Tokenizer, origin: Path, end: int | None) -> None:
        self._inner = inner
        self.origin = origin
        self.end = end

    @property
    def size(self) -> int:
        """Ids there are."""
        return int(self._inner.get_vocab_size(with_added_tokens=True))

    def encode(self, text: str) -> NDArray[np.int32]:
        """Token ids of a text, ``(n,)``; nothing is put before or after it."""
        return np.array(self._inner.encode(text, add_special_tokens=False).ids, np.int32)

    def decode(self, ids: NDArray[Any], *, special: bool = False) -> str:
        """Text of token ids; bytes that are no UTF-8 become U+FFFD.

        Args:
            ids: ``(n,)``.
            special: keep tokens that stand for no text, such as the one that ends a text.
        """
        return str(self._inner.decode(ids.tolist(), skip_special_tokens=not special))


def open_tokenizer(path: Path) -> TextTokenizer:
    """The tokenizer of a GGUF file, of ``tokenizer.json``, or of a folder with it or with vocab.json and merges.txt.

    Raises:
        NotFoundError: when there is none.
        InvalidInputError: when it is one of another kind, or damaged.
    """
    if path.is_file():
        with path.open("rb") as stream:
            binary = stream.read(4) == b"GGUF"
        return _of_gguf(read_gguf(path)) if binary else _of_file(path)
    if (path / "tokenizer.json").is_file():
        return _of_file(path / "tokenizer.json")
    for vocabulary, merges in _PAIRS:
        if (path / vocabulary).is_file() and (path / merges).is_file():
            return _of_vocabulary(path / vocabulary, path / merges)
    raise NotFoundError(
        "there is no tokenizer",
        where=path,
        expected="a GGUF file, tokenizer.json, or a folder with it or with vocab.json and merges.txt",
    )


def _of_file(path: Path) -> TextTokenizer:
    import tokenizers

    if path.stat().st_size > _MOST_BYTES:
        raise InvalidInputError("the tokenizer's file is too large", where=path)
    try:
        inner = tokenizers.Tokenizer.from_str(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise InvalidInputError("not a tokenizer.json", where=path, found="no UTF-8 text") from error
    except Exception as error:  # the library raises nothing more special
        raise InvalidInputError(f"not a tokenizer.json: {str(error)[:200]}", where=path) from error
    inner.no_truncation()
    inner.no_padding()
    return TextTokenizer(inner, path, inner.token_to_id(_END))


def _of_vocabulary(tokens: Path, merges: Path) -> TextTokenizer:
    """GPT-2's own files. Source: the tokenizer of EleutherAI/gpt-j-6B is GPT-2's with further tokens at the end."""
    vocabulary = read_json(tokens, max_bytes=_MOST_BYTES)
    try:
        text = merges.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInputError("the merges are no UTF-8 text", where=merges) from error
    pairs = [line.split(" ") for line in text.splitlines() if line and not line.startswith("#version")]
    added = tokens.with_name("added_tokens.json")
    extra = read_json(added, max_bytes=_MOST_BYTES) if added.is_file() else {}
    if not _is_vocabulary(vocabulary) or not _is_vocabulary(extra):
        raise InvalidInputError("the vocabulary is no mapping of tokens to ids", where=tokens)
    names = sorted(extra, key=lambda name: extra[name])
    return _bpe(vocabulary, pairs, [_END] if _END in vocabulary else [], names, "gpt-2", tokens)


def _is_vocabulary(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(i, int) and 0 <= i < 1 << 31 for i in value.values())


def _of_gguf(header: Gguf) -> TextTokenizer:
    metadata = header.metadata
    kind, splitter = metadata.get("tokenizer.ggml.model"), metadata.get("tokenizer.ggml.pre", "gpt-2")
    if kind != "gpt2" or splitter not in _SPLITTERS:
        raise InvalidInputError(
            "the file's tokenizer is not read here",
            where=header.path,
            expected=f"gpt2 with {' or '.join(_SPLITTERS)}",
            found=f"{kind} with {splitter}",
            hint="give its tokenizer.json: --recipe tokenizer=FILE",
        )
    tokens = metadata.get("tokenizer.ggml.tokens")
    if not isinstance(tokens, list) or not tokens:
        raise InvalidInputError("the file has no tokens", where=header.path)
    kinds = metadata.get("tokenizer.ggml.token_type", [])
    control = [token for token, form in zip(tokens, kinds, strict=False) if form == _CONTROL]
    own = [token for token, form in zip(tokens, kinds, strict=False) if form == _USER_DEFINED]
    merges = [pair.split(" ") for pair in metadata.get("tokenizer.ggml.merges", [])]
    made = _bpe({token: i for i, token in enumerate(tokens)}, merges, control, own, splitter, header.path)
    end = metadata.get("tokenizer.ggml.eos_token_id")
    return TextTokenizer(made._inner, header.path, end if isinstance(end, int) else None)


def _bpe(
    vocabulary: dict[str, int],
    merges: list[list[str]],
    special: list[str],
    own: list[str],
    splitter: str,
    where: Path,
) -> TextTokenizer:
    """A byte-level BPE tokenizer of its parts.

    Args:
        vocabulary: id of each token.
        merges: pairs, the first to be joined first.
        special: tokens that stand for no text.
        own: further tokens that are never split.
        splitter: how text is cut first: ``smollm`` takes digits apart.
        where: for errors.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    if any(len(pair) != 2 for pair in merges):
        raise InvalidInputError("a merge of the tokenizer is no pair", where=where)
    try:
        inner = Tokenizer(models.BPE(vocab=vocabulary, merges=[(pair[0], pair[1]) for pair in merges]))
    except Exception as error:  # the library raises nothing more special
        raise InvalidInputError(f"the tokenizer's parts do not fit: {str(error)[:200]}", where=where) from error
    steps: list[Any] = [pre_tokenizers.Digits(individual_digits=True)] if splitter == "smollm" else []
    inner.pre_tokenizer = pre_tokenizers.Sequence([*steps, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    inner.decoder = decoders.ByteLevel()
    inner.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    inner.add_tokens([AddedToken(token, normalized=False) for token in own])
    return TextTokenizer(inner, where, inner.token_to_id(_END))
