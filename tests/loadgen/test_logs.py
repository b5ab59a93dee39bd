from __future__ import annotations

import contextlib
import json
import math
import random
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.errors import InvalidInputError, NotFoundError
from assay.loadgen.logs import (
    DetailLog,
    read_accuracy,
    read_detail,
    read_summary,
    read_trace,
)
from assay.loadgen.names import ACCURACY, DETAIL, SUMMARY, TRACE

ANY_FILE = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def line(key: str, value: str, *, error: bool = False, warning: bool = False) -> str:
    """A line as LoadGen writes it; ``value`` is not escaped, as LoadGen does not escape it."""
    flags = f'"is_error": {str(error).lower()}, "is_warning": {str(warning).lower()}'
    return (
        f':::MLLOG {{"key": "{key}", "value": {value}, "time_ms": 1.250000, "namespace": "mlperf::logging", '
        f'"event_type": "POINT_IN_TIME", "metadata": {{{flags}, "file": "loadgen.cc", "line_no": 513, "pid": 1, "tid": 2}}}}\n'
    )


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str | bytes], Path]:
    def write(content: str | bytes) -> Path:
        path = tmp_path / DETAIL
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


# ---- detail


def test_values_have_their_types(detail: Callable[[str], DetailLog]) -> None:
    log = detail("singlestream")
    assert log.complete and not log.errors
    assert log.values["effective_scenario"] == "SingleStream"
    assert log.values["result_min_duration_met"] is True
    assert log.integer("effective_qsl_rng_seed") == 148687905518835231
    assert log.number("effective_target_qps") == 10000.0
    assert log.integer("result_query_count") == 70
    assert log.loadgen_version is not None and log.loadgen_version.startswith("6.0.17")
    assert log.section("requested_")["min_query_count"] == 70
    assert log.text("effective_scenario") == "SingleStream" and log.text("result_query_count") is None
    assert log.number("no_such_key") is None and log.integer("no_such_key") is None


def test_errors_know_where_they_come_from(detail: Callable[[str], DetailLog]) -> None:
    (error,) = detail("singlestream_ran_out").errors
    assert error.key == "error_runtime" and error.text.startswith("Ending early: Ran out of generated queries")
    assert error.source.startswith("loadgen.cc:") and error.time_ms is not None and error.line > 1


def test_a_rate_that_is_no_number_is_read(detail: Callable[[str], DetailLog]) -> None:
    """LoadGen writes -nan for the scheduled rate of one query."""
    log = detail("server_one")
    assert math.isnan(log.values["result_scheduled_samples_per_sec"])
    assert log.number("result_scheduled_samples_per_sec") is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("inf", math.inf), ("-inf", -math.inf), ("Infinity", math.inf), ("1e400", math.inf),
        ('"C:\\Users\\x"', "C:\\Users\\x"), ('"say "hello""', 'say "hello"'), ("[1,2]", [1, 2]), ("true", True),
    ],
)  # fmt: skip
def test_loadgen_escapes_nothing(write: Callable[[str], Path], text: str, value: object) -> None:
    log = read_detail(write(line("k", text)))
    assert log.values["k"] == value
    assert log.number("k") is None


def test_numbers_too_large_for_a_float_are_none(write: Callable[[str], Path]) -> None:
    log = read_detail(write(line("k", "1" + "0" * 400)))
    assert log.number("k") is None and log.integer("k") == 10**400


def test_the_last_value_holds(write: Callable[[str], Path]) -> None:
    log = read_detail(write(line("k", "1") + line("other", "5") + line("k", "2")))
    assert dict(log.values) == {"k": 2, "other": 5}
    assert len(log.values) == 2 and "k" in log.values and "x" not in log.values and 3 not in log.values


def test_every_flagged_line_is_seen(write: Callable[[str], Path]) -> None:
    content = line("a", "1") + line("w", '"one"', warning=True) + line("e", '"two"', error=True)
    content += line("w", '"three"', warning=True) + line("e", '"two"', error=True)
    log = read_detail(write(content))
    assert [(m.key, m.text, m.line) for m in log.warnings] == [("w", "one", 2), ("w", "three", 4)]
    assert [(m.text, m.line, m.source, m.time_ms) for m in log.errors] == [
        ("two", 3, "loadgen.cc:513", 1.25),
        ("two", 5, "loadgen.cc:513", 1.25),
    ]


