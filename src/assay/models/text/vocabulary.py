"""The word pieces of a model: read from ``vocab.txt`` or ``tokenizer.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.base.files import machine_errors, read_json, sha256_bytes
from assay.errors import InvalidInputError, NotFoundError

UNK, SEP, PAD, CLS, MASK = "[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"
_NAMES = ("vocab.txt", "tokenizer.json")
_MAX_BYTES = 64 << 20
_PADDING_ID = 0


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Word pieces and their ids.

    Attributes:
        ids: id of each piece.
        pieces: piece of each id, ``""`` where an id has none.
        identity: hash of all of it, for the keys of caches.
    """

    ids: Mapping[str, int]
    pieces: tuple[str, ...]
    identity: str

    @property
    def unknown(self) -> int:
        """Id of what is in no piece."""
        return self.ids[UNK]

    def id_of(self, piece: str) -> int:
        """Id of a piece, that of ``[UNK]`` when there is none."""
        return self.ids.get(piece, self.unknown)


def find_vocabulary(given: str | None, model: Path | None) -> Path:
    """The vocabulary's file: the one given, or one beside the model.

    Args:
        given: a file, or a folder with ``vocab.txt`` or ``tokenizer.json``.
        model: the model's file or folder.

    Raises:
        NotFoundError: when there is none, with where it was looked for.
    """
    if given is not None:
        path = Path(given).expanduser()
        found = _inside(path) if path.is_dir() else path if path.is_file() else None
        if found is None:
            raise NotFoundError(
                "the vocabulary is not there",
                where=path,
                expected=f"{' or '.join(_NAMES)}, or a folder with one of them",
            )
        return found
    folder = None if model is None else model if model.is_dir() else model.parent
    found = None if folder is None else _inside(folder)
    if found is None:
        raise NotFoundError(
            "the model has no vocabulary, so text cannot become tokens",
            where=folder,
            expected=f"{' or '.join(_NAMES)} beside the model",
            hint="give its path: --recipe vocabulary=vocab.txt",
        )
    return found


def read_vocabulary(path: Path, size: int | None = None) -> Vocabulary:
    """Read a vocabulary.

    Args:
        path: ``vocab.txt``, one piece a line, or ``tokenizer.json`` of a WordPiece model.
        size: number of pieces that the model knows, if it is known.

    Raises:
        NotFoundError: when it is not there.
        InvalidInputError: when it is no vocabulary of BERT's form, or does not fit the model.
    """
    ids = _from_json(path) if path.suffix == ".json" else _from_lines(path)
    missing = [token for token in (UNK, SEP, PAD, CLS) if token not in ids]
    if missing or ids[PAD] != _PADDING_ID:
        raise InvalidInputError(
            "not a vocabulary of BERT's form",
            where=path,
            expected=f"{PAD} with id {_PADDING_ID}, {UNK}, {CLS} and {SEP}",
            found=f"no {', '.join(missing)}" if missing else f"{PAD} with id {ids[PAD]}",
        )
    count = max(ids.values()) + 1
    if size is not None and count != size:
        raise InvalidInputError(
            "the vocabulary is not that of the model",
            where=path,
            expected=f"{size:,} word pieces",
            found=f"{count:,}",
            hint="take the vocabulary that the model was trained with: --recipe vocabulary=FILE",
        )
    pieces = [""] * count
    for piece, number in ids.items():
        pieces[number] = piece
    return Vocabulary(ids, tuple(pieces), sha256_bytes("\n".join(pieces).encode("utf-8", "surrogatepass"))[:32])


def _inside(folder: Path) -> Path | None:
    return next((folder / name for name in _NAMES if (folder / name).is_file()), None)


def _from_lines(path: Path) -> dict[str, int]:
    try:
        with machine_errors(path):
            if path.stat().st_size > _MAX_BYTES:
                raise InvalidInputError("the vocabulary is too large", where=path, expected="at most 64 MiB")
            # Other line ends than these, such as U+2028, are pieces themselves.
            lines = path.read_bytes().decode("utf-8").replace("\r\n", "\n").removesuffix("\n").split("\n")
    except FileNotFoundError as error:
        raise NotFoundError("the vocabulary is not there", where=path) from error
    except UnicodeDecodeError as error:
        raise InvalidInputError("the vocabulary is no UTF-8 text", where=path) from error
    return {piece: number for number, piece in enumerate(lines)}


def _from_json(path: Path) -> dict[str, int]:
    raw: Any = read_json(path, max_bytes=_MAX_BYTES)
    model = raw.get("model") if isinstance(raw, dict) else None
    found = model.get("vocab") if isinstance(model, dict) and model.get("type", "WordPiece") == "WordPiece" else None
    if not isinstance(found, dict) or not found:
        raise InvalidInputError("no vocabulary of word pieces", where=path, expected="model.vocab of type WordPiece")
    ids: dict[str, int] = {}
    for piece, number in found.items():
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < 4 * len(found):
            raise InvalidInputError(f"the id of {piece[:40]!r} is wrong", where=path, found=repr(number)[:40])
        ids[piece] = number
    return ids
