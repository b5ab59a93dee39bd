from __future__ import annotations

import json
from pathlib import Path

from assay.harness.external.following import Following


class Told:
    def __init__(self) -> None:
        self.notes: list[str | None] = []
        self.totals: list[float | None] = []

    def advance(self, amount: float = 1) -> None:
        del amount

    def update(self, *, done: float | None = None, total: float | None = None, note: str | None = None) -> None:
        del done
        self.notes.append(note)
        self.totals.append(total)

    def finish(self) -> None:
        pass


def line(key: str, value: object) -> str:
    return f":::MLLOG {json.dumps({'key': key, 'value': value, 'time_ms': 0.1})}\n"


def test_a_growing_log_is_followed(tmp_path: Path) -> None:
    told, log = Told(), tmp_path / "mlperf_log_detail.txt"
    following = Following(tmp_path, told)
    following.look()
    assert told.notes == ["starting"]
    with log.open("w") as stream:
        stream.write(line("effective_test_mode", "PerformanceOnly") + line("effective_min_duration_ms", 60_000))
        stream.write(line("generic_message", "Starting performance mode")[:-9])
        stream.flush()
        following.look()
        assert told.notes[-1] == "starting"
        stream.write(line("generic_message", "Starting performance mode")[-9:])
        stream.flush()
        following.look()
        assert told.notes[-1] == "LoadGen runs, at least 1m 00s"
        assert told.totals[-1] == 60.0
        stream.write("no line of LoadGen's\n" + line("result_validity", "VALID"))
    following.look()
    assert told.notes[-1] == "LoadGen has ended: VALID"


def test_an_accuracy_run_has_no_duration(tmp_path: Path) -> None:
    told = Told()
    text = line("effective_min_duration_ms", 600_000) + line("effective_test_mode", "AccuracyOnly")
    (tmp_path / "mlperf_log_detail.txt").write_text(text + line("generic_message", "Starting accuracy mode"))
    following = Following(tmp_path, told)
    following.look()
    assert following.note == "LoadGen runs"
    assert told.totals == [None]


def test_what_is_no_line_does_not_matter(tmp_path: Path) -> None:
    told = Told()
    (tmp_path / "mlperf_log_detail.txt").write_bytes(b':::MLLOG {"key": "generic_message", "value": \n\xff\xfe\n[1]\n')
    Following(tmp_path, told).look()
    assert told.notes == ["starting"]