def test_text_that_looks_like_a_flag_is_none(write: Callable[[str], Path]) -> None:
    log = read_detail(write(line("note", '"said "is_error": true, twice"')))
    assert not log.errors and not log.warnings
    assert log.values["note"] == 'said "is_error": true, twice'


def test_windows_line_ends_and_blank_lines(write: Callable[[str], Path]) -> None:
    content = (line("a", "1") + "\n" + line("b", "2", error=True)).replace("\n", "\r\n")
    log = read_detail(write(content))
    assert dict(log.values) == {"a": 1, "b": 2}
    assert [error.line for error in log.errors] == [3] and log.complete


def test_lines_spaced_in_another_way(write: Callable[[str], Path]) -> None:
    entry = {"value": 3, "key": "k", "metadata": {"is_error": True}}
    log = read_detail(write(f":::MLLOG {json.dumps(entry)}\n:::MLLOG {json.dumps({'key': 'plain', 'value': 4})}\n"))
    assert log.values["k"] == 3 and log.values["plain"] == 4
    assert len(log.errors) == 1


@pytest.mark.parametrize("cut", [1, 30, 75, 160])
def test_a_killed_run_is_read_up_to_where_it_came(write: Callable[[str], Path], cut: int) -> None:
    log = read_detail(write(line("a", "1") + line("b", "2", error=True)[:-cut]))
    assert log.values["a"] == 1
    # Only when nothing but the newline is missing is the last line a line.
    assert log.complete == (cut == 1) == ("b" in log.values) == bool(log.errors)


def test_an_empty_log_is_a_log_without_values(write: Callable[[str], Path]) -> None:
    log = read_detail(write(""))
    assert len(log.values) == 0 and log.complete


@pytest.mark.parametrize(
    "bad",
    ["hello\n", ":::MLLOG \n", ":::MLLOG []\n", ':::MLLOG {"key": 3}\n', ':::MLLOG {"key": "x", "value": \n', "\x00\n"],
)
def test_a_line_that_is_none_says_where(write: Callable[[str], Path], bad: str) -> None:
    path = write(line("a", "1") + bad + line("b", "2"))
    with pytest.raises(InvalidInputError) as caught:
        read_detail(path)
    assert caught.value.where == f"{path}:2"


def test_a_value_that_is_none_says_where_when_it_is_asked_for(write: Callable[[str], Path]) -> None:
    path = write(line("a", "1") + line("k", "oops"))
    log = read_detail(path)
    assert log.values["a"] == 1
    with pytest.raises(InvalidInputError) as caught:
        log.number("k")
    assert caught.value.where == f"{path}:2"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for reader in (read_detail, read_summary, read_accuracy, read_trace):
        with pytest.raises(NotFoundError):
            reader(tmp_path / "missing")
        with pytest.raises(InvalidInputError):
            reader(tmp_path)


LINES = st.builds(line, st.text("abc_é", max_size=5), st.text(max_size=20), error=st.booleans(), warning=st.booleans())
CHUNKS = st.one_of(
    st.binary(max_size=60), LINES.map(str.encode), st.sampled_from([b":::MLLOG ", b'{"key": "', b"\n", b"}}\n"])
)


@given(st.lists(CHUNKS, max_size=8))
@ANY_FILE
def test_no_bytes_crash_the_readers(tmp_path: Path, chunks: list[bytes]) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"".join(chunks))
    try:
        log = read_detail(path)
        for key in log.values:
            log.number(key), log.integer(key), log.text(key)
    except InvalidInputError:
        pass
    for reader in (read_summary, read_trace, read_accuracy):
        with contextlib.suppress(InvalidInputError):
            reader(path)


