"""``assay metrics``: derived metrics, their meaning, and files of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from assay.base.settings import load_settings
from assay.cli.options import key_values
from assay.cli.render import Output, output_options
from assay.errors import AssayError

if TYPE_CHECKING:
    from assay.results.metrics import Metric, Metrics, Values
    from assay.results.metrics.examples import Outcome
    from assay.results.metrics.model import Value

EXAMPLES = """Examples:

\b
  assay metrics
  assay metrics explain samples_per_joule
  assay metrics explain cost_per_million_samples --set price='3.2 USD/h'
  assay metrics add my_metric.yaml
  assay metrics test
"""
_WORKED = 3


class _MetricGroup(click.Group):
    """A group that says what was meant when the name of a metric stands in the place of a verb."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            verbs = ", ".join(self.list_commands(ctx))
            raise click.UsageError(
                f"No such command {args[0]!r} (there is {verbs}). Did you mean assay metrics explain {args[0]}?", ctx
            )
        return super().resolve_command(ctx, args)


def _complete_name(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    del ctx, param
    from assay.results.metrics import load_metrics

    found = load_metrics(load_settings()).by_name.values()
    return [CompletionItem(each.name, help=each.title) for each in found if each.name.startswith(incomplete)]


SET = click.option(
    "--set",
    "given",
    multiple=True,
    metavar="NAME=VALUE",
    help="Value of a parameter with its unit, such as price='3.2 USD/h'; may be repeated.",
)


@click.group(cls=_MetricGroup, invoke_without_command=True, epilog=EXAMPLES)
@output_options
@click.pass_context
def metrics(ctx: click.Context, out: Output) -> None:
    """Derived metrics: formulas over results, with units, that queries use like fields.

    They come with assay, from $ASSAY_HOME/metrics, and from the folder metrics of every registered repository.
    """
    if ctx.invoked_subcommand is None:
        _list(out)
        return
    # Options before the verb hold for the verb: assay metrics --json list.
    given = {"as_json": out.as_json, "quiet": out.quiet}
    ctx.default_map = dict.fromkeys(metrics.list_commands(ctx), given)


@metrics.command("list", epilog="Examples:\n\n\b\n  assay metrics list\n  assay metrics list --json")
@output_options
def list_metrics(out: Output) -> None:
    """List all metrics, which go before others of the same name, and which files are broken."""
    _list(out)


def _list(out: Output) -> None:
    from assay.results.metrics import load_metrics, load_values

    settings = load_settings()
    found = load_metrics(settings)
    if out.as_json:
        out.json(
            {
                "metrics": [_summary(each) for each in found.by_name.values()],
                "replaced": [
                    {"name": each.name, "file": str(each.path), "from": str(each.origin), "by": str(each.by)}
                    for each in found.replaced
                ],
                "broken": [
                    {"name": each.name, "file": str(each.path), "from": str(each.origin), "error": each.error.to_dict()}
                    for each in found.broken
                ],
            }
        )
        return
    out.table(
        ("Metric", "Unit", "Better", "From", "Needs", "What"),
        [
            (each.name, _unit(each), each.better.value, str(each.origin), ", ".join(each.needs) or "-", each.title)
            for each in found.by_name.values()
        ],
    )
    for one in found.replaced:
        out.remark(f"{one.name}: {_owner(str(one.by))} goes before {_owner(str(one.origin))} ({one.path})")
    for broken in found.broken:
        out.remark(f"broken: {broken.error}")
    _told_unused(load_values(settings, found.asked), out)


def _owner(origin: str) -> str:
    return {"yours": "your file", "assay": "assay's"}.get(origin, f"the one of {origin}")


def _told_unused(values: Values, out: Output) -> None:
    for name in values.unused:
        out.remark(f"parameters.yaml: no metric asks for {name!r}")


def _unit(metric: Metric) -> str:
    if metric.unit is None:
        return metric.kind.value
    return metric.unit.name if metric.unit.powers or metric.unit.scale != 1 else "-"


def _summary(metric: Metric) -> dict[str, object]:
    return {
        "name": metric.name,
        "title": metric.title,
        "kind": metric.kind.value,
        "unit": metric.unit.name if metric.unit else None,
        "better": metric.better.value,
        "expression": metric.expression,
        "scope": metric.scope.value,
        "description": metric.description,
        "caution": metric.caution,
        "source": metric.source,
        "from": str(metric.origin),
        "file": str(metric.path),
        "fields": list(metric.fields),
        "metrics": list(metric.metrics),
        "parameters": list(metric.needs),
    }


@metrics.command(
    "explain",
    epilog="Examples:\n\n\b\n  assay metrics explain samples_per_joule\n  assay metrics explain rank --json\n"
    "  assay metrics explain cost_per_million_samples --set price='3.2 USD/h'",
)
@click.argument("name", shell_complete=_complete_name)
@SET
@output_options
def explain_metric(name: str, given: tuple[str, ...], out: Output) -> None:
    """Explain a metric: formula, unit, what it needs, when it is null, and examples with numbers."""
    from assay.results.metrics import load_metrics, load_values
    from assay.results.metrics.examples import outcome_of

    settings = load_settings()
    found = load_metrics(settings)
    metric = found.get(name)
    values = load_values(settings, found.asked, key_values(given, "--set"))
    worked, problem = _worked(metric, found)
    # The first example with what the user would pay, or emit.
    yours = bool(worked and metric.needs) and all(each in values.texts for each in metric.needs)
    own = outcome_of(metric.examples[0], metric, found, values) if yours else None
    if out.as_json:
        document = _summary(metric) | {
            "fields": [_field_document(each) for each in metric.fields],
            "parameters": _parameters(metric, found, values),
            "examples": [_outcome_document(each) for each in worked],
            "with_your_values": list(own.found) if own else None,
        }
        out.json(document)
        return
    out.text(f"{metric.name}: {metric.title}")
    if metric.description:
        out.text()
        out.text(metric.description)
    out.text()
    out.fields(
        [
            ("Formula", metric.expression),
            *((f"  {each}", found.by_name[each].expression) for each in metric.metrics),
            ("Unit", metric.unit.name if metric.unit else metric.kind.value),
            ("Better", metric.better.value),
            ("Looks at", _scope(metric)),
            *([("Caution", metric.caution)] if metric.caution else []),
            *([("Source", metric.source)] if metric.source else []),
            ("From", f"{metric.origin} ({metric.path})"),
        ]
    )
    out.text()
    out.table(("Field", "Unit", "What"), [tuple(_field_document(each).values()) for each in metric.fields])
    _show_parameters(metric, found, values, out)
    _show_examples(metric, worked, out)
    if problem:
        out.remark(f"the examples cannot be reckoned: {problem}")
    if own is not None:
        out.text()
        out.text(f"The first one with your values:  {', '.join(_result(value, metric) for value in own.found)}")


def _worked(metric: Metric, found: Metrics) -> tuple[list[Outcome], str]:
    """The examples, or why they cannot be reckoned: what a metric is can be told all the same."""
    from assay.results.metrics.examples import outcomes

    try:
        return outcomes(metric, found), ""
    except AssayError as error:
        return [], str(error)


def _scope(metric: Metric) -> str:
    from assay.results.metrics import COMPARABLE, Scope

    return {
        Scope.RESULT: "one result",
        Scope.COMPARABLE: f"results of the same {', '.join(COMPARABLE[:-1])} and {COMPARABLE[-1]}",
        Scope.GROUP: "all results of a group",
    }[metric.scope]


def _field_document(name: str) -> dict[str, object]:
    from assay.results.fields import field_info

    info = field_info(name)
    return {"name": name, "unit": info.unit or None, "description": info.description}


def _parameters(metric: Metric, found: Metrics, values: Values) -> list[dict[str, object]]:
    listed: list[dict[str, object]] = []
    for name in metric.needs:
        asked = found.asked[name]
        text, where = values.texts.get(name, (None, None))
        listed.append(
            {
                "name": name,
                "unit": asked.unit.name,
                "description": asked.description,
                "default": asked.default,
                "value": values.numbers.get(name, None if name in values.formulas else asked.default),
                "given": text,
                "where": where,
            }
        )
    return listed


def _show_parameters(metric: Metric, found: Metrics, values: Values, out: Output) -> None:
    listed = _parameters(metric, found, values)
    if not listed:
        return
    out.text()
    out.table(
        ("Parameter", "Unit", "Value", "What"),
        [
            (
                each["name"],
                each["unit"],
                each["given"] or ("none" if each["value"] is None else f"{each['value']:g} (default)"),
                each["description"],
            )
            for each in listed
        ],
    )
    for each in listed:
        if each["given"] is None and each["value"] is None:
            out.remark(
                f"{metric.name} is null until {each['name']} has a value: "
                f"--set {each['name']}='1 {each['unit']}', or {each['name']}: 1 {each['unit']} in parameters.yaml"
            )


def _show_examples(metric: Metric, worked: list[Outcome], out: Output) -> None:
    """The examples of the file: what is given, what comes out."""
    for number, each in enumerate(worked[:_WORKED], 1):
        out.text()
        out.text(f"Example{f' {number}' if len(worked) > 1 else ''}:")
        example = each.example
        settings = {**example.parameters, **({"baseline": example.baseline} if example.baseline else {})}
        for name, text in settings.items():
            out.text(f"  {name}: {text}")
        for index, row in enumerate(example.given):
            shown = ", ".join(f"{name} {_figure(value, name)}" for name, value in row.items()) or "nothing"
            single = len(each.found) == len(example.given)
            out.text(f"  {shown}" + (f"  ->  {_result(each.found[index], metric)}" if single else ""))
        if len(each.found) != len(example.given):
            out.text("  ->  " + ", ".join(_result(value, metric) for value in each.found))


def _figure(value: Value, name: str) -> str:
    from assay.results.fields import field_info

    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:,.10g} {field_info(name).unit}".rstrip()
    return _plain(value)


