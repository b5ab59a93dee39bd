from __future__ import annotations

from assay.submission.preprocess.model import Note, PreprocessReport


def test_a_report_is_good_as_long_as_nothing_is_refused() -> None:
    report = PreprocessReport("tree", "v3.0", False, None, (), (Note("a", "unknown model"),))
    assert report.ok
    assert not PreprocessReport("tree", "v3.0", False, None, (), (Note("a", "a link", refused=True),)).ok
