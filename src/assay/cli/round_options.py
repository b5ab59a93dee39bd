"""What ``assay benchmarks`` and ``assay rounds`` share: the round on the command line, names, words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from assay.errors import AssayError, nearest
from assay.rules.load import load_round, read_round, round_names
from assay.rules.model import Round
from assay.rules.words import accuracy_text, metric_word, seeds_text, target_text

DEFAULT_ROUND = "v3.1"

__all__ = [
    "DEFAULT_ROUND",
    "ROUND",
    "NounGroup",
    "accuracy_text",
    "complete_benchmark",
    "complete_round",
    "find_round",
    "metric_word",
    "seeds_text",
    "target_text",
]


def find_round(text: str) -> Round:
    """The round of a name, or of a file of the user's own (a path, or a name that ends in ``.yaml``).

    Raises:
        NotFoundError: for a name or file that is not there.
        InvalidInputError: for a malformed file.
    """
    if re.search(r"[/\\]|\.ya?ml$", text):
        return read_round(Path(text).expanduser())
    return load_round(text)


def complete_round(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of rounds, for the shell."""
    del ctx, param
    return _starting(round_names(), incomplete)


def complete_benchmark(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of the chosen round's benchmarks, for the shell; nothing when there is no such round."""
    del param
    try:
        round_ = find_round(str(ctx.params.get("round_name") or DEFAULT_ROUND))
    except AssayError:
        return []
    names = [name for entry in round_.benchmarks.values() for name in (entry.name, *entry.aliases)]
    return _starting(names, incomplete)


ROUND = click.option(
    "--round",
    "round_name",
    default=DEFAULT_ROUND,
    show_default=True,
    metavar="ROUND|FILE",
    shell_complete=complete_round,
    help="Round, or a round file of your own.",
)


class NounGroup(click.Group):
    """A group that lists its nouns when it is given no verb, and says how to show one."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb; a noun in its place gets the command that was meant."""
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            verbs = ", ".join(self.list_commands(ctx))
            path = ctx.command_path
            close = nearest(args[0], self.list_commands(ctx), limit=1)
            meant = f"{path} {close[0]}" if close else f"{path} show {args[0]}"
            raise click.UsageError(f"No such command {args[0]!r} (there is {verbs}). Did you mean {meant}?", ctx)
        return super().resolve_command(ctx, args)


def _starting(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    low = incomplete.casefold()
    return [CompletionItem(name) for name in names if name.casefold().startswith(low)]
