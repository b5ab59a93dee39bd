"""``assay repo``: CM repositories that artifacts are looked for in."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click

from assay.base.files import machine_errors
from assay.base.settings import load_settings
from assay.cli.render import Output, output_options
from assay.cm.index import shown
from assay.cm.library import open_library
from assay.cm.meta import has_meta, is_uid
from assay.cm.pull import pull as pull_from
from assay.cm.registry import Registry
from assay.cm.repository import Repository, create_repository
from assay.cm.verify import twins
from assay.cm.verify import verify as problems_of
from assay.errors import UsageError

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group(
    invoke_without_command=True,
    epilog="Examples:\n\n\b\n  assay repo\n  assay repo pull mlcommons@cm4mlperf-results\n"
    "  assay repo add ~/results\n  assay repo verify",
)
@click.pass_context
def repo(ctx: click.Context) -> None:
    """List, add, pull, make, remove and verify repositories in the CM format.

    Looked in are assay's local repository, those registered here, and those of CM when CM_REPOS is set; CM's own list
    is only read. A repository is named by its alias, uid or path.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_repos)


@repo.command("list", epilog="Examples:\n\n\b\n  assay repo list\n  assay repo list --json")
@output_options
def list_repos(out: Output) -> None:
    """List repositories in the order in which they are looked in."""
    settings = load_settings()
    library, registry = open_library(settings), Registry(settings)
    rows = [(each, len(library.find_in(each)), _origin(each, registry)) for each in library.repositories]
    if out.as_json:
        out.json(
            {
                "repositories": [
                    {**_document(each), "artifacts": count, "registered": how} for each, count, how in rows
                ],
                "broken": [{"path": str(each.path), "reason": each.reason} for each in library.broken],
            }
        )
        return
    for broken in library.broken:
        out.remark(shown(f"passed over: {broken.path}: {broken.reason}"))
    if not rows:
        out.text("There is no repository yet. Begin with: assay repo pull org@repo, or assay repo init")
        return
    out.table(
        ("alias", "uid", "artifacts", "registered", "path"),
        [(shown(each.alias), shown(each.uid), count, how, shown(str(each.path))) for each, count, how in rows],
        right=("artifacts",),
    )


@repo.command("add", epilog="Examples:\n\n\b\n  assay repo add ~/results\n  assay repo add . --json")
@click.argument("path", type=_FOLDER)
@output_options
def add(path: Path, out: Output) -> None:
    """Register a repository that is on this machine; nothing in it is changed."""
    repository = Registry(load_settings()).add(path.expanduser())
    _told("added", repository, out)


@repo.command(
    "init",
    epilog="Examples:\n\n\b\n  assay repo init ~/results --alias me@results\n"
    "  assay repo init --alias me@results --prefix data",
)
@click.argument("path", type=_FOLDER, default=Path(), required=False)
@click.option("--alias", required=True, help="Its name, such as organisation@name.")
@click.option("--uid", help="16 hex digits. [default: fresh ones]")
@click.option("--prefix", help="Sub-folder that holds the artifacts.")
@click.option("--desc", help="What it is for.")
@output_options
def init(path: Path, alias: str, uid: str | None, prefix: str | None, desc: str | None, out: Output) -> None:
    """Make a folder (by default, this one) a repository, and register it."""
    registry = Registry(load_settings())
    path = path.expanduser().absolute()
    if prefix and (Path(prefix).is_absolute() or ".." in Path(prefix).parts):
        raise UsageError(f"the prefix {prefix!r} leaves the repository", expected="a folder inside it, such as data")
    if uid is not None and not is_uid(uid):
        raise UsageError(f"{uid!r} cannot be a uid", expected="16 lower-case hex digits")
    if has_meta(path, "cmr"):
        raise UsageError("there is a repository already", where=path, hint=f"assay repo add {path}")
    fields = {key: value for key, value in (("prefix", prefix), ("desc", desc)) if value}
    repository = create_repository(path, alias, uid=uid, fields=fields)
    registry.add(repository.path)
    _told("made", repository, out)


@repo.command(
    "pull",
    epilog="Examples:\n\n\b\n  assay repo pull mlcommons@cm4mlperf-results\n"
    "  assay repo pull https://github.com/mlcommons/cm_inference_results.git --branch main\n"
    "  assay repo pull git@example.org:team/results.git --commit 0123abc",
)
@click.argument("source", metavar="URL|ORG@REPO|ALIAS")
@click.option("--branch", help="Branch to follow. [default: the origin's own]")
@click.option("--commit", help="Commit to stay at.")
@click.option("--name", help="Folder and alias to keep it under. [default: org@repo]")
@click.option("--desc", help="What it is for; kept here, not in the repository.")
@output_options
def pull(source: str, branch: str | None, commit: str | None, name: str | None, desc: str | None, out: Output) -> None:
    """Clone a repository, or bring a clone up to date; nothing changed here is ever thrown away.

    https, ssh and folders of this machine are understood. A repository without cmr.yaml gets none: its identity is
    kept with assay.
    """
    with out.progress() as progress:
        repository, pulled = pull_from(
            load_settings(), source, branch=branch, commit=commit, name=name, desc=desc, progress=progress
        )
    if out.as_json:
        out.json({**_document(repository), "before": pulled.before or None, "after": pulled.after})
        return
    if not pulled.before:
        what = f"cloned at {pulled.after[:12]}"
    elif pulled.before == pulled.after:
        what = f"up to date at {pulled.after[:12]}"
    else:
        what = f"{pulled.before[:12]} -> {pulled.after[:12]}"
    out.text(shown(f"{repository.alias}: {what}, {repository.path}"))


