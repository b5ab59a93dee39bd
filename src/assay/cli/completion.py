"""``assay completion``: shell completion."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from assay.cli.main import assay
from assay.errors import UsageError


@click.command(
    epilog='Examples:\n\n\b\n  eval "$(assay completion bash)"\n  assay completion fish > ~/.config/fish/completions/assay.fish'
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of a shell, to be evaluated by it."""
    source = get_completion_class(shell)
    if source is None:
        raise UsageError(f"no completion for {shell!r}", expected="bash, zsh or fish")
    click.echo(source(assay, {}, "assay", "_ASSAY_COMPLETE").source())
