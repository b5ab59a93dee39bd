"""The part of the pickle format that PyTorch state dicts and numpy arrays use, read without running anything.

Opcodes are parsed by the standard library's :mod:`pickletools` and interpreted here on plain values: no class is
imported, no function of the file is called. A global is a name; the few names that a state dict needs are known, any
other one ends the reading.
"""

from __future__ import annotations

import pickletools
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any, cast

from assay.errors import InvalidInputError

_MOST_OPCODES = 5_000_000
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Global:
    """A name in the file; never imported."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


class _Mark:
    """Where a MARK stands on the stack."""


_MARK = _Mark()
Reduce = Callable[[Global, tuple[Any, ...]], Any]
Persistent = Callable[[Any], Any]
Build = Callable[[Any, Any], None]


class _Careful:
    """A stream that sets no memory aside for bytes that are announced and not there."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.readline = stream.readline
        self.tell = stream.tell

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes, fewer at the end."""
        if size <= _PIECE:
            return self._stream.read(size)
        pieces = bytearray()
        while len(pieces) < size and (piece := self._stream.read(min(_PIECE, size - len(pieces)))):
            pieces += piece
        return bytes(pieces)


class Reader:
    """Interprets one pickle after another from a stream.

    Args:
        stream: where the pickles are.
        where: file name for messages.
        reduce: what the call of a known global gives; raises for unknown ones.
        persistent: what a persistent id stands for.
        build: given an object made by ``reduce`` and its state; without it states are left out, and bytes refused.
        expected: what the file should be, for messages.
    """

    def __init__(
        self,
        stream: IO[bytes],
        where: str,
        *,
        reduce: Reduce,
        persistent: Persistent,
        build: Build | None = None,
        expected: str = "a PyTorch state dict of tensors only",
    ) -> None:
        self._stream = _Careful(stream)
        self._where = where
        self._reduce = reduce
        self._persistent = persistent
        self._state = build
        self._expected = expected
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def load(self) -> Any:
        """The next pickle's value.

        Raises:
            InvalidInputError: for anything that is not plain data and known names.
        """
        self._stack, self._memo = [], {}
        try:
            # The library warns of an unknown escape in a damaged text; that is nothing a user could do anything with.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                return self._interpreted()
        except InvalidInputError:
            raise
        except (
            ValueError,
            IndexError,
            KeyError,
            TypeError,
            UnicodeDecodeError,
            OverflowError,
            AttributeError,
        ) as error:
            raise self._bad(f"malformed pickle: {error}") from error

    def _interpreted(self) -> Any:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(cast("IO[bytes]", self._stream))):
            if count > _MOST_OPCODES:
                raise self._bad("the pickle is too long")
            if opcode.name == "STOP":
                return self._stack.pop()
            self._step(opcode.name, argument)
        raise self._bad("the pickle is cut off")

    def _step(self, name: str, argument: Any) -> None:
        if name in _LITERALS or (name in _BYTES and self._state is not None):
            self._stack.append(argument)
        elif name in _CONSTANTS:
            self._stack.append(_CONSTANTS[name]())
        elif name in _TUPLES:
            size = _TUPLES[name]
            items = self._stack[-size:]
            if len(items) < size:
                raise self._bad("malformed pickle: too few values for a tuple")
            self._stack[-size:] = [tuple(items)]
        elif name in ("BINPUT", "LONG_BINPUT", "PUT"):
            self._memo[int(argument)] = self._stack[-1]
        elif name in ("BINGET", "LONG_BINGET", "GET"):
            self._stack.append(self._memo[int(argument)])
        elif name == "MEMOIZE":
            self._memo[len(self._memo)] = self._stack[-1]
        elif name not in ("PROTO", "FRAME"):
            self._build(name, argument)

    def _build(self, name: str, argument: Any) -> None:
        stack = self._stack
        if name == "MARK":
            stack.append(_MARK)
        elif name == "TUPLE":
            items = self._to_mark()
            stack.append(tuple(items))
        elif name == "APPEND":
            value = stack.pop()
            self._list().append(value)
        elif name == "APPENDS":
            items = self._to_mark()
            self._list().extend(items)
        elif name == "SETITEM":
            value, key = stack.pop(), stack.pop()
            self._dict()[key] = value
        elif name == "SETITEMS":
            items = self._to_mark()
            self._dict().update(zip(items[::2], items[1::2], strict=True))
        else:
            self._call(name, argument)

    def _call(self, name: str, argument: Any) -> None:
        stack = self._stack
        if name == "GLOBAL":
            module, _, attribute = str(argument).partition(" ")
            stack.append(Global(module, attribute))
        elif name == "STACK_GLOBAL":
            attribute, module = stack.pop(), stack.pop()
            stack.append(Global(str(module), str(attribute)))
        elif name == "REDUCE":
            arguments, function = stack.pop(), stack.pop()
            if not isinstance(function, Global) or not isinstance(arguments, tuple):
                raise self._bad("malformed pickle: a call of something that is no name")
            stack.append(self._reduce(function, arguments))
        elif name == "BINPERSID":
            stack.append(self._persistent(stack.pop()))
        elif name == "BUILD":
            state = stack.pop()  # attributes of a container (a state dict's _metadata) are not needed
            if self._state is not None:
                self._state(stack[-1], state)
        else:
            raise self._bad(f"the pickle uses {name}, which is not needed for {self._expected}")

    def _to_mark(self) -> list[Any]:
        position = len(self._stack) - 1
        while self._stack[position] is not _MARK:
            position -= 1
            if position < 0:
                raise self._bad("malformed pickle: no mark")
        items = self._stack[position + 1 :]
        del self._stack[position:]
        return items

    def _list(self) -> list[Any]:
        if not isinstance(self._stack[-1], list):
            raise self._bad("malformed pickle: no list to append to")
        return self._stack[-1]

    def _dict(self) -> dict[Any, Any]:
        if not isinstance(self._stack[-1], dict):
            raise self._bad("malformed pickle: no dictionary to fill")
        return self._stack[-1]

    def _bad(self, what: str) -> InvalidInputError:
        return InvalidInputError(what, where=self._where, expected=self._expected)


_LITERALS = frozenset(
    {
        "BININT",
        "BININT1",
        "BININT2",
        "LONG1",
        "INT",
        "LONG",
        "BINFLOAT",
        "FLOAT",
        "BINUNICODE",
        "SHORT_BINUNICODE",
        "UNICODE",
        "SHORT_BINSTRING",
        "BINSTRING",
    }
)
_BYTES = frozenset({"SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8"})
_CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
