from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.loadgen import scan as scan_module
from assay.loadgen.scan import DetailScan, LogReader, scan_detail

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def line(key: str, value: Any, *, error: bool = False) -> bytes:
    return b":::MLLOG " + json.dumps({"key": key, "value": value, "metadata": {"is_error": error}}).encode() + b"\n"


def reference(raw: bytes) -> tuple[dict[str, Any], list[str], bool]:
    """The official reading: first values, error keys, whether it raises."""
    first: dict[str, Any] = {}
    errors: list[str] = []
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return first, errors, True
    for each in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if not each.startswith(":::MLLOG"):
            continue
        try:
            message = json.loads(each.rstrip()[8:])
            key, flag = message["key"], message["metadata"]["is_error"]
            hash(key)  # the official parser keeps a set of keys
        except (ValueError, KeyError, TypeError, IndexError, RecursionError):
            return first, errors, True
        first.setdefault(str(key), message.get("value"))
        if flag:
            errors.append(str(key))
    return first, errors, False


def scan_bytes(raw: bytes, folder: Path) -> DetailScan:
    path = folder / "log.txt"
    path.write_bytes(raw)
    return scan_detail(path)


@given(st.lists(st.tuples(st.sampled_from("abcde"), JSON, st.booleans()), max_size=12), st.booleans())
def test_first_values_and_errors_are_those_of_the_official_reading(
    messages: list[tuple[str, Any, bool]], other: bool
) -> None:
    raw = b"".join(line(key, value, error=error) for key, value, error in messages)
    if other:
        raw += b"not LoadGen's\n" + line("z", 1)
    found = DetailScan()
    scan_module._scan_all(raw, found)
    first, errors, broken = reference(raw)
    assert not broken
    assert {key: found.get(key) for key in found.keys()} == first  # noqa: SIM118 - it is no mapping
    assert [each.text.partition(":")[0] for each in found.errors] == errors


@given(st.binary(max_size=60), st.integers(0, 400), st.integers(0, 40))
def test_a_damaged_log_is_read_as_the_official_tool_reads_it(junk: bytes, where: int, cut: int) -> None:
    raw = line("a", 1) + line("loaded_qsl_set", list(range(400))) + line("b", "x", error=True) + line("a", 2)
    raw = raw[:where] + junk + raw[where + cut :]
    found = DetailScan()
    scan_module._scan_all(raw, found)
    first, errors, broken = reference(raw)
    assert (found.broken is not None) == broken
    if not broken:
        assert set(found.keys()) == set(first)
        assert found.error_count == len(errors)
        assert all(found.get(key) == first[key] for key in first if key != "loaded_qsl_set")


@pytest.mark.parametrize(
    "items", ["1,,2", ",1,2", "1,2,", "01,2", "1,02", "1, 2", "1,2x", "1,-2", "1.5", "", "0,0", "1,0", "10,20"]
)
def test_lists_of_indices_are_left_out_only_when_they_are_json(items: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_module, "_LONG_LIST", 1)
    text = f'{{"key": "loaded_qsl_set", "value": [{items}], "metadata": {{"is_error": false}}}}'
    raw = line("a", 1) + b":::MLLOG " + text.encode() + b"\n"
    found = DetailScan()
    scan_module._scan_all(raw, found)
    assert (found.broken is None) == (not reference(raw)[2])


def test_what_msgspec_refuses_and_python_takes_is_taken(tmp_path: Path) -> None:
    raw = b':::MLLOG {"key": "a", "value": NaN, "metadata": {"is_error": 1}}\n' + line("b", 2)
    found = scan_bytes(raw, tmp_path)
    assert found.broken is None
    assert (found.get("b"), found.error_count) == (2, 1)


@pytest.mark.parametrize(
    ("raw", "number", "word"),
    [
        (line("a", 1) + b":::MLLOG {\n", 2, "Expecting"),
        (line("a", 1) + b":::MLLOG " + b"[" * 100_000 + b"\n", 2, ""),
        (line("a", 1) + b'x\n:::MLLOG {"value": 1}\n', 3, "no LoadGen message"),
        (line("a", 1) + b'x\n:::MLLOG "\xff"\n', 3, "UTF-8"),
    ],
)
def test_a_broken_line_is_told_with_its_number(raw: bytes, number: int, word: str, tmp_path: Path) -> None:
    broken = scan_bytes(raw, tmp_path).broken
    assert broken is not None
    assert broken.line == number
    assert word in broken.problem
    assert len(broken.shown) < 130


