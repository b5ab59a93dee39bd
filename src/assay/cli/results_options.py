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
    from assay.expressions import ExpressionError, Schema
    from assay.results.query import Query
    from assay.results.store import Store

F = TypeVar("F", bound=Callable[..., Any])
_PLAIN = ("round", "benchmark", "task", "scenario", "division", "category", "organisation")


def complete_expression(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """What could be written next in an expression, or in a list of them, for the shell."""
    from assay.expressions import complete
    from assay.results.metrics import load_metrics

    before = " ".join(ctx.params.get("filter_") or ()) if param.name == "filter_" else ""
    text = f"{before} {incomplete}" if before else incomplete
    # Of a list, the last one is being written; the minus of a sort is in front of it.
    start = 0 if param.name == "filter_" else _last_of_list(text)
    found = complete(text[start:], len(text) - start, load_metrics(load_settings()).schema())
    shown = len(text) - len(incomplete)
    return [CompletionItem(text[shown : start + each.start] + each.text, help=each.description) for each in found]


def _last_of_list(text: str) -> int:
    start = text.rfind(",") + 1
    return start + (text[start : start + 1] in ("-", "+"))


def complete_value(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Values that results have in the field of an option, for the shell; the index is not brought up to date."""
    from assay.errors import AssayError
    from assay.results.store import existing_store
    from assay.results.values import values_of

    del ctx
    folded = incomplete.casefold()
    try:
        with existing_store(load_settings()) as store:
            known = values_of(store, str(param.name)) if store is not None else []
    except AssayError:
        return []
    return [CompletionItem(value) for value in known if value.casefold().startswith(folded)]


def question_options(function: F) -> F:
    """Add the options that say which results a question is about."""
    for option in reversed(
        (
            # Words that the shell took apart are one filter still.
            click.argument("filter_", metavar="[FILTER]", nargs=-1, shell_complete=complete_expression),
            *(
                click.option(*names, multiple=True, metavar=metavar, shell_complete=complete_value, help=text)
                for *names, metavar, text in (
                    ("--round", "round", "ROUND", "Only this round; may be repeated."),
                    ("--benchmark", "-n", "benchmark", "NAME", "Only this benchmark."),
                    ("--task", "task", "NAME", "Only this kind of problem."),
                    ("--scenario", "-s", "scenario", "NAME", "Only this scenario."),
                    ("--division", "division", "NAME", "Only this division."),
                    ("--category", "category", "NAME", "Only edge, or only datacenter."),
                    ("--organisation", "--submitter", "organisation", "NAME", "Only this submitter."),
                )
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


def question(options: dict[str, Any], store: Store, **more: Any) -> Query:
    """The question that the shared options ask.

    Raises:
        NotFoundError: for a value that no result has, with the closest ones.
    """
    from assay.expressions import parse
    from assay.results.query import Query, Scope
    from assay.results.values import spelt

    written = " ".join(options["filter_"]).strip()
    parts = [written] if written else []
    for name in _PLAIN:
        if values := options[name]:
            words = ", ".join(_literal(spelt(store, name, value)) for value in values)
            parts.append(f"{name} in ({words})")
    if written and len(parts) > 1:
        # An error points into what was written, and parentheses hold one thing together.
        parse(written)
    condition = " and ".join(f"({part})" for part in parts) if len(parts) > 1 else "".join(parts)
    scope = Scope(inferred=options["inferred"], refused=options["refused"], local=options["local"])
    return Query(filter=condition, baseline=options["baseline"], scope=scope, **more)


def _literal(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@contextmanager
def opened(out: Output, options: dict[str, Any]) -> Iterator[tuple[Store, Schema]]:
    """The index, brought up to date, and the names that expressions may use."""
    from assay.expressions import ExpressionError
    from assay.results.metrics import load_metrics, load_values
    from assay.results.store import open_store

    settings = load_settings()
    metrics = load_metrics(settings)
    values = load_values(settings, metrics.asked, key_values(options.get("given", ()), "--set"))
    with out.progress() as progress, open_store(settings, progress=progress) as store:
        try:
            yield store, metrics.schema(values)
        except ExpressionError as error:
            raise _with_hint(error) from None


def _with_hint(error: ExpressionError) -> ExpressionError:
    """The error with what to do about it on the command line."""
    if error.what.startswith("unknown name"):
        error.hint = "; ".join(filter(None, [error.hint, "names: assay results fields, assay metrics"]))
    elif "needs a baseline" in error.what:
        error.hint = "--baseline 'system == \"...\"'"
    return error


def told_nothing(store: Store, asked: Query, names: Schema, out: Output) -> None:
    """Say why there may be no answer: a value that no result has, and what the scope leaves out."""
    from assay.results.query import left_out
    from assay.results.values import strange

    if out.quiet:
        return
    for text in strange(store, asked.filter) if asked.filter.strip() else ():
        out.remark(text)
    for words, number in left_out(store, asked, names).items():
        options = " ".join(f"--{word}" for word in words)
        out.remark(f"{count(number, 'result')} left out that would fit: {options}")


def count(number: int, what: str) -> str:
    """A number of things: ``1 row``, ``2 rows``."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def told_missing(missing: frozenset[str], out: Output) -> None:
    """Say which numbers of the user a metric needs."""
    for name in sorted(missing):
        out.remark(f"{name} has no value, so what needs it is empty: --set {name}='...' (see assay metrics explain)")
