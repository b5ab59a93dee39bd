"""``assay accounts token``: tokens, with which programs act for an account."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.accounts_options import config_option, day, opened
from assay.cli.render import Output, output_options
from assay.cm.index import shown

if TYPE_CHECKING:
    from assay.playground.accounts.tokens import Token

_SCOPES = click.Choice(["read", "push", "admin"])


@click.group(
    "token",
    epilog="Examples:\n\n\b\n  assay accounts token create ada --scope push\n  assay accounts token list ada",
)
def token() -> None:
    """Make, list and revoke tokens, with which programs act for an account."""


@token.command(
    "create",
    epilog="Examples:\n\n\b\n  assay accounts token create ada\n"
    "  assay accounts token create ada --scope read --scope push --days 30 --label laptop",
)
@click.argument("name")
@click.option("--scope", "scopes", type=_SCOPES, multiple=True, help="What it may do; again for more. [default: read]")
@click.option("--days", type=click.IntRange(1), help="How long it holds. [default: as long as the server allows]")
@click.option("--label", default="console", show_default=True, help="What it is for.")
@config_option
@output_options
def create_token(
    name: str, scopes: tuple[str, ...], days: int | None, label: str, config_path: Path | None, out: Output
) -> None:
    """Print a new token; it is shown once."""
    from assay.playground.accounts.audit import CONSOLE
    from assay.playground.accounts.viewer import Scope

    with opened(config_path) as (server, _):
        made = server.tokens.create(name, label, [Scope(each) for each in scopes or ("read",)], by=CONSOLE, days=days)
    if out.as_json:
        out.json({**_token_document(made.token), "token": made.text})
        return
    out.text(made.text)
    out.remark(f"holds until {day(made.token.expires)}; shown this once")


@token.command("list", epilog="Examples:\n\n\b\n  assay accounts token list ada")
@click.argument("name")
@config_option
@output_options
def list_tokens(name: str, config_path: Path | None, out: Output) -> None:
    """List an account's tokens, the newest first, without their secrets."""
    with opened(config_path) as (server, _):
        found = server.tokens.list(name)
    if out.as_json:
        out.json({"tokens": [_token_document(each) for each in found]})
        return
    out.table(
        ("id", "label", "scopes", "created", "expires", "last used", "revoked"),
        [
            (
                each.id,
                shown(each.label),
                " ".join(sorted(each.scopes)),
                day(each.created),
                day(each.expires),
                day(each.last_used),
                day(each.revoked),
            )
            for each in found
        ],
        whole=("id",),
    )


@token.command("revoke", epilog="Examples:\n\n\b\n  assay accounts token revoke 1f2e3d4c5b6a7980")
@click.argument("token_id", metavar="ID")
@config_option
@output_options
def revoke_token(token_id: str, config_path: Path | None, out: Output) -> None:
    """Make a token hold no longer."""
    from assay.playground.accounts.audit import CONSOLE

    with opened(config_path) as (server, _):
        revoked = server.tokens.revoke(token_id, by=CONSOLE)
    if out.as_json:
        out.json(_token_document(revoked))
        return
    out.text(f"{revoked.id} of {revoked.account} holds no longer")


def _token_document(token: Token) -> dict[str, object]:
    return {
        "id": token.id,
        "account": token.account,
        "label": token.label,
        "scopes": sorted(token.scopes),
        "created": token.created.isoformat(),
        "expires": token.expires.isoformat(),
        "last_used": None if token.last_used is None else token.last_used.isoformat(),
        "revoked": None if token.revoked is None else token.revoked.isoformat(),
    }
