"""What a file of PyTorch holds, told from its archive alone, and whether reading it could run somebody's code.

``torch.export.load`` unpickles constants, loads compiled libraries, and resolves the names of operations by Python's
own attribute lookup, so an exported program is only handed to it when its archive holds nothing of the kind: plain
tensors, operations of PyTorch's libraries, and sizes made of numbers and symbols. Found by reading
torch/export/pt2_archive/_package.py and torch/_export/serde/serialize.py of PyTorch 2.13.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

from assay.errors import InvalidInputError

_MOST_MEMBERS = 100_000
_MOST_JSON = 256 << 20
_EXPECTED = "a TorchScript file or an exported program (.pt2)"
_HINT = "save it with torch.jit.save or torch.export.save"
_PROGRAM = re.compile(r"models/[\w.-]+\.json")
_CONFIG = re.compile(r"data/(?:weights|constants)/\w+_config\.json")
_SAMPLES = re.compile(r"data/sample_inputs/[\w.-]+\.pt")
_PLAIN = re.compile(
    r"archive_format|archive_version|byteorder|version|\.data/[\w.-]+|\.format_version|\.storage_alignment"
    r"|data/weights/weight_\d+|data/constants/tensor_\d+"
)
_OPERATION = re.compile(
    r"#?torch\.ops\.(?:aten|prims|prim|quantized_decomposed|torchvision)\.[A-Za-z_]\w*(?:\.\w+)?"
    r"|_operator\.(?:getitem|add|sub|mul|floordiv|truediv|mod|neg|eq|ne|lt|le|gt|ge|and_|or_|not_|pow)"
    r"|torch\.sym_\w+|math\.(?:ceil|floor|trunc|sqrt)"
)
_WORDS = frozenset(
    re.findall(
        r"\w+",
        """Symbol Integer Float Rational Add Mul Pow Max Min Mod PythonMod FloorDiv CleanDiv CeilDiv ModularIndexing
        TruncToInt IntTrueDiv ToFloat Eq Ne Lt Le Gt Ge StrictLessThan LessThan StrictGreaterThan GreaterThan Equality
        Unequality And Or Not Piecewise ExprCondPair true false True False positive nonnegative integer oo int_oo""",
    )
)
_SYMBOL = re.compile(r"[suz]\d+")
_REST = re.compile(r"[\d\s'(),=+*/-]*")


class Form(StrEnum):
    """Form of a program."""

    SCRIPT = "TorchScript"
    EXPORTED = "exported program"


def form_of(model: Path) -> Form:
    """What a file holds, by the names in its archive.

    Raises:
        InvalidInputError: when it holds no program, or one that would have to be unpickled.
    """
    try:
        with zipfile.ZipFile(model) as archive:
            names = [info.filename for info in archive.infolist()]
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError) as error:
        raise InvalidInputError(
            "this is no program of PyTorch", where=model, expected=_EXPECTED, found=str(error)[:100], hint=_HINT
        ) from error
    if len(names) > _MOST_MEMBERS or len(set(names)) != len(names):
        raise InvalidInputError("the archive is not one that PyTorch writes", where=model, expected=_EXPECTED)
    inner = {_inner(name) for name in names}
    if any(_PROGRAM.fullmatch(name) for name in inner):
        return Form.EXPORTED
    if any(name.startswith("code/") for name in inner):
        return Form.SCRIPT
    raise InvalidInputError(
        "the file holds weights, or a pickled model, and no program",
        where=model,
        expected=_EXPECTED,
        found=", ".join(sorted(inner)[:4])[:200] or "an empty archive",
        hint=_HINT,
    )


def check_exported(torch: Any, model: Path) -> None:
    """Refuse an exported program that could run code of its maker's while it is read.

    Args:
        torch: the library.
        model: a file of :attr:`Form.EXPORTED`.

    Raises:
        InvalidInputError: naming the member of the archive and what is wrong with it.
    """
    with zipfile.ZipFile(model) as archive:
        for info in archive.infolist():
            name = _inner(info.filename)
            if _PLAIN.fullmatch(name):
                continue
            if info.file_size > _MOST_JSON:
                raise _refused(model, info.filename, "it is too large")
            if _PROGRAM.fullmatch(name):
                _check_program(model, info.filename, _json(model, info.filename, archive.read(info)))
            elif _CONFIG.fullmatch(name):
                _check_config(model, info.filename, _json(model, info.filename, archive.read(info)))
            elif _SAMPLES.fullmatch(name):
                _check_samples(torch, model, info.filename, archive.read(info))
            else:
                raise _refused(model, info.filename, "no plain tensor and no program")


def _inner(name: str) -> str:
    """A member's name below the archive's top folder."""
    return name.partition("/")[2] or name


def _json(model: Path, name: str, content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _refused(model, name, f"no JSON: {error}") from error


def _check_program(model: Path, name: str, document: Any) -> None:
    for key, value in _texts(document):
        if key == "target" and not _OPERATION.fullmatch(value):
            raise _refused(model, name, f"the operation {value[:80]!r} is none of PyTorch's libraries")
        if key == "expr_str" and not _is_size(value):
            raise _refused(model, name, f"{value[:80]!r} is no size")


def _check_config(model: Path, name: str, document: Any) -> None:
    entries = document.get("config") if isinstance(document, dict) else None
    if not isinstance(entries, dict):
        raise _refused(model, name, "it lists no tensors")
    for entry in entries.values():
        plain = isinstance(entry, dict) and re.fullmatch(r"(?:weight|tensor)_\d+", str(entry.get("path_name")))
        if not plain or entry.get("use_pickle") is not False:
            raise _refused(model, name, "a tensor of it is pickled")


def _check_samples(torch: Any, model: Path, name: str, content: bytes) -> None:
    # PyTorch reads them in the safe way first, and in the unsafe one when that fails: so it may not fail.
    try:
        torch.load(io.BytesIO(content), weights_only=True)
    except (RuntimeError, ValueError, EOFError, KeyError, torch.serialization.pickle.UnpicklingError) as error:
        raise _refused(model, name, "it holds more than tensors") from error


def _texts(document: Any) -> Iterator[tuple[str, str]]:
    """Keys and values of all texts in a document."""
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            for key, item in value.items():
                if isinstance(item, str):
                    yield key, item
                else:
                    waiting.append(item)
        elif isinstance(value, list):
            waiting += value


def _is_size(text: str) -> bool:
    """Whether a text is made of numbers, symbols and arithmetic, and so harmless to evaluate."""
    words = re.findall(r"[A-Za-z_]\w*", text)
    rest = re.sub(r"[A-Za-z_]\w*", "", text)
    return all(word in _WORDS or _SYMBOL.fullmatch(word) for word in words) and bool(_REST.fullmatch(rest))


def _refused(model: Path, name: str, why: str) -> InvalidInputError:
    return InvalidInputError(
        "the exported program is not read, because reading it could run somebody's code",
        where=f"{model}: {name[:100]}",
        found=why,
        hint="export it anew with torch.export.save, or save it with torch.jit.save",
    )
