"""Options that questions to the index share, and the question that they make."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from assay.base.settings import load_settings
from assay.cli.options import key_values
from assay.cli.render import Output

if TYPE_CHECKING:
    from assay.expressions import Schema
    from assay.results.query import Query
    from assay.results.store import Store

F = TypeVar("F", bound=Callable[..., Any])
_PLAIN = ("round", "benchmark", "task", "scenario", "division", "category", "organisation")


def complete_expression(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """What could be written next in an expression, for the shell."""
    del ctx, param
    from assay.expressions import complete
    from assay.results.metrics import load_metrics

    found = complete(incomplete, len(incomplete), load_metrics(load_settings()).schema())
    return [CompletionItem(incomplete[: each.start] + each.text, help=each.description) for each in found]


def question_options(function: F) -> F:
    """Add the options that say which results a question is about."""
    for option in reversed(
        (
            click.argument("filter_", metavar="[FILTER]", default="", shell_complete=complete_expression),
            click.option("--round", "round_", multiple=True, metavar="ROUND", help="Only this round; may be repeated."),
            click.option("--benchmark", "-n", multiple=True, metavar="NAME", help="Only this benchmark."),
            click.option("--task", multiple=True, metavar="NAME", help="Only this kind of problem."),
            click.option("--scenario", "-s", multiple=True, metavar="NAME", help="Only this scenario."),
            click.option("--division", multiple=True, metavar="NAME", help="Only this division."),
            click.option("--category", multiple=True, metavar="NAME", help="Only edge, or only datacenter."),
            click.option(
                "--organisation",
                "--submitter",
                "organisation",
                multiple=True,
                metavar="NAME",
                help="Only this submitter.",
            ),
            click.option("--inferred", is_flag=True, help="Also figures computed from another scenario's run."),
            click.option("--refused", is_flag=True, help="Also what the official checker of the round does not take."),
            click.option(
                "--local", is_flag=True, help="Also results of this machine, and of trees that nobody published."
            ),
            click.option(
                "--baseline", metavar="FILTER", default="", help="The results that baseline(x) compares with."
            ),
            click.option(
                "--set", "given", multiple=True, metavar="NAME=VALUE", help="A metric's parameter: price='3.2 USD/h'."
            ),
        )
    ):
        function = option(function)
    return function


def question(options: dict[str, Any], **more: Any) -> Query:
    """The question that the shared options ask."""
    from assay.results.query import Query, Scope

    parts = [options["filter_"].strip()] if options["filter_"].strip() else []
    for name in _PLAIN:
        values = options["round_" if name == "round" else name]
        if values:
            words = ", ".join(_literal(_spelt(name, value)) for value in values)
            parts.append(f"{name} in ({words})")
    condition = " and ".join(f"({part})" for part in parts) if len(parts) > 1 else "".join(parts)
    scope = Scope(inferred=options["inferred"], refused=options["refused"], local=options["local"])
    return Query(filter=condition, baseline=options["baseline"], scope=scope, **more)


def _spelt(name: str, value: str) -> str:
    """A value in the spelling that results have, where the rules know one."""
    from assay.errors import AssayError
    from assay.rules.model import Category, Division, Scenario

    kinds: dict[str, Any] = {"scenario": Scenario, "division": Division, "category": Category}
    if name in kinds:
        return str(kinds[name].parse(value).value)
    if name == "round":
        return value if value.startswith("v") else f"v{value}"
    if name == "benchmark":
        from assay.rules.load import load_round, round_names

        for round_name in reversed(round_names()):
            try:
                return load_round(round_name).benchmark(value).name
            except AssayError:
                continue
    if name == "organisation":
        from assay.results.names import name_tables

        return name_tables().organisations.name(value) or value
    return value


def _literal(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@contextmanager
def opened(out: Output, options: dict[str, Any]) -> Iterator[tuple[Store, Schema]]:
    """The index, brought up to date, and the names that expressions may use."""
    from assay.results.metrics import load_metrics, load_values
    from assay.results.store import open_store

    settings = load_settings()
    metrics = load_metrics(settings)
    values = load_values(settings, metrics.asked, key_values(options.get("given", ()), "--set"))
    with out.progress() as progress, open_store(settings, progress=progress) as store:
        yield store, metrics.schema(values)


def told_missing(missing: frozenset[str], out: Output) -> None:
    """Say which numbers of the user a metric needs."""
    for name in sorted(missing):
        out.remark(f"{name} has no value, so what needs it is empty: --set {name}='...' (see assay metrics explain)")
