"""What streams of CTranslate2's models have in common."""

from __future__ import annotations

from collections.abc import Sequence

from assay.backends.protocol import Array
from assay.errors import RunFailedError, UsageError


class TextStream:
    """A stream that makes text and runs no graphs."""

    def run(self, inputs: Sequence[Array]) -> Sequence[Array]:
        """Refused.

        Raises:
            UsageError: always.
        """
        del inputs
        raise UsageError("CTranslate2 makes text and runs no graphs", hint="--backend onnxruntime runs graphs")


def broken(error: Exception) -> RunFailedError:
    """What is told when the library raises while it makes text."""
    return RunFailedError(f"CTranslate2 broke while it ran the model: {first_line(error)}")


def first_line(error: Exception) -> str:
    """The part of the library's message that says something."""
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
