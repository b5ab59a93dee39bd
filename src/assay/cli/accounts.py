"""``assay accounts``: the accounts of a server, looked after on the server itself."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.base.settings import load_settings
from assay.cli.accounts_options import chosen_password, config_option, day, opened
from assay.cli.accounts_tokens import token
from assay.cli.render import Output, output_options
from assay.cm.index import shown
from assay.errors import UsageError

if TYPE_CHECKING:
    from assay.playground.accounts.people import Account

_ROLES = click.Choice(["reader", "contributor", "maintainer"])


@click.group(
    invoke_without_command=True,
    epilog="Examples:\n\n\b\n  assay accounts\n  assay accounts add ada --role maintainer\n"
    "  assay accounts invite --role contributor\n  assay accounts token create ada --scope push",
)
@click.pass_context
def accounts(ctx: click.Context) -> None:
    """List, add and change the accounts of a server.

    A playground on the own machine needs none. Everything done here stands in the server's audit log as done by the
    console.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_accounts)


@accounts.command(
    "list", epilog="Examples:\n\n\b\n  assay accounts list\n  assay accounts list --config server.yaml --json"
)
@config_option
@output_options
def list_accounts(config_path: Path | None, out: Output) -> None:
    """List accounts by name."""
    with opened(config_path) as (server, _):
        found: list[Account] = []
        after = ""
        while page := server.people.list(after=after):
            found, after = [*found, *page], page[-1].name
    if out.as_json:
        out.json({"accounts": [_document(each) for each in found]})
        return
    if not found:
        out.text("There is no account yet. Begin with: assay accounts add NAME --role maintainer")
        return
    out.table(
        ("name", "role", "shown", "organisation", "signs in with", "created", "disabled"),
        [
            (
                each.name,
                each.role,
                shown(each.shown),
                shown(each.organisation or ""),
                _ways(each),
                day(each.created),
                day(each.disabled),
            )
            for each in found
        ],
        whole=("name",),
    )


@accounts.command(
    "add",
    epilog="Examples:\n\n\b\n  assay accounts add ada --role maintainer\n"
    "  assay accounts add robot --no-password --role contributor\n  assay accounts add ada --generate --json",
)
@click.argument("name")
@click.option("--role", type=_ROLES, default="contributor", show_default=True, help="What it may do.")
@click.option("--shown", "shown_name", help="The name to show. [default: the name]")
@click.option("--organisation", help="Where somebody works.")
@click.option("--email", help="Shown to maintainers only.")
@click.option("--password-stdin", is_flag=True, help="Read the password from the standard input.")
@click.option("--generate", is_flag=True, help="Make a password and print it once.")
@click.option("--no-password", is_flag=True, help="It signs in elsewhere, or uses tokens only.")
@config_option
@output_options
def add(
    name: str,
    role: str,
    shown_name: str | None,
    organisation: str | None,
    email: str | None,
    password_stdin: bool,
    generate: bool,
    no_password: bool,
    config_path: Path | None,
    out: Output,
) -> None:
    """Make an account; asks for its password where there is a terminal."""
    from assay.playground.accounts.audit import CONSOLE
    from assay.playground.accounts.viewer import Role

    if password_stdin + generate + no_password > 1:
        raise UsageError("one way to a password is enough", expected="--password-stdin, --generate or --no-password")
    with opened(config_path) as (server, _):
        password = None if no_password else chosen_password(password_stdin, generate)
        account = server.people.add(
            name,
            by=CONSOLE,
            role=Role(role),
            password=password,
            shown=shown_name,
            organisation=organisation,
            email=email,
        )
    told = {"password": password} if generate else {}
    if out.as_json:
        out.json({**_document(account), **told})
        return
    out.text(f"added {account.name}, {account.role}")
    if generate:
        out.text(f"password: {password}")


@accounts.command("role", epilog="Examples:\n\n\b\n  assay accounts role ada maintainer")
@click.argument("name")
@click.argument("role", type=_ROLES)
@config_option
@output_options
def role(name: str, role: str, config_path: Path | None, out: Output) -> None:
    """Give an account another role; it holds from its next request on."""
    from assay.playground.accounts.audit import CONSOLE
    from assay.playground.accounts.viewer import Role

    with opened(config_path) as (server, _):
        account = server.people.set_role(name, Role(role), by=CONSOLE)
    _told(account, f"{account.name} is {account.role} now", out)


@accounts.command(
    "disable", epilog="Examples:\n\n\b\n  assay accounts disable mallory\n  assay accounts disable mallory --undo"
)
@click.argument("name")
@click.option("--undo", is_flag=True, help="Let it in again.")
@config_option
@output_options
def disable(name: str, undo: bool, config_path: Path | None, out: Output) -> None:
    """Lock an account out: its sessions end, its tokens do not hold; its contributions stay."""
    from assay.playground.accounts.audit import CONSOLE

    with opened(config_path) as (server, _):
        account = server.people.disable(name, by=CONSOLE, disabled=not undo)
    _told(account, f"{account.name} {'can sign in again' if undo else 'is locked out'}", out)