def test_pieces_meet_at_line_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = b"".join(line(f"key{number}", number) for number in range(50)) + line("last", 1).rstrip()
    whole = scan_bytes(raw, tmp_path)
    monkeypatch.setattr(scan_module, "_CHUNK", 100)
    pieces = scan_bytes(raw, tmp_path)
    assert list(pieces.keys()) == list(whole.keys())
    assert [pieces.line_of(key) for key in pieces.keys()] == list(range(1, 52))  # noqa: SIM118
    assert pieces.lines == whole.lines == 51


def test_a_line_without_end_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_module, "_CHUNK", 100)
    monkeypatch.setattr(scan_module, "_MAX_LINE", 1000)
    broken = scan_bytes(line("a", 1) + b":::MLLOG " + b" " * 5000, tmp_path).broken
    assert broken is not None
    assert "longer than" in broken.problem


def test_a_second_value_is_noted_when_it_differs(tmp_path: Path) -> None:
    same = scan_bytes(line("result_validity", "VALID") * 2, tmp_path)
    other = scan_bytes(line("result_validity", "VALID") + line("result_validity", "INVALID"), tmp_path)
    assert same.repeated == {}
    assert other.repeated == {"result_validity": 2}
    assert other.get("result_validity") == "VALID"


def test_many_errors_are_counted_and_the_first_kept(tmp_path: Path) -> None:
    found = scan_bytes(line("e", "x" * 5000, error=True) * 500, tmp_path)
    assert (found.error_count, len(found.errors)) == (500, 200)
    assert len(found.errors[0].text) == 1000


def test_an_empty_log_has_nothing(tmp_path: Path) -> None:
    found = scan_bytes(b"", tmp_path)
    assert (found.lines, found.broken, found.get("a"), found.line_of("a"), "a" in found) == (0, None, None, None, False)


def test_copies_are_known_again_by_their_bytes(tmp_path: Path) -> None:
    reader = LogReader(room=10_000)
    for name, raw in (("a", line("k", 1)), ("b", line("k", 1)), ("c", line("k", 2))):
        (tmp_path / name).write_bytes(raw)
    first = reader.read(tmp_path / "a")
    assert reader.read(tmp_path / "b") is first
    assert reader.read(tmp_path / "c").get("k") == 2
    (tmp_path / "large").write_bytes(line("k", "x" * 20_000))
    assert reader.read(tmp_path / "large").get("k") == "x" * 20_000


def test_the_reader_keeps_no_more_than_its_room(tmp_path: Path) -> None:
    reader = LogReader(room=1_000)
    for number in range(30):
        path = tmp_path / str(number)
        path.write_bytes(line("k", "x" * (number * 10)))
        reader.read(path)
    assert reader._size <= 1_000
    assert reader._size == sum(len(raw) for raw, _ in reader._kept.values())


def test_a_log_that_is_not_there_raises(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nothing"):
        scan_detail(tmp_path / "nothing")


@pytest.mark.parametrize("blank", ["\u00a0", "\x0c", "\u3000 ", "\x1f"])
def test_blanks_behind_a_line_do_not_matter(blank: str, tmp_path: Path) -> None:
    raw = line("a", 1).rstrip(b"\n") + blank.encode() + b"\n" + line("b", 2)
    found = scan_bytes(raw, tmp_path)
    assert reference(raw) == ({"a": 1, "b": 2}, [], False)
    assert found.broken is None
    assert (found.get("a"), found.get("b")) == (1, 2)


@pytest.mark.parametrize("key", ["[]", "{}"])
def test_a_key_that_no_set_can_hold_breaks_the_log(key: str, tmp_path: Path) -> None:
    raw = line("a", 1) + b':::MLLOG {"key": %s, "value": 1, "metadata": {"is_error": false}}\n' % key.encode()
    assert reference(raw)[2]
    assert scan_bytes(raw, tmp_path).broken is not None