@given(
    entries=st.lists(
        st.tuples(
            st.text("abcxyz_", min_size=1, max_size=8),
            st.one_of(
                st.integers(-(2**63), 2**64), st.booleans(), st.text("abc :,{}[]", max_size=12), st.lists(st.integers())
            ),
        ),
        max_size=30,
    )
)
@ANY_FILE
def test_what_is_written_is_read(tmp_path: Path, entries: list[tuple[str, object]]) -> None:
    path = tmp_path / "log"
    path.write_text("".join(line(key, json.dumps(value)) for key, value in entries))
    assert dict(read_detail(path).values) == dict(entries)


def json_per_line(path: Path) -> dict[str, object]:
    values: dict[str, object] = {}
    for text in path.read_text(encoding="utf-8").splitlines():
        if text.startswith(":::MLLOG "):
            entry = json.loads(text.removeprefix(":::MLLOG "))
            values[entry["key"]] = entry["value"]
    return values


def test_published_logs_read_like_json(published: list[Path]) -> None:
    for folder in published:
        log = read_detail(folder / DETAIL)
        assert log.complete
        assert dict(log.values) == json_per_line(folder / DETAIL)


def test_published_summaries_count_what_the_details_hold(published: list[Path]) -> None:
    compared = 0
    for folder in published:
        if not (folder / SUMMARY).is_file():
            continue
        summary, log = read_summary(folder / SUMMARY), read_detail(folder / DETAIL)
        if summary.errors is not None:
            assert summary.errors == len(log.errors)
            assert summary.warnings == len(log.warnings)
            compared += 1
        if summary.reported_valid is not None:
            assert summary.reported_valid == (log.values["result_validity"] == "VALID")
    assert compared > 100


def test_large_logs_are_not_decoded_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / DETAIL
    rng = random.Random(1)
    long = json.dumps([rng.randrange(10**6) for _ in range(2000)])
    path.write_text(
        "".join(line(f"loaded_qsl_set_{n % 4}", long) for n in range(400)) + line("result_query_count", "7")
    )

    def best(read: Callable[[], object]) -> float:
        def once() -> float:
            begin = time.process_time()
            read()
            return time.process_time() - begin

        return min(once() for _ in range(3))

    ours = best(lambda: read_detail(path).integer("result_query_count"))
    assert ours * 5 < best(lambda: json_per_line(path))


# ---- summary


def test_the_summary_is_taken_apart(logs: Path) -> None:
    summary = read_summary(logs / "singlestream_ran_out" / SUMMARY)
    assert summary.reported_valid is False
    assert summary.fields["Scenario"] == "SingleStream" and summary.fields["target_qps"] == "200"
    assert summary.fields["Min duration satisfied"] == "NO"
    assert summary.recommendations == ("Decrease the expected latency so the loadgen pre-generates more queries.",)
    assert summary.early_stopping[0].startswith("Processed at least 64 queries (81)")
    log = read_detail(logs / "singlestream_ran_out" / DETAIL)
    assert (summary.errors, summary.warnings) == (1, 1) == (len(log.errors), len(log.warnings))


def test_points_go_on_over_several_lines(logs: Path) -> None:
    points = read_summary(logs / "singlestream" / SUMMARY).early_stopping
    assert points[-1] == (
        "Not enough queries processed for 99.0th percentile early stopping estimate "
        "(would need to process at least 662 total queries)."
    )


def test_an_accuracy_run_has_no_verdict(logs: Path) -> None:
    assert read_summary(logs / "offline_accuracy" / SUMMARY).reported_valid is None


# ---- accuracy


@pytest.mark.parametrize("name", ["offline_accuracy", "singlestream_accuracy"])
def test_the_responses_are_what_was_answered(logs: Path, name: str) -> None:
    log = read_accuracy(logs / name / ACCURACY)
    assert sorted(log.qsl_idx) == list(range(40)) and sorted(log.seq_id) == list(range(40))
    # The system answered with the index of the sample.
    assert np.array_equal(log.values("<f4")[:, 0], log.qsl_idx.astype(np.float32))


