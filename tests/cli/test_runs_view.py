from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from assay.cli.runs_view import log_tails, short_ids


@given(st.sets(st.text("abc-", min_size=1, max_size=9), max_size=12))
def test_short_ids_name_exactly_one_run(ids: set[str]) -> None:
    names = sorted(ids)
    short = short_ids(names)
    assert set(short) == ids
    for name, ending in short.items():
        hits = [other for other in names if other == ending] or [
            o for o in names if o.endswith(ending) or o.startswith(ending)
        ]
        assert hits == [name]


def test_only_the_end_of_a_log_is_read_and_nothing_steers_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "worker.log").write_bytes(
        b"x" * 100_000 + b"\n" + b"\n".join(b"line %d" % n for n in range(60)) + b"\n\x1b[31mred\xff\n"
    )
    tails = log_tails(tmp_path)
    assert list(tails) == ["worker.log"] and len(tails["worker.log"]) == 40
    assert tails["worker.log"][-1] == "·[31mred\N{REPLACEMENT CHARACTER}"
    assert tails["worker.log"][-2] == "line 59"


def test_no_logs(tmp_path: Path) -> None:
    assert log_tails(tmp_path) == {}
