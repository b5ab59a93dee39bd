from __future__ import annotations

import io
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InvalidInputError
from assay.models.pickled import Global, Reader


def refuse(function: Global, arguments: tuple[Any, ...]) -> Any:
    raise InvalidInputError(f"calls {function} with {len(arguments)}")


def read(raw: bytes) -> Any:
    return Reader(io.BytesIO(raw), "x", reduce=refuse, persistent=lambda identity: ("persistent", identity)).load()


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4) | st.tuples(inner, inner)
    ),
    max_leaves=20,
)


@given(PLAIN, st.sampled_from([2, 3, 4]))
def test_plain_values_are_read_as_pickle_reads_them(value: Any, protocol: int) -> None:
    assert read(pickle.dumps(value, protocol)) == value


@given(st.binary(max_size=200))
def test_rubbish_is_refused_or_plain(raw: bytes) -> None:
    try:
        read(raw)
    except InvalidInputError as error:
        assert error.where == "x"


def test_a_name_is_never_imported() -> None:
    with pytest.raises(InvalidInputError, match=r"calls this_module_does_not_exist\.f with 1"):
        read(b"\x80\x02cthis_module_does_not_exist\nf\nK\x01\x85R.")


@pytest.mark.parametrize(
    "raw", [b"\x80\x02]a.", b"\x80\x02}s.", b"\x80\x02\x85.", b"(", b"", b"\x80\x02h\x07.", b"\x80\x02K\x01a."]
)
def test_broken_stacks_are_told(raw: bytes) -> None:
    with pytest.raises(InvalidInputError):
        read(raw)


@pytest.mark.parametrize("opcode", [b"i", b"o", b"\x81", b"\x82\x01"])
def test_opcodes_that_make_objects_are_refused(opcode: bytes) -> None:
    with pytest.raises(InvalidInputError):
        read(b"\x80\x02(cos\nsystem\n" + opcode + b"os\nsystem\n.")