def entry(seq: int, index: int, data: str, more: str = "") -> str:
    return f'{{ "seq_id" : {seq}, "qsl_idx" : {index}, "data" : "{data}"{more} }}'


def test_responses_of_different_sizes_have_no_common_array(tmp_path: Path) -> None:
    path = tmp_path / ACCURACY
    counted = entry(1, 5, "", ', "token_count" : 4')
    path.write_text("[\n" + entry(0, 3, "00000042") + ",\n" + counted + "\n]\n")
    log = read_accuracy(path)
    assert log.data == (bytes.fromhex("00000042"), b"")
    with pytest.raises(InvalidInputError, match="sample 5 has 0 bytes"):
        log.values("<f4")
    with pytest.raises(InvalidInputError):
        log.values("<i8")


@pytest.mark.parametrize("text", ["[]", "[\n]\n", " [ ] "])
def test_no_responses(tmp_path: Path, text: str) -> None:
    path = tmp_path / ACCURACY
    path.write_text(text)
    assert read_accuracy(path).values("<f4").shape == (0, 0)


@pytest.mark.parametrize(
    "text",
    [
        "", "[", "{}", "[ 5 ]", f"[{entry(0, 1, '00')}", f"[{entry(0, 1, '00')}, ]", f"[{entry(0, 1, '0')}]",
        f"[{entry(0, 1, 'zz')}]", f"[{entry(0, 1, '00')} {entry(1, 2, '00')}]", f"[{entry(0, 10**30, '00')}]",
        f"[{entry(0, 1, '00')}, rubbish, {entry(1, 2, '00')}]", f"[{entry(0, 1, '00')},\n\n...\n\n{entry(1, 2, '00')}]",
    ],
)  # fmt: skip
def test_an_accuracy_log_that_is_cut_or_changed_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / ACCURACY
    path.write_text(text)
    with pytest.raises(InvalidInputError) as caught:
        read_accuracy(path)
    assert str(path) in str(caught.value.where)


@given(st.lists(st.tuples(st.integers(0, 10**9), st.binary(max_size=12)), max_size=20))
@ANY_FILE
def test_accuracy_logs_round_trip(tmp_path: Path, responses: list[tuple[int, bytes]]) -> None:
    path = tmp_path / ACCURACY
    body = ",\n".join(entry(n, index, data.hex().upper()) for n, (index, data) in enumerate(responses))
    path.write_text(f"[\n{body}\n]\n")
    log = read_accuracy(path)
    assert list(zip(log.qsl_idx.tolist(), log.data, strict=True)) == responses
    assert log.seq_id.tolist() == list(range(len(responses)))


# ---- trace


@pytest.mark.parametrize(
    ("name", "queries", "samples"),
    [("singlestream_trace", 5, 5), ("multistream_trace", 3, 24), ("server_trace", 4, 4), ("offline_trace", 1, 6)],
)
def test_the_trace_holds_every_query(
    logs: Path, detail: Callable[[str], DetailLog], name: str, queries: int, samples: int
) -> None:
    found, each = read_trace(logs / name / TRACE), read_trace(logs / name / TRACE, samples=True)
    assert len(found.latency_ns) == queries and len(each.latency_ns) == samples
    assert found.start_s[0] == 0.0 and (np.diff(found.start_s) >= 0).all()
    log = detail(name)
    slowest = log.integer("result_max_query_latency_ns") or log.integer("result_max_latency_ns")
    assert found.latency_ns.max() == each.latency_ns.max() == slowest


def test_a_trace_that_is_cut_or_hostile_gives_what_it_has(logs: Path, tmp_path: Path) -> None:
    whole = (logs / "server_trace" / TRACE).read_bytes()
    cut = tmp_path / TRACE
    cut.write_bytes(
        whole[: whole.rindex(b'"Sample"')] + b'{"name":"Sample","ts":1.2.3,"args":{"sample_seq":' + b"9" * 9000
    )
    assert 0 < len(read_trace(cut).latency_ns) <= 4
    cut.write_bytes(b"")
    assert len(read_trace(cut).latency_ns) == 0
