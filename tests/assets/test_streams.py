from __future__ import annotations

import io
import lzma
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.assets.streams import Forward, Part, Unxz, decompressed
from assay.errors import InvalidInputError

WHERE = Path("x")


@given(st.binary(max_size=200), st.integers(0, 200), st.integers(1, 50))
def test_a_part_gives_its_bytes_and_no_more(data: bytes, size: int, piece: int) -> None:
    part = Part(io.BytesIO(data), size)
    read = bytearray()
    try:
        while chunk := part.read(piece):
            read += chunk
    except EOFError:
        assert size > len(data)
        assert read == data
        return
    assert read == data[:size]
    assert size <= len(data)


@given(st.binary(max_size=3_000), st.integers(1, 700))
def test_xz_is_unpacked_in_pieces(data: bytes, piece: int) -> None:
    stream = Unxz(io.BytesIO(lzma.compress(data, preset=0)))  # type: ignore[arg-type]
    assert b"".join(iter(lambda: stream.read(piece) or b"", b"")) == data


def test_xz_that_ends_early_or_wants_all_the_memory_is_refused() -> None:
    whole = lzma.compress(b"x" * 10_000, preset=0)
    with pytest.raises(EOFError):
        Unxz(io.BytesIO(whole[:-20])).readall()  # type: ignore[arg-type]
    raw = bytearray(whole)
    # The dictionary's size is a byte of the block's header, which has a checksum of its own.
    start = 12
    size = (raw[start] + 1) * 4
    block = raw[start : start + size - 4]
    block[block.index(0x21) + 2] = 40
    raw[start : start + size - 4] = block
    raw[start + size - 4 : start + size] = zlib.crc32(bytes(block)).to_bytes(4, "little")
    with pytest.raises(lzma.LZMAError, match=r"[Mm]emory"):
        Unxz(io.BytesIO(bytes(raw))).readall()  # type: ignore[arg-type]


def test_forward_reads_and_passes_over_but_never_back() -> None:
    forward = Forward(io.BytesIO(bytes(range(100))), 1_000, WHERE)  # type: ignore[arg-type]
    assert forward.read(3) == b"\0\1\2"
    assert forward.seek(10) == forward.tell() == 10
    assert forward.read(2) == b"\x0a\x0b"
    with pytest.raises(OSError, match="backwards"):
        forward.seek(5)
    assert forward.seek(500) == 100
    assert forward.read(1) == b""


@pytest.mark.parametrize("size", [-1, 2 << 20])
def test_forward_refuses_to_read_all_or_a_lot_at_once(size: int) -> None:
    with pytest.raises(InvalidInputError, match="header"):
        Forward(io.BytesIO(b""), 10, WHERE).read(size)  # type: ignore[arg-type]


def test_forward_ends_at_its_limit() -> None:
    forward = Forward(io.BytesIO(bytes(5_000_000)), 2_000_000, WHERE)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="too large"):
        forward.seek(4_000_000)


def test_what_is_not_compressed_is_itself() -> None:
    stream = Part(io.BytesIO(b"x"), 1)
    assert decompressed("data.tar", stream) is stream