@accounts.command(
    "password",
    epilog="Examples:\n\n\b\n  assay accounts password ada\n  assay accounts password ada --generate",
)
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from the standard input.")
@click.option("--generate", is_flag=True, help="Make a password and print it once.")
@config_option
@output_options
def password(name: str, password_stdin: bool, generate: bool, config_path: Path | None, out: Output) -> None:
    """Give an account another password; all its sessions end."""
    from assay.playground.accounts.audit import CONSOLE

    with opened(config_path) as (server, _):
        account = server.people.get(name)
        chosen = chosen_password(password_stdin, generate)
        server.people.set_password(name, chosen, by=CONSOLE)
    if out.as_json:
        out.json({**_document(account), **({"password": chosen} if generate else {})})
        return
    out.text(f"{account.name} has another password; all its sessions have ended")
    if generate:
        out.text(f"password: {chosen}")


@accounts.command(
    "invite",
    epilog="Examples:\n\n\b\n  assay accounts invite\n"
    "  assay accounts invite --role reader --days 3 --note 'for Grace' --config server.yaml",
)
@click.option("--role", type=_ROLES, default="contributor", show_default=True, help="What the account may do.")
@click.option("--days", type=click.IntRange(1, 366), help="How long the code holds. [default: 14]")
@click.option("--note", default="", help="Whom it is for.")
@config_option
@output_options
def invite(role: str, days: int | None, note: str, config_path: Path | None, out: Output) -> None:
    """Print a code with which one person can sign up; it is shown once."""
    from assay.playground.accounts.audit import CONSOLE
    from assay.playground.accounts.viewer import Role

    with opened(config_path) as (server, config):
        made = server.invitations.create(by=CONSOLE, role=Role(role), note=note, days=days)
    link = f"{config.base_url}/sign-up?invitation={made.code}" if config.base_url else None
    until = made.invitation.expires
    if out.as_json:
        out.json(
            {"id": made.invitation.id, "code": made.code, "link": link, "role": role, "expires": until.isoformat()}
        )
        return
    out.text(link or made.code)
    out.remark(f"good for one {role} until {day(until)}; shown this once")


@accounts.command(
    "admit",
    epilog="Examples:\n\n\b\n  assay accounts admit ada 1f2e3d4c5b6a7980\n  assay accounts admit ada edge-power --undo",
)
@click.argument("name")
@click.argument("challenge")
@click.option("--undo", is_flag=True, help="End its part.")
@config_option
@output_options
def admit(name: str, challenge: str, undo: bool, config_path: Path | None, out: Output) -> None:
    """Let an account take part in a challenge, given by alias or uid; it sees what is private to it."""
    from assay.playground.accounts.audit import CONSOLE

    uid = _challenge(challenge)
    with opened(config_path) as (server, _):
        account = server.people.get(name)
        if undo:
            server.memberships.leave(name, uid, by=CONSOLE)
        else:
            server.memberships.admit(name, uid, by=CONSOLE)
    if out.as_json:
        out.json({"account": account.name, "challenge": uid, "member": not undo})
        return
    out.text(f"{account.name} {'takes no part' if undo else 'takes part'} in {uid}")


@accounts.command(
    "audit", epilog="Examples:\n\n\b\n  assay accounts audit\n  assay accounts audit --action sign-in.failed --limit 20"
)
@click.option("--account", help="Only what this account did; console for the command line.")
@click.option("--action", help="Only this, such as sign-in.failed or account.role.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="How many lines at most.")
@config_option
@output_options
def audit(account: str | None, action: str | None, limit: int, config_path: Path | None, out: Output) -> None:
    """Tell who did what, the newest first."""
    with opened(config_path) as (server, _):
        found = server.audit.entries(account=account, action=action, limit=limit)
    if out.as_json:
        out.json(
            {
                "entries": [
                    {
                        "id": each.id,
                        "time": each.moment.isoformat(),
                        "account": each.account,
                        "action": each.action,
                        "target": each.target,
                        "network": each.address,
                        "detail": dict(each.detail),
                    }
                    for each in found
                ]
            }
        )
        return
    out.table(
        ("time", "account", "action", "target", "network", "detail"),
        [
            (
                each.moment.strftime("%Y-%m-%d %H:%M:%S"),
                each.account,
                each.action,
                shown(each.target),
                each.address,
                shown(", ".join(f"{key}={value}" for key, value in each.detail.items())),
            )
            for each in found
        ],
        whole=("time", "action"),
    )


accounts.add_command(token)


def _challenge(text: str) -> str:
    """The uid of a challenge; one that is not on this machine has to be given by it."""
    from assay.cm.meta import is_uid
    from assay.community.challenges import find_challenge
    from assay.results.audience import EVERYBODY

    if is_uid(text.lower()):
        return text.lower()
    return find_challenge(load_settings(), text, EVERYBODY, datetime.now(UTC)).uid


def _told(account: Account, what: str, out: Output) -> None:
    if out.as_json:
        out.json(_document(account))
        return
    out.text(what)


def _document(account: Account) -> dict[str, object]:
    return {
        "name": account.name,
        "role": account.role,
        "shown": account.shown,
        "organisation": account.organisation,
        "email": account.email,
        "has_password": account.has_password,
        "issuer": account.issuer,
        "created": account.created.isoformat(),
        "disabled": None if account.disabled is None else account.disabled.isoformat(),
    }


def _ways(account: Account) -> str:
    ways = (["password"] if account.has_password else []) + ([account.issuer] if account.issuer else [])
    return ", ".join(ways) or "tokens only"
