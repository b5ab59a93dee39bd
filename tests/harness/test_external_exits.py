from __future__ import annotations

from pathlib import Path

import pytest

from assay.harness.external.exits import complaint, ending, last_lines, tail, waited


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1, "left with exit status 1"),
        (126, "left with exit status 126: it may not be run"),
        (127, "left with exit status 127: a program was not found"),
        (137, "137: a program that it started was ended by SIGKILL (killed, perhaps for want of memory)"),
        (139, "ended by SIGSEGV (it crashed)"),
        (-9, "was ended by SIGKILL (killed, perhaps for want of memory)"),
        (-11, "was ended by SIGSEGV (it crashed)"),
        (-15, "was ended by SIGTERM"),
        (255, "left with exit status 255"),
    ],
)
def test_a_code_is_told_in_words(code: int, words: str) -> None:
    assert words in ending(code)


def test_a_raw_wait_status_is_understood() -> None:
    assert waited(35072) == ending(137)
    assert waited(256) == ending(1)
    assert waited(9) == ending(-9)
    assert waited(139) == ending(-11)  # the bit of the core file is not part of the signal


TRACEBACK = """
loading
Traceback (most recent call last):
  File "main.py", line 600, in <module>
    main()
  File "backend.py", line 12, in load
    raise KeyError(name)
KeyError: 'no such layer'
cleaning up
""".splitlines()


def test_the_last_complaint_and_its_place() -> None:
    assert complaint(TRACEBACK) == ("KeyError: 'no such layer'", "backend.py:12")
    assert complaint(["ok", "bash: foo: cannot open", "bye"]) == ("bash: foo: cannot open", "")
    assert complaint(["all is well"]) == ("", "")


def test_the_end_of_a_log_without_bars_of_progress(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_bytes(b"first\n" + b"1%\r50%\r100%\n" + b"\xff\n\n" + b"y" * 1000 + b"\n")
    lines = tail(log)
    assert lines[:2] == ["first", "100%"]
    assert len(lines[-1]) == 300
    assert tail(tmp_path / "none") == []
    assert last_lines([], "x.log") == "x.log is empty"
    assert last_lines(["a"] * 20, "x.log").count("a\n") == 11
