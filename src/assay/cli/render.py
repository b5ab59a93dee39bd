"""What reaches the terminal: tables, JSON and progress. Data goes to stdout, everything else to stderr.

rich is imported when something is drawn, not before.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from assay.base.progress import SILENT, Progress, Step
from assay.base.units import format_duration, format_size

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

F = TypeVar("F", bound=Callable[..., Any])


def output_options(function: F) -> F:
    """Add ``--json``, ``--quiet`` and ``--debug`` to a command, whose ``out`` parameter gets an :class:`Output`."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of a table.")
    @click.option("-q", "--quiet", is_flag=True, help="No progress and no remarks.")
    @click.option("--debug", is_flag=True, help="Show the traceback of an error.")
    @click.pass_context
    def wrapper(ctx: click.Context, /, *args: Any, as_json: bool, quiet: bool, debug: bool, **options: Any) -> Any:
        del debug  # read from the arguments by cli.main, which handles the error
        return ctx.invoke(function, *args, out=Output(as_json=as_json, quiet=quiet), **options)

    wrapper.__name__ = function.__name__
    wrapper.__doc__ = function.__doc__
    wrapper.__click_params__ = [*getattr(function, "__click_params__", []), *wrapper.__click_params__]  # type: ignore[attr-defined]
    return wrapper  # type: ignore[return-value]


def _whole(text: str) -> str:
    """A text that can be printed: half a character (in a log, in a name that is not UTF-8) as its JSON escape."""
    return text.encode("utf-8", "backslashreplace").decode()


@dataclass(frozen=True, slots=True)
class Output:
    """How a command speaks, by what the user asked for."""

    as_json: bool = False
    quiet: bool = False

    def json(self, value: Any) -> None:
        """Print one JSON document."""
        print(_whole(json.dumps(value, indent=2, ensure_ascii=False, default=str)))

    def text(self, line: str = "") -> None:
        """Print a line of data to stdout."""
        print(_whole(line))

    def raw(self, content: bytes) -> None:
        """Write a file's content to stdout as it is."""
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()

    def remark(self, line: str) -> None:
        """Print a line for people to stderr; nothing under ``--quiet``."""
        if not self.quiet:
            print(line, file=sys.stderr)

    def table(
        self,
        columns: Sequence[str],
        rows: Sequence[Sequence[object]],
        *,
        title: str | None = None,
        right: Sequence[str] = (),
        whole: Sequence[str] = (),
    ) -> None:
        """Print a table.

        Args:
            columns: headings.
            rows: cells.
            title: line above it.
            right: the columns aligned to the right.
            whole: the columns that are not broken into lines as long as others can be.
        """
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
        for column in columns:
            # As a Text: a unit in brackets, such as [samples/J], is no mark-up.
            table.add_column(
                Text(column),
                justify="right" if column in right else "left",
                overflow="fold",
                no_wrap=column in whole,
            )
        for row in rows:
            table.add_row(
                *(cell if isinstance(cell, Text) else Text("" if cell is None else str(cell)) for cell in row)
            )
        Console(width=None if sys.stdout.isatty() else 200, highlight=False).print(table)

    def fields(self, pairs: Sequence[tuple[str, object]]) -> None:
        """Print name and value pairs, one a line, aligned."""
        width = max((len(name) for name, _ in pairs), default=0)
        for name, value in pairs:
            print(f"{name:<{width}}  {'' if value is None else value}".rstrip())

    @contextlib.contextmanager
    def progress(self) -> Iterator[Progress]:
        """Progress bars with an estimate of the time left; silent under ``--quiet``, ``--json`` or without a terminal."""
        if self.quiet or self.as_json:
            yield SILENT
            return
        if not sys.stderr.isatty():
            yield _PlainProgress()
            return
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as RichProgress

        bars = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[amount]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            TextColumn("{task.fields[note]}"),
            console=Console(stderr=True),
            transient=True,
        )
        try:
            yield _Bars(bars)
        finally:
            bars.stop()


class _Bars:
    """Progress drawn by rich; its thread starts with the first bar, so that what comes before may still fork."""

    def __init__(self, bars: RichProgress) -> None:
        self._bars = bars

    def start(self, label: str, *, total: float | None = None, unit: str = "") -> Step:
        self._bars.start()
        task = self._bars.add_task(label, total=total, amount="", note="", left="")
        return _Bar(self._bars, task, unit)

    def message(self, text: str) -> None:
        self._bars.console.print(text, highlight=False, markup=False)


class _Bar:
    def __init__(self, bars: RichProgress, task: TaskID, unit: str) -> None:
        self._bars, self._task, self._unit, self._done = bars, task, unit, 0.0
        self._total: float | None = bars.tasks[bars.task_ids.index(task)].total

    def advance(self, amount: float = 1) -> None:
        self.update(done=self._done + amount)

    def update(self, *, done: float | None = None, total: float | None = None, note: str | None = None) -> None:
        self._done = self._done if done is None else done
        self._total = self._total if total is None else total
        elapsed = self._bars.tasks[self._bars.task_ids.index(self._task)].elapsed or 0.0
        fields: dict[str, Any] = {
            "amount": _amount(self._done, self._total, self._unit),
            "left": _left(self._done, self._total, self._unit, elapsed),
        }
        if note is not None:
            fields["note"] = note
        self._bars.update(self._task, completed=self._done, total=self._total, **fields)

    def finish(self) -> None:
        self._bars.remove_task(self._task)


class _PlainProgress:
    """Progress as plain lines, for logs: one line when a piece of work starts."""

    def start(self, label: str, *, total: float | None = None, unit: str = "") -> Step:
        amount = f" ({_amount(None, total, unit)})" if total else ""
        print(f"{label}{amount}", file=sys.stderr)
        return SILENT.start(label)

    def message(self, text: str) -> None:
        print(text, file=sys.stderr)


def _left(done: float, total: float | None, unit: str, elapsed: float) -> str:
    """The time left: told by the work itself where it counts seconds, else from how fast it went so far."""
    if not total or done <= 0:
        return ""
    seconds = total - done if unit == "s" else elapsed / done * (total - done)
    return f"{format_duration(max(seconds, 0) * 1e9)} left"


def _amount(done: float | None, total: float | None, unit: str) -> str:
    def one(value: float) -> str:
        if unit == "B":
            return format_size(value)
        if unit == "s":
            return format_duration(value * 1e9)
        return f"{value:,.0f}"

    suffix = "" if unit in ("B", "s", "") else f" {unit}"
    if done is None:
        return f"{one(total or 0)}{suffix}"
    return f"{one(done)}/{one(total)}{suffix}" if total else f"{one(done)}{suffix}"
