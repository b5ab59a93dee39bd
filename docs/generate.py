"""Writes the generated part of the documentation: commands, findings, fields, metrics, and the schemas of our YAML files.

python docs/generate.py            write
python docs/generate.py --check    exit 1 when something would change
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from assay.assets.forms import manifest_schema
from assay.base.settings import Settings
from assay.campaign.flow.forms import campaign_schema
from assay.campaign.request import RunRequest
from assay.campaign.setting import setting_schema
from assay.cli.main import VERBS, assay
from assay.harness.external.forms import implementation_schema
from assay.results.fields import FIELDS
from assay.results.metrics import Metric, load_metrics
from assay.results.metrics.reader import metric_schema
from assay.results.row import FORMAT
from assay.rules.findings import catalogue
from assay.rules.load import load_round, round_names, round_schema

HERE = Path(__file__).parent / "reference"
# The help of an option that names the machine it runs on would change from machine to machine.
HEADER = "<!-- written by docs/generate.py -->\n"


def commands(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """A command and everything below it."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None and not inner.hidden:
                yield from commands(inner, (*path, name))


def command_text(path: tuple[str, ...], command: click.Command) -> str:
    """One command as Markdown."""
    context = click.Context(command, info_name=" ".join(path))
    usage = command.get_usage(context).removeprefix("Usage: ")
    parts = [
        f"{'#' * min(len(path), 4)} {' '.join(path)}",
        inspect.cleandoc(command.help or "").replace("\b\n", ""),
        f"```\n{usage}\n```",
    ]
    rows = [
        f"| `{', '.join((*option.opts, *option.secondary_opts))}` | {(option.help or '').replace('|', chr(92) + '|')}{default_of(option)} |"
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden
    ]
    if rows:
        parts.append("\n".join(["| option | meaning |", "|---|---|", *rows]))
    if command.epilog:
        examples = command.epilog.partition("\b\n")[2].rstrip()
        lines = "\n".join(line.removeprefix("  ") for line in examples.splitlines())
        parts.append(f"```console\n{lines}\n```")
    return "\n\n".join(part for part in parts if part)


def findings_text() -> str:
    """The finding catalogue as Markdown."""
    rounds = [load_round(name) for name in round_names()]
    parts = [
        HEADER + "# Findings",
        "What `assay check` can find, by code. *Official* is what the round's own tool makes of it, *strict* what the "
        "written rules ask: **ignore** (not looked at), **note** (said, nothing follows), **warn**, **flag** (the row "
        "stays, the submission is refused), **reject** (no row). `assay explain CODE` says the same.",
    ]
    for code, kind in sorted(catalogue().items()):
        levels = {
            name: ", ".join(f"{each.name} {level(each).value}" for each in rounds)
            for name, level in (("Official", kind.official_level), ("Strict", kind.strict_level))
        }
        parts.append(
            f"## `{code}`\n\n{kind.title[0].upper()}{kind.title[1:]}. {kind.explain}\n\n"
            f"- What to do: {kind.fix}\n- Official: {levels['Official']}\n- Strict: {levels['Strict']}\n"
            f"- Source: {kind.source}"
        )
    return "\n\n".join(parts) + "\n"


def results_text() -> str:
    """The fields of a result as Markdown."""
    rows = [
        f"| `{each.name}` | {each.kind.value if each.kind else 'not asked'} | {each.unit} | {cell(each.description)} |"
        for each in FIELDS
    ]
    return (
        "\n\n".join(
            [
                HEADER + "# Fields of a result",
                "What filters, columns, sorting, groups and metrics may name; `assay results fields` says the same, and "
                "[Derived metrics](metrics.md) are used like fields. A result is one row with all of these fields. What is not "
                'known is null. *texts* holds several words: `category == "edge"` asks whether one of them is it. '
                "*not asked*: kept, shown by `assay results show --json` and exported, and not part of the language. "
                f"This is form {FORMAT} of the row.",
                "\n".join(["| field | kind | unit | what |", "|---|---|---|---|", *rows]),
            ]
        )
        + "\n"
    )


def cell(text: str) -> str:
    """A text in a cell of a table."""
    return text.replace("|", "\\|")


def metrics_text() -> str:
    """The metrics that come with assay, as Markdown."""
    parts = [
        HEADER + "# Metrics",
        "Derived metrics that come with assay; queries use them like fields. `assay metrics explain NAME` says the same "
        "with numbers, and [Derived metrics](../how-to/derived-metrics.md) says how to write your own.",
    ]
    # Nobody's home: what the user or a repository adds is not part of the reference.
    metrics = load_metrics(Settings(HERE / "no-home"))
    assert not metrics.broken
    return "\n\n".join([*parts, *map(metric_text, metrics.by_name.values())]) + "\n"


def metric_text(metric: Metric) -> str:
    """One metric as Markdown."""
    asked = [
        f"- Parameter `{each.name}` in {each.unit.name}: {each.description}" for each in metric.parameters.values()
    ]
    lines = [
        f"- Formula: `{metric.expression}`",
        f"- Unit: {metric.unit.name if metric.unit else metric.kind.value}; better: {metric.better.value}",
        *asked,
        f"- Caution: {metric.caution}",
        f"- Source: {metric.source}",
    ]
    return f"## `{metric.name}`\n\n{metric.title}. {metric.description}\n\n" + "\n".join(lines)


def default_of(option: click.Option) -> str:
    """The default as the help shows it."""
    shown = option.show_default and option.default not in (None, False, ()) and not callable(option.default)
    return f" Default: `{option.default}`." if shown else ""


def documents() -> dict[Path, str]:
    """Every generated file and its text."""
    texts = [HEADER + "# Command line", "Every command takes `--help`; most take `--json`, `--quiet` and `--debug`."]
    for verb in VERBS:
        command = assay.get_command(click.Context(assay), verb.name)
        assert command is not None
        texts += [command_text(path, each) for path, each in commands(command, ("assay", verb.name))]
    schemas = {"round": round_schema(), "asset": manifest_schema(), "run-request": RunRequest.model_json_schema()}
    schemas["metric"] = metric_schema()
    schemas["campaign"] = campaign_schema()
    schemas["setting"] = setting_schema()
    schemas["implementation"] = implementation_schema()
    return {
        HERE / "cli.md": "\n\n".join(texts) + "\n",
        HERE / "findings.md": findings_text(),
        HERE / "metrics.md": metrics_text(),
        HERE / "results.md": results_text(),
        **{
            HERE / "schemas" / f"{name}.json": json.dumps(schema, indent=2, sort_keys=True) + "\n"
            for name, schema in schemas.items()
        },
    }


def main() -> int:
    """Write or check."""
    stale = [
        path for path, text in documents().items() if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    if "--check" in sys.argv[1:]:
        for path in stale:
            sys.stderr.write(f"{path} is out of date: run make docs\n")
        return 1 if stale else 0
    for path, text in documents().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
