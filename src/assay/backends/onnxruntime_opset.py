"""Models of an opset that ONNX Runtime does not read, told in numbers.

The library says it behind a signature of its own C++ code, of several hundred letters, in four different sentences.
"""

from __future__ import annotations

import re
from pathlib import Path

from assay.errors import InvalidInputError

_NEWER = re.compile(r"Opset (\d+) is under development.*for domain (\S+) is till opset (\d+)", re.DOTALL)
_FORMAT = re.compile(r"Unsupported model IR version: (\d+), max supported IR version: (\d+)")
_UNKNOWN = re.compile(r"No Op registered for (\S+) with domain_version of (\d+)")
_OLDER = re.compile(r"Could not find an implementation for (\S+)\((\d+)\)")
_MOST_LETTERS = 8_000
_CONVERT = "export the model with opset 17, which every engine reads, or convert it: onnx.version_converter"


def wrong_opset(error: Exception, model: Path) -> InvalidInputError | None:
    """What is wrong with a model's opset, when the library's refusal is about that.

    Args:
        error: what it said while it loaded the model.
        model: the file.
    """
    said = str(error)[:_MOST_LETTERS]
    if found := _NEWER.search(said):
        return InvalidInputError(
            "the model is of a newer opset than ONNX Runtime reads",
            where=model,
            expected=f"at most opset {found[3]} of {found[2]}",
            found=f"opset {found[1]}",
            hint=f"{_CONVERT}; or update onnxruntime",
        )
    if found := _FORMAT.search(said):
        return InvalidInputError(
            "the model's file is of a newer form than ONNX Runtime reads",
            where=model,
            expected=f"at most IR version {found[2]}",
            found=f"IR version {found[1]}",
            hint=f"{_CONVERT}; or update onnxruntime",
        )
    if found := _UNKNOWN.search(said):
        return InvalidInputError(
            f"the model's opset has no operation {found[1][:60]!r}",
            where=model,
            expected="operations of its opset",
            found=f"opset {found[2]}",
            hint="export the model with the opset that has the operation, or without operations of one's own",
        )
    if found := _OLDER.search(said):
        return InvalidInputError(
            f"ONNX Runtime does not compute {found[1][:60]!r} as it was in opset {found[2]}",
            where=model,
            hint=_CONVERT,
        )
    return None
