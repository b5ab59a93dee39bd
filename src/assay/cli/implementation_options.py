"""The options of ``assay run`` that let another program do the work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from assay.cli.options import DURATION, key_values
from assay.errors import UsageError

if TYPE_CHECKING:
    from assay.campaign.external_plan import ExternalRequest

F = TypeVar("F", bound=Callable[..., Any])
_OURS = {
    "backend": ("--backend", "auto"),
    "backend_options": ("--backend-option", {}),
    "batch_wait_ns": ("--batch-wait", None),
    "trace": ("--no-trace", True),
}
"""Settings of assay's own harness, and what they are when nobody gives them."""


container_option = click.option(
    "--container",
    type=click.Choice(["auto", "podman", "docker", "none"]),
    default="auto",
    show_default=True,
    help="What runs the container of its manifest; none: the program runs on this machine itself.",
)


def implementation_options(function: F) -> F:
    """Add ``--implementation`` and what goes with it."""
    options = (
        click.option(
            "--implementation",
            shell_complete=complete_implementation,
            help="Another program that runs it: a name of assay implementations, or the path of a manifest.",
        ),
        click.option(
            "--implementation-dir", type=click.Path(path_type=Path), help="Folder of that program, such as a checkout."
        ),
        click.option(
            "--implementation-option",
            multiple=True,
            metavar="KEY=VALUE",
            help="Word that its manifest lets you choose; may be given again.",
        ),
        container_option,
        click.option("--time-limit", "time_limit_ns", type=DURATION, help="Longest time of one of its runs, e.g. 2h."),
    )
    for option in reversed(options):
        function = option(function)
    return function


def external_request(
    given: dict[str, Any],
    implementation: str | None,
    folder: Path | None,
    words: tuple[str, ...],
    time_limit_ns: int | None,
    container: str = "auto",
) -> ExternalRequest | None:
    """The program that was asked for; None where assay's own harness runs.

    Args:
        given: the settings of the run.

    Raises:
        UsageError: for an option that means nothing without a program, or with one.
    """
    if implementation is None:
        for option, value in (
            ("--implementation-dir", folder),
            ("--implementation-option", words),
            ("--time-limit", time_limit_ns),
            ("--container", container != "auto"),
        ):
            if value:
                raise UsageError(f"{option} means nothing without --implementation", hint="assay implementations")
        return None
    for name, (option, idle) in _OURS.items():
        if given.get(name, idle) != idle:
            raise UsageError(f"{option} is of assay's own harness and means nothing to {implementation}")
    from assay.campaign.external_plan import ExternalRequest

    chosen = key_values(words, "--implementation-option")
    return ExternalRequest(implementation, folder, chosen, time_limit_ns, container)


def complete_implementation(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Implementations that begin with what is typed."""
    del ctx, param
    from assay.base.settings import load_settings
    from assay.harness.external.catalogue import load_implementations

    known = load_implementations(load_settings())
    return [CompletionItem(name, help=of.title) for name, of in sorted(known.items()) if name.startswith(incomplete)]
