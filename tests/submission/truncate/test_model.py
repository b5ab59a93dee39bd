from __future__ import annotations

from assay.submission.truncate.model import LogReport, State, TruncateReport


def test_a_report_is_good_as_long_as_nothing_is_refused() -> None:
    logs = (LogReport("a", State.CUT), LogReport("b", State.HASHED), LogReport("c", State.MISSING))
    report = TruncateReport("tree", "v3.0", 10240, False, "out", logs)
    assert report.ok
    assert report.count(State.CUT, State.HASHED) == 2
    worse = TruncateReport("tree", "v3.0", 10240, False, "out", (*logs, LogReport("d", State.REFUSED)))
    assert not worse.ok