def _result(value: Value, metric: Metric) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:,.10g} {'' if _unit(metric) == '-' else _unit(metric)}".rstrip()
    return _plain(value)


def _plain(value: Value) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(value) if isinstance(value, list) else str(value)


def _outcome_document(outcome: Outcome) -> dict[str, object]:
    return {
        "given": list(outcome.example.given),
        "parameters": dict(outcome.example.parameters),
        "baseline": outcome.example.baseline or None,
        "expected": list(outcome.expected),
        "found": list(outcome.found),
        "passed": outcome.passed,
    }


@metrics.command(
    "add",
    epilog="Examples:\n\n\b\n  assay metrics add my_metric.yaml\n  assay metrics add my_metric.yaml --dry-run\n"
    "  assay metrics add my_metric.yaml --force",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace your metric of the same name.")
@click.option("-n", "--dry-run", is_flag=True, help="Check the file and say what would be done.")
@output_options
def add_metric(file: Path, force: bool, dry_run: bool, out: Output) -> None:
    """Check a metric file and copy it into your own folder, where every command sees it at once."""
    from assay.results.metrics.own import add

    added = add(load_settings(), file, force=force, dry_run=dry_run)
    if out.as_json:
        out.json(
            {
                "name": added.metric.name,
                "file": str(added.path),
                "written": added.written,
                "replaces": str(added.replaces) if added.replaces else None,
                "breaks": list(added.breaks),
            }
        )
        return
    done = "added" if added.written else "would be added"
    out.text(f"{added.metric.name} {done if not added.same else 'is there already'}: {added.path}")
    if added.replaces is not None:
        out.remark(f"it goes before {_owner(str(added.replaces))}")
    for each in added.breaks:
        out.remark(f"{each} cannot be reckoned any more: assay metrics list")


@metrics.command(
    "test",
    epilog="Examples:\n\n\b\n  assay metrics test\n  assay metrics test my_metric.yaml\n  assay metrics test --json",
)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE]...")
@output_options
def test_metrics(files: tuple[Path, ...], out: Output) -> int:
    """Check metric files and reckon the examples in them; all metrics without a file. Exit code 1 when one fails."""
    from assay.results.metrics.own import examined

    reports = examined(load_settings(), files)
    failed = [each for each in reports if not each.passed]
    if out.as_json:
        out.json(
            {
                "passed": not failed,
                "metrics": [
                    {
                        "name": each.name,
                        "file": str(each.path),
                        "passed": each.passed,
                        "error": each.error.to_dict() if each.error else None,
                        "examples": [_outcome_document(outcome) for outcome in each.outcomes],
                    }
                    for each in reports
                ],
            }
        )
        return 1 if failed else 0
    out.table(
        ("Metric", "Examples", "Result"),
        [(each.name, len(each.outcomes) or "-", "ok" if each.passed else "FAILED") for each in reports],
        right=("Examples",),
    )
    for each in failed:
        out.text()
        for line in _complaints(each.error, each.outcomes):
            out.text(line)
    return 1 if failed else 0


def _complaints(error: AssayError | None, worked: tuple[Outcome, ...]) -> list[str]:
    if error is not None:
        return [str(error), *([f"  try: {error.hint}"] if error.hint else [])]
    lines = []
    for each in worked:
        if not each.passed:
            given: list[Mapping[str, Value]] = list(each.example.given)
            lines.append(f"{each.example.where}: expected {_listed(each.expected)}; found {_listed(each.found)}")
            lines += [
                f"  {', '.join(f'{name} {_figure(value, name)}' for name, value in row.items())}" for row in given
            ]
    return lines


def _listed(values: tuple[Value, ...]) -> str:
    return ", ".join(f"{value:.10g}" if isinstance(value, float) else _plain(value) for value in values)
