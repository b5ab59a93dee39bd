from __future__ import annotations

from assay.base.progress import SILENT


def test_silence_takes_everything_and_says_nothing(capsys: object) -> None:
    step = SILENT.start("work", total=3, unit="images")
    step.advance()
    step.update(done=2, total=4, note="half")
    step.finish()
    SILENT.message("hello")
    captured = capsys.readouterr()  # type: ignore[attr-defined]
    assert (captured.out, captured.err) == ("", "")
