from __future__ import annotations

import json
from typing import Any

import click
import pytest

from assay import __version__
from assay.cli import main
from assay.cli.main import VERBS, assay, run
from assay.errors import InvalidInputError, MachineError


class Raising:
    """Stands in for the command group and raises."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def main(self, **_: Any) -> None:
        raise self.error


def raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    monkeypatch.setattr(main, "assay", Raising(error))


def test_help_lists_every_verb_under_its_heading(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    text = capsys.readouterr().out
    for verb in VERBS:
        assert f"{verb.group}:" in text
        assert verb.name in text
        assert verb.help in text
    assert "Examples:" in text


def test_without_a_verb_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) in (0, 2)
    captured = capsys.readouterr()
    assert "Usage: assay" in captured.out + captured.err


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"assay {__version__}\n"


def test_a_misspelt_verb_has_close_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["systm"]) == 2
    assert "Did you mean system" in capsys.readouterr().err
    assert run(["zzzzzz"]) == 2
    assert "See assay --help." in capsys.readouterr().err


def test_an_unknown_option_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--colour"]) == 2
    assert "--colour" in capsys.readouterr().err
    assert run(["system", "show", "--jsno"]) == 2
    assert "--json" in capsys.readouterr().err


def test_an_error_of_ours_is_one_line_and_one_to_try(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(monkeypatch, InvalidInputError("no number", where="a.json", hint="assay system edit a"))
    assert run(["x"]) == 4
    captured = capsys.readouterr()
    assert captured.err == "error: a.json: no number\n  try: assay system edit a\n"
    assert captured.out == ""


def test_with_json_the_error_is_the_document(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(monkeypatch, MachineError("disk full"))
    assert run(["x", "--json"]) == 5
    captured = capsys.readouterr()
    assert json.loads(captured.out)["error"] == "Machine"
    assert captured.err == ""


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (click.Abort(), 130, "interrupted"),
        (click.exceptions.Exit(7), 7, ""),
        (click.UsageError("no such thing"), 2, "no such thing"),
        (RuntimeError("a bug"), 5, "assay itself failed: RuntimeError: a bug"),
    ],
)
def test_whatever_ends_a_command_has_an_exit_code(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    words: str,
) -> None:
    raising(monkeypatch, error)
    assert run(["x"]) == code
    captured = capsys.readouterr()
    assert words in captured.err
    assert "Traceback" not in captured.err


@pytest.mark.parametrize("error", [InvalidInputError("x"), RuntimeError("x")])
def test_debug_lets_the_traceback_through(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    raising(monkeypatch, error)
    with pytest.raises(type(error)):
        run(["x", "--debug"])
    monkeypatch.setenv("ASSAY_DEBUG", "1")
    with pytest.raises(type(error)):
        run(["x"])


def test_the_verdict_of_a_command_is_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    class Verdict:
        def __init__(self, value: object) -> None:
            self.value = value

        def main(self, **_: Any) -> object:
            return self.value

    for value, code in ((1, 1), (0, 0), (None, 0), ("text", 0)):
        monkeypatch.setattr(main, "assay", Verdict(value))
        assert run(["x"]) == code


def test_verbs_are_listed_in_the_tables_order() -> None:
    assert assay.list_commands(click.Context(assay)) == [verb.name for verb in VERBS]
    assert assay.get_command(click.Context(assay), "no-such-verb") is None
