"""``assay push``: results to a server, and its verdict back."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay.base.settings import Settings, access_token, load_settings
from assay.base.units import format_size
from assay.cli.render import Output, output_options
from assay.errors import InvalidInputError, NotFoundError, UsageError

if TYPE_CHECKING:
    from assay.base.progress import Progress
    from assay.community.parcel import Parcel
    from assay.community.remote import Asked, Remote, Sent, Server

EXAMPLES = """Examples:

\b
  assay push latest --to http://localhost:8080
  assay push ./submission --dry-run
  assay push ./submission --to https://results.example.org --challenge fastest-resnet
  assay push 3f9a 77c1 --to https://results.example.org --private --embargo 2026-12-31T00:00Z
  assay push --login https://results.example.org
"""

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(epilog=EXAMPLES)
@click.argument("what", metavar="PATH|RUN...", nargs=-1)
@click.option("--to", "url", metavar="URL", help="Address of the server.")
@click.option(
    "--challenge", "challenges", multiple=True, metavar="NAME", help="Challenge it takes part in; may be given again."
)
@click.option("--private", is_flag=True, help="Only your account and the maintainers see the results.")
@click.option("--embargo", metavar="MOMENT", help="From when on everybody sees them: 2026-12-31T00:00Z.")
@click.option("--round", "round_name", metavar="ROUND", help="Rules of a tree. Default: those its logs were made by.")
@click.option("--note", default="", help="A line for yourself and the maintainers.")
@click.option("--token-file", type=_FILE, help="File with the token. Default: ASSAY_TOKEN, else what --login kept.")
@click.option("--insecure-http", is_flag=True, help="Send the token without https to another machine.")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait for the verdict.")
@click.option("--dry-run", is_flag=True, help="List the files, judge them here, and send nothing.")
@click.option("--login", metavar="URL", help="Ask for a token, try it, and keep it for that server.")
@output_options
def push(
    what: tuple[str, ...],
    url: str | None,
    challenges: tuple[str, ...],
    private: bool,
    embargo: str | None,
    round_name: str | None,
    note: str,
    token_file: Path | None,
    insecure_http: bool,
    wait: bool,
    dry_run: bool,
    login: str | None,
    out: Output,
) -> int:
    """Send runs or a submission tree to a server (assay serve), which checks them and takes what holds.

    A run is named by its id, the beginning or the end of it, or latest; the accuracy run of the same command goes along.
    Everything taken is kept under your account, and stands on the board of the challenge.

    The exit code is 0 when all was taken, 1 when something was refused, 4 for what cannot be sent, and 5 when the server
    cannot be reached or fails.
    """
    from assay.community.remote import Asked

    settings = load_settings()
    if login is not None:
        return _login(login, settings, insecure_http, out)
    if not what:
        raise UsageError("nothing to push", expected="a folder, or runs", hint="assay push latest --to URL")
    parcel = _parcel(what, settings)
    asked = Asked(challenges, private, _moment(embargo), round_name or "", note)
    if dry_run:
        return _foresee(parcel, settings, round_name, out)
    if url is None:
        raise UsageError("no server is named", expected="--to URL", hint="assay serve starts one here")
    return _push(parcel, asked, url, token_file, settings, out, wait=wait, insecure=insecure_http)


def _parcel(names: tuple[str, ...], settings: Settings) -> Parcel:
    """What is sent: one folder or archive, or runs by their names."""
    from assay.community.parcel import parcel_of_path, parcel_of_runs, with_partner
    from assay.loadgen.runs import RunCatalogue

    if any(Path(name).exists() for name in names):
        if len(names) > 1:
            raise UsageError("one folder is sent at a time", found=" ".join(names)[:200])
        return parcel_of_path(Path(names[0]))
    catalogue = RunCatalogue(settings.runs_dir)
    folders: dict[Path, None] = {}
    for name in names:
        if "/" in name:
            raise NotFoundError("there is no such folder", where=name)
        found = catalogue.find("last" if name == "latest" else name).path
        folders |= dict.fromkeys(with_partner(found))
    return parcel_of_runs(sorted(folders, key=lambda each: each.name))


def _moment(text: str | None) -> str:
    """A moment with its zone, as it is sent; empty for none."""
    if text is None:
        return ""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError("no moment", where="--embargo", expected="2026-12-31T00:00Z", found=text[:60]) from error
    if moment.tzinfo is None:
        raise UsageError("the embargo has no time zone", where="--embargo", expected=f"{text}Z for UTC", found=text)
    return moment.isoformat()


def _foresee(parcel: Parcel, settings: Settings, round_name: str | None, out: Output) -> int:
    """List what would be sent, and judge it here."""
    from assay.cli.push_view import parcel_dict, show_outcome, show_parcel
    from assay.community.foresee import foresee

    with out.progress() as progress:
        outcome = foresee(parcel, settings, round_=round_name, progress=progress)
    if out.as_json:
        out.json(parcel_dict(parcel, outcome))
    else:
        show_parcel(parcel, out)
        if outcome is not None:
            show_outcome(outcome, out)
        else:
            out.text("An archive is judged by the server; give the folder to have it judged here.")
        out.remark("Nothing was sent.")
    return 0 if outcome is None or outcome.ok else 1


def _push(
    parcel: Parcel,
    asked: Asked,
    url: str,
    token_file: Path | None,
    settings: Settings,
    out: Output,
    *,
    wait: bool,
    insecure: bool,
) -> int:
    from assay.cli.push_view import exit_code, show_page
    from assay.community.remote import Remote, Sent, base_of

    base = base_of(url)
    sent = Sent(parcel.size)
    try:
        with Remote(base, _token(base, token_file, settings), insecure) as remote:
            server = remote.look()
            _check(server, asked, base)
            with out.progress() as progress:
                upload = _send(remote, server, parcel, asked, sent, progress)
                address = f"{base}/uploads/{upload}"
                page = remote.outcome(upload, progress) if wait else None
    except KeyboardInterrupt:
        out.remark(f"\n{_so_far(sent, base)}")
        raise
    if page is None:
        if out.as_json:
            out.json({"id": upload, "state": "received", "address": address})
        else:
            out.text(f"Sent as {server.name}. Its verdict: {address}")
        return 0
    if out.as_json:
        out.json({**page, "address": address})
    else:
        show_page(page, address, base, out)
    return exit_code(page)


def _check(server: Server, asked: Asked, base: str) -> None:
    """Say before anything is sent what the server would say after."""
    from assay.errors import nearest

    for name in asked.challenges:
        # By uid, and in another case, only the server knows.
        if name.casefold() in {each.casefold() for each in server.challenges} or len(name) == 16:
            continue
        raise InvalidInputError(
            f"no challenge {name!r} takes results there now",
            where=base,
            expected=" or ".join(nearest(name, server.challenges) or server.challenges[:5]) or "none is open",
            hint=f"see {base}/challenges",
        )


def _send(remote: Remote, server: Server, parcel: Parcel, asked: Asked, sent: Sent, progress: Progress) -> str:
    """Pack and send; the id of the upload."""
    from assay.community.parcel import pack

    with tempfile.TemporaryDirectory(prefix="assay-push-") as folder:
        packed = pack(parcel, Path(folder) / "parcel.tar.gz", progress)
        if packed.size > server.max_bytes:
            raise InvalidInputError(
                "the archive is larger than the server takes",
                where=parcel.name,
                expected=f"at most {format_size(server.max_bytes)}",
                found=format_size(packed.size),
                hint="assay truncate cuts accuracy logs; leave out code/ and models",
            )
        sent.size = packed.size
        return remote.send(packed, parcel.name, asked, sent, progress)


def _so_far(sent: Sent, base: str) -> str:
    if sent.id:
        return f"It was sent, and is checked without you: {base}/uploads/{sent.id}"
    if sent.done:
        return f"{format_size(sent.done)} of {format_size(sent.size)} were sent; nothing of it is kept there."
    return "Nothing was sent."


def _token(base: str, path: Path | None, settings: Settings) -> str | None:
    from assay.community.remote_tokens import check_token, kept_token, token_in

    if path is not None:
        return token_in(path)
    given = access_token()
    return check_token(given, "ASSAY_TOKEN") if given else kept_token(settings, base)


def _login(url: str, settings: Settings, insecure: bool, out: Output) -> int:
    """Ask for a token without showing it, try it, and keep it."""
    from assay.community.remote import Remote, base_of
    from assay.community.remote_tokens import check_token, keep_token

    base = base_of(url)
    token = check_token(click.prompt(f"Token for {base} (made on {base}/account)", hide_input=True, err=True))
    with Remote(base, token, insecure) as remote:
        server = remote.look()
    path = keep_token(settings, base, token)
    said: dict[str, Any] = {"server": base, "account": server.name, "file": str(path)}
    if out.as_json:
        out.json(said)
    else:
        out.text(f"The token is of {server.name} and may push. It is kept in {path}, which only you can read.")
    return 0
