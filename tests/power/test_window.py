"""LoadGen's window, from its detail log."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.errors import InvalidInputError, NotFoundError
from assay.loadgen.names import DETAIL
from assay.power.window import read_window

from .workload import write_logs


def test_the_window_and_how_much_was_done_in_it(tmp_path: Path) -> None:
    write_logs(tmp_path, 1000.5, 1010.75, samples=24)
    window = read_window(tmp_path / DETAIL)
    assert (window.begin, window.end, window.seconds, window.samples) == (1000.5, 1010.75, 10.25, 24)


def test_what_the_log_does_not_say(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_window(tmp_path / DETAIL)
    write_logs(tmp_path, 1010, 1000)
    with pytest.raises(InvalidInputError, match="ends before it begins"):
        read_window(tmp_path / DETAIL)
    path = tmp_path / DETAIL
    path.write_text(path.read_text().replace("power_end", "power_over"))
    with pytest.raises(InvalidInputError, match="does not say when it measured") as told:
        read_window(path)
    assert told.value.where == f"{path}: power_end"


def test_samples_are_not_guessed(tmp_path: Path) -> None:
    write_logs(tmp_path, 1000, 1010)
    path = tmp_path / DETAIL
    path.write_text(path.read_text().replace("generated_samples_per_query", "other"))
    assert read_window(path).samples is None