@repo.command(
    "remove",
    epilog="Examples:\n\n\b\n  assay repo remove me@results\n  assay repo remove me@results --files --dry-run\n"
    "  assay repo remove me@results --files --yes",
)
@click.argument("name", metavar="ALIAS|UID|PATH")
@click.option("--files", is_flag=True, help="Delete the folder, too.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@output_options
def remove(name: str, files: bool, yes: bool, dry_run: bool, out: Output) -> None:
    """Forget a repository; its files stay where they are unless --files is given."""
    settings = load_settings()
    library, registry = open_library(settings), Registry(settings)
    gone = [each.path for each in library.broken if str(each.path) == str(Path(name).expanduser().absolute())]
    path = gone[0] if gone else library.repository(name).path
    if path.resolve() == settings.local_repo.resolve():
        raise UsageError("the local repository cannot be removed", hint="assay remove AUTOMATION ARTIFACT")
    if not registry.owns(path):
        raise UsageError("the repository is in CM's list, which is only read", where=path, hint="cm rm repo")
    if files and not dry_run and not yes:
        _confirm(path, out)
    if not dry_run:
        registry.remove(path)
        if files and path.is_symlink():
            path.unlink()
        elif files and path.exists():
            with machine_errors(path):
                shutil.rmtree(path)
    if out.as_json:
        out.json({"path": str(path), "files": files, "dry_run": dry_run})
        return
    what = "delete" if files else "forget"
    out.text(shown(f"would {what} {path}" if dry_run else f"{'deleted' if files else 'forgot'} {path}"))


@repo.command(
    "verify", epilog="Examples:\n\n\b\n  assay repo verify\n  assay repo verify me@results\n  assay repo verify --json"
)
@click.argument("names", metavar="[ALIAS|UID|PATH]...", nargs=-1)
@output_options
def verify(names: tuple[str, ...], out: Output) -> int:
    """Tell everything that is wrong; exit code 1 when there is something.

    Metadata that cannot be read, names and tags that nobody can ask for, two of one name, wrong automations, bases
    that are missing or go in a circle, links that leave the tree, files that are too large.
    """
    library = open_library(load_settings())
    chosen = [library.repository(name) for name in names] or list(library.repositories)
    found = [(each.alias, problem) for each in chosen for problem in problems_of(library, each)]
    if not names:
        found += [("", problem) for problem in twins(library)]
    broken = [] if names else list(library.broken)
    if out.as_json:
        out.json(
            {
                "repositories": [_document(each) for each in chosen],
                "problems": [
                    {"repository": alias or None, "kind": each.kind, "where": each.where, "what": each.what}
                    for alias, each in found
                ],
                "broken": [{"path": str(each.path), "reason": each.reason} for each in broken],
            }
        )
        return 1 if found or broken else 0
    for each in broken:
        out.text(shown(f"{each.path}: missing or broken: {each.reason}"))
    for _, problem in found:
        out.text(shown(f"{problem.where}: {problem.kind}: {problem.what}"))
    count = len(found) + len(broken)
    plural = "repository" if len(chosen) == 1 else "repositories"
    out.remark(f"{len(chosen)} {plural}, {count or 'no'} {'problem' if count == 1 else 'problems'}")
    return 1 if count else 0


def _origin(repository: Repository, registry: Registry) -> str:
    settings = registry.settings
    if repository.path == settings.local_repo:
        return "local"
    return "here" if registry.owns(repository.path) else "CM"


def _document(repository: Repository) -> dict[str, object]:
    return {
        "alias": repository.alias,
        "uid": repository.uid,
        "path": str(repository.path),
        "prefix": repository.meta.get("prefix"),
        "desc": repository.meta.get("desc"),
    }


def _told(what: str, repository: Repository, out: Output) -> None:
    if out.as_json:
        out.json(_document(repository))
        return
    out.text(shown(f"{what} {repository.alias}, uid {repository.uid}, {repository.path}"))


def _confirm(path: Path, out: Output) -> None:
    """Ask before deleting.

    Raises:
        UsageError: when there is nobody to ask.
    """
    if out.as_json or not sys.stdin.isatty():
        raise UsageError(
            "there is nobody to ask whether to delete", expected="--yes, or --dry-run to see what it would be"
        )
    click.confirm(f"Delete {shown(str(path))} with everything in it?", abort=True, err=True)
