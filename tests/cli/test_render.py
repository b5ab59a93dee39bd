from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from assay.base.progress import SILENT
from assay.cli.render import Output, output_options


def test_json_is_one_readable_document(capsys: pytest.CaptureFixture[str]) -> None:
    Output().json({"name": "é", "path": Path("/x"), "n": 1})
    assert json.loads(capsys.readouterr().out) == {"name": "é", "path": "/x", "n": 1}
    Output().json("é")
    assert capsys.readouterr().out == '"é"\n'


def test_data_goes_to_stdout_and_remarks_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output()
    out.text("data")
    out.remark("remark")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("data\n", "remark\n")
    Output(quiet=True).remark("remark")
    assert capsys.readouterr().err == ""


def test_fields_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    Output().fields([("a", 1), ("longer", None), ("b", "x")])
    assert capsys.readouterr().out == "a       1\nlonger\nb       x\n"
    Output().fields([])
    assert capsys.readouterr().out == ""


def test_a_table_has_headers_cells_and_no_markup_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    Output().table(["Name", "Value"], [("[bold]x[/bold]", None), ("y", 12)], title="Things", right=("Value",))
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "Things"
    assert lines[1].split() == ["Name", "Value"]
    assert lines[2] == "[bold]x[/bold]"
    assert lines[3].endswith("12")
    assert "\x1b" not in "".join(lines)


@pytest.mark.parametrize("out", [Output(quiet=True), Output(as_json=True)])
def test_progress_is_silent_when_nobody_reads_it(out: Output, capsys: pytest.CaptureFixture[str]) -> None:
    with out.progress() as progress:
        assert progress is SILENT
    assert capsys.readouterr().err == ""


def test_without_a_terminal_each_piece_of_work_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with Output().progress() as progress:
        step = progress.start("downloading", total=5_000_000, unit="B")
        step.advance(1)
        step.finish()
        progress.start("measuring", total=30, unit="s")
        progress.start("images", total=50_000, unit="images")
        progress.message("halfway")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "downloading (5.0 MB)",
        "measuring (30.0 s)",
        "images (50,000 images)",
        "halfway",
    ]


def test_on_a_terminal_bars_are_drawn_and_taken_away(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with Output().progress() as progress:
        step = progress.start("downloading", total=10, unit="B")
        step.advance(4)
        step.update(done=5, total=20, note="mirror 2")
        progress.message("hello [x]")
        step.finish()
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "hello [x]" in captured.err


def test_the_options_reach_the_command() -> None:
    @click.command()
    @click.option("--number", type=int, default=1)
    @output_options
    def command(number: int, out: Output) -> int:
        """Help of the command."""
        out.remark(f"quiet {out.quiet}")
        out.json({"number": number, "json": out.as_json})
        return number

    runner = CliRunner()
    result = runner.invoke(command, ["--number", "7", "--json", "-q"], standalone_mode=False)
    assert result.return_value == 7
    assert json.loads(result.stdout) == {"number": 7, "json": True}
    assert "Help of the command." in runner.invoke(command, ["--help"]).output
    assert runner.invoke(command, ["--debug"]).exit_code == 0


def test_options_of_all_commands_are_the_same() -> None:
    @click.command()
    @output_options
    def command(out: Output) -> None:
        """Do nothing."""

    names: list[Any] = [option.opts for option in command.params if isinstance(option, click.Option)]
    assert names == [["--json"], ["-q", "--quiet"], ["--debug"]]


@pytest.mark.parametrize("half", ["\ud800", "\udcff"])
def test_half_a_character_is_printed_as_its_escape(half: str, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    Output(as_json=True).json({"name": f"é{half}"})
    raw = capsysbinary.readouterr().out
    assert json.loads(raw.decode()) == {"name": f"é{half}"}
    Output().text(half)
    assert capsysbinary.readouterr().out == f"\\u{ord(half):x}\n".encode()


def test_headings_are_no_markup_and_whole_columns_stay_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "dumb")
    rows = [("a-long-name-" * 4, "MultiStream", "1")]
    Output().table(["name", "scenario", "per [samples/J]"], rows, whole=("scenario", "per [samples/J]"))
    out = capsys.readouterr().out
    assert "per [samples/J]" in out.splitlines()[0]
    assert "MultiStream" in out and max(map(len, out.splitlines())) <= 40
