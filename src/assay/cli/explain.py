"""``assay explain``: what a finding means."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from assay.cli.render import Output, output_options
from assay.cli.round_options import DEFAULT_ROUND, complete_round, find_round

if TYPE_CHECKING:
    from assay.rules.model import Round
    from assay.rules.submission import Level


def _complete_code(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    del ctx, param
    from assay.rules.findings import catalogue

    return [CompletionItem(code, help=kind.title) for code, kind in catalogue().items() if code.startswith(incomplete)]


@click.command(
    epilog="Examples:\n\n\b\n  assay explain seed-wrong\n  assay explain seed-wrong --round v3.0\n  assay explain --list"
)
@click.argument("code", required=False, shell_complete=_complete_code)
@click.option("--list", "as_list", is_flag=True, help="List all codes.")
@click.option(
    "--round",
    "round_name",
    shell_complete=complete_round,
    help="Only this round. Default: all; for --list, the newest.",
)
@output_options
def explain(code: str | None, as_list: bool, round_name: str | None, out: Output) -> None:
    """Say what a finding of a check means, why it matters, and what to do.

    "official" is what the round's own tool makes of it, "strict" what its written rules ask: ignore (not looked at),
    note (said, nothing follows), warn, flag (the row stays, the submission is refused), reject.
    """
    from assay.rules.findings import catalogue, finding_kind

    if code is None and not as_list:
        raise click.UsageError("a code is missing; --list shows them all")
    if code is None:
        kinds = list(catalogue().values())
        if out.as_json:
            out.json([_document(kind.code, round_name) for kind in kinds])
            return
        round_ = find_round(round_name or DEFAULT_ROUND)
        out.table(
            ("Code", f"Official {round_.name}", "Strict", "What"),
            [(kind.code, kind.official_level(round_), kind.strict_level(round_), kind.title) for kind in kinds],
        )
        return
    kind = finding_kind(code)
    if out.as_json:
        out.json(_document(code, round_name))
        return
    out.text(f"{kind.code}: {kind.title}")
    out.text()
    out.text(kind.explain)
    out.text()
    out.fields(
        [
            ("What to do", kind.fix),
            ("Official tool", _levels(kind.official_level, round_name)),
            ("Written rules", _levels(kind.strict_level, round_name)),
            ("Source", kind.source),
        ]
    )


def _levels(level: Callable[[Round], Level], round_name: str | None) -> str:
    """Levels in words: of one round, or of all that come with assay."""
    from assay.rules.load import round_names

    names = [round_name] if round_name else round_names()
    found = [(find_round(name).name, level(find_round(name)).value) for name in names]
    if len(found) > 1 and len({value for _, value in found}) == 1:
        return f"{found[0][1]} (all rounds)"
    return ", ".join(f"{name} {value}" for name, value in found)


def _document(code: str, round_name: str | None) -> dict[str, object]:
    from assay.rules.findings import finding_kind

    kind, round_ = finding_kind(code), find_round(round_name or DEFAULT_ROUND)
    return {
        "code": kind.code,
        "title": kind.title,
        "explain": kind.explain,
        "fix": kind.fix,
        "source": kind.source,
        "round": round_.name,
        "official": kind.official_level(round_).value,
        "strict": kind.strict_level(round_).value,
        "official_by_round": dict(kind.official),
        "strict_by_round": dict(kind.strict),
    }
