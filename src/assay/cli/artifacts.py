"""``assay find``, ``show``, ``add``, ``update``, ``copy``, ``move`` and ``remove``: artifacts of CM repositories."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import click

from assay.base.settings import load_settings
from assay.cli.artifact_options import address_of, parse_tags, repository_option, target_of
from assay.cli.artifact_view import entry_document, show_entries, show_entry, tell_broken
from assay.cli.render import Output, output_options
from assay.cm.artifact import Artifact, Automation
from assay.cm.edits import copy_to, move_to
from assay.cm.fields import conditions, parse_assignment, parse_key, with_value
from assay.cm.index import shown
from assay.cm.inherit import base_chain
from assay.cm.library import Entry, Library, open_library
from assay.cm.meta import JsonObject, read_json_meta
from assay.cm.names import Name, TagQuery
from assay.cm.repository import Repository
from assay.errors import AssayError, NotFoundError, UsageError, nearest

_SET = click.option("--set", "values", metavar="KEY=JSON", multiple=True, help="Set a field; a.b means b inside a.")
_YES = click.option("--yes", "-y", is_flag=True, help="Do not ask.")
_DRY = click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")


@click.command(
    epilog="Examples:\n\n\b\n  assay find experiment\n  assay find experiment --tags mlperf,v3.1,-power\n"
    "  assay find experiment 'mlperf-*--offline' --where division=closed\n  assay find '*' local: --json\n"
    '  assay find experiment --filter \'limits.ms < 20 and (goal == "latency" or tags contains "bert")\''
)
@click.argument("automation")
@click.argument("artifact", required=False, default="")
@click.option("--tags", default="", metavar="A,B,-C", help="With the tags A and B and without C.")
@click.option(
    "--where", metavar="KEY=JSON", multiple=True, help="By a field: =, !=, <, <=, > or >=; repeat for more of them."
)
@click.option("--filter", "expression", default="", metavar="EXPRESSION", help="By a condition over all fields.")
@click.option("--paths", is_flag=True, help="Print folders only, one a line.")
@repository_option
@output_options
def find(
    automation: str,
    artifact: str,
    tags: str,
    where: tuple[str, ...],
    expression: str,
    paths: bool,
    repository: str | None,
    out: Output,
) -> None:
    """Find artifacts of one kind in all repositories, by name, tags and fields.

    AUTOMATION is the kind, such as experiment or script. ARTIFACT is an alias (with * and ?), a uid, or
    repository:alias; a text with blanks or commas is taken for tags. Indexes are kept under $ASSAY_HOME/cache and
    checked against every file each time.
    """
    if " " in artifact or ("," in artifact and not _is_name(artifact)):
        artifact, tags = "", ",".join([*artifact.replace(",", " ").split(), *([tags] if tags else [])])
    test = conditions(where)
    library = open_library(load_settings())
    kind = Name.parse(automation)
    entries = library.find(
        kind,
        address_of(artifact, repository),
        TagQuery.parse(tags),
        (lambda each: test(each.meta)) if test is not None else None,
    )
    if expression.strip():
        entries = _filtered(entries, expression, library)
    if out.as_json:
        out.json([entry_document(entry) for entry in entries])
        return
    tell_broken(library, out)
    if paths:
        for entry in entries:
            out.text(str(entry.path))
        return
    show_entries(entries, out)
    if not entries:
        kinds = library.kinds()
        known = any(kind.fits(Name(alias=each)) for each in kinds) or not kind.alias
        close = [] if known else nearest(kind.alias, kinds)
        out.remark("nothing found" + (f"; there is {' and '.join(close)}" if close else ""))


@click.command(
    epilog="Examples:\n\n\b\n  assay show experiment bert-offline\n  assay show script local:mine --raw\n"
    "  assay show experiment a0a2d123ef064bcb --json"
)
@click.argument("automation")
@click.argument("artifact")
@click.option("--effective/--raw", default=True, help="With what it inherits (default), or as it lies on the disk.")
@repository_option
@output_options
def show(automation: str, artifact: str, effective: bool, repository: str | None, out: Output) -> None:
    """Show an artifact: where it lies, and all its fields, with those of its bases under them."""
    library = open_library(load_settings())
    entry = library.load(Name.parse(automation), address_of(artifact, repository))
    raw = entry.read()
    chain = base_chain(raw, library.lookup(entry.repository)) if effective else [raw]
    meta = library.effective(entry) if effective else raw.meta
    bases = [f"{each.automation.alias}::{each.alias or each.uid}" for each in chain[1:]]
    if out.as_json:
        out.json({**entry_document(entry), "bases": bases, "meta": dict(meta)})
        return
    show_entry(entry, meta, bases, out)


@click.command(
    epilog="Examples:\n\n\b\n  assay add experiment my-sweep --tags mlperf,mine --set goal=latency\n"
    "  assay add experiment org@results:first --meta meta.json\n"
    "  assay add thing,0123456789abcdef first --yaml"
)
@click.argument("automation")
@click.argument("artifact")
@click.option("--tags", default="", metavar="A,B", help="Its tags.")
@_SET
@click.option("--meta", "meta_file", type=click.Path(dir_okay=False, path_type=Path), help="A JSON file of fields.")
@click.option("--base", metavar="AUTOMATION::ARTIFACT", help="What it inherits from.")
@click.option("--uid", help="Its uid. [default: a fresh one]")
@click.option("--yaml", "as_yaml", is_flag=True, help="Write _cm.yaml rather than _cm.json.")
@repository_option
@output_options
def add(
    automation: str,
    artifact: str,
    tags: str,
    values: tuple[str, ...],
    meta_file: Path | None,
    base: str | None,
    uid: str | None,
    as_yaml: bool,
    repository: str | None,
    out: Output,
) -> None:
    """Add an artifact, to the local repository or to repository:alias.

    Values are JSON where they are JSON (15, true, [1], "15"), else text.
    """
    settings = load_settings()
    library = open_library(settings)
    kind = library.automation(automation)
    wanted, unwanted = parse_tags(tags)
    if unwanted:
        raise UsageError(f"a new artifact has no tag {unwanted[0]!r} to take away", expected="tags without a minus")
    target, alias = target_of(artifact, repository, library, settings)
    meta: JsonObject = read_json_meta(meta_file) if meta_file is not None else {}
    for text in values:
        meta = with_value(meta, *parse_assignment(text))
    if base is not None:
        meta = {**meta, "_base": base}
    with target.editing(home=settings.home) as edit:
        added = edit.add(kind, alias, tags=tuple(wanted), meta=meta, uid=uid, as_yaml=as_yaml)
    _told("added", Entry(target, added.path, added.name, added.automation, added.tags), out)


@click.command(
    epilog="Examples:\n\n\b\n  assay update experiment my-sweep --tags done,-running --set best.latency_ms=12.5\n"
    "  assay update experiment my-sweep --unset best.latency_ms"
)
@click.argument("automation")
@click.argument("artifact")
@click.option("--tags", default="", metavar="A,-B", help="Add the tag A, take B away.")
@_SET
@click.option("--unset", "gone", metavar="KEY", multiple=True, help="Take a field away.")
@repository_option
@output_options
def update(
    automation: str,
    artifact: str,
    tags: str,
    values: tuple[str, ...],
    gone: tuple[str, ...],
    repository: str | None,
    out: Output,
) -> None:
    """Change fields and tags of an artifact; whatever is not named stays as it is.

    A _cm.yaml stays YAML, with its comments; no _cm.json is put over it.
    """
    entry = _load(automation, artifact, repository)
    wanted, unwanted = parse_tags(tags)
    with entry.repository.editing() as edit:
        changed = edit.change(
            entry.read(),
            values=dict(map(parse_assignment, values)),
            gone=[parse_key(text) for text in gone],
            tags=wanted,
            no_tags=unwanted,
        )
    _told("updated", _entry_of(entry, changed), out)


@click.command(
    epilog="Examples:\n\n\b\n  assay copy experiment my-sweep my-sweep-2\n"
    "  assay copy experiment org@results:bert-offline local:bert"
)
@click.argument("automation")
@click.argument("artifact")
@click.argument("target", metavar="[REPO:]ALIAS")
@click.option("--uid", help="Uid of the copy. [default: a fresh one]")
@repository_option
@output_options
def copy(automation: str, artifact: str, target: str, uid: str | None, repository: str | None, out: Output) -> None:
    """Copy an artifact with all its files, in its repository or to another."""
    settings = load_settings()
    library = open_library(settings)
    entry = library.load(Name.parse(automation), address_of(artifact, repository))
    where, alias = target_of(target, None, library, settings, default=entry)
    copied = copy_to(entry, _kind_of(entry), where, alias, uid=uid, home=settings.home)
    _told("copied to", _entry_of(entry, copied, where), out)


@click.command(
    epilog="Examples:\n\n\b\n  assay move experiment my-sweep our-sweep\n  assay move experiment my-sweep org@results:"
)
@click.argument("automation")
@click.argument("artifact")
@click.argument("target", metavar="[REPO:]ALIAS")
@repository_option
@output_options
def move(automation: str, artifact: str, target: str, repository: str | None, out: Output) -> None:
    """Rename an artifact, or move it to another repository; it keeps its uid."""
    settings = load_settings()
    library = open_library(settings)
    entry = library.load(Name.parse(automation), address_of(artifact, repository))
    where, alias = target_of(target, None, library, settings, default=entry)
    moved = move_to(entry, _kind_of(entry), where, alias, home=settings.home)
    _told("moved to", _entry_of(entry, moved, where), out)


@click.command(
    epilog="Examples:\n\n\b\n  assay remove experiment my-sweep\n  assay remove experiment 'local:tmp-*' --dry-run\n"
    "  assay remove experiment my-sweep --yes"
)
@click.argument("automation")
@click.argument("artifacts", metavar="ARTIFACT...", nargs=-1, required=True)
@_YES
@_DRY
@repository_option
@output_options
def remove(
    automation: str, artifacts: tuple[str, ...], yes: bool, dry_run: bool, repository: str | None, out: Output
) -> None:
    """Delete artifacts with all their files; wildcards may name several."""
    library = open_library(load_settings())
    kind = Name.parse(automation)
    entries: dict[Path, Entry] = {}
    for text in artifacts:
        address = address_of(text, repository)
        if address.artifact == Name():
            raise UsageError("which artifacts?", expected="an alias, a uid, or * for all")
        several = "*" in address.artifact.alias or "?" in address.artifact.alias
        hits = library.find(kind, address) if several else [library.load(kind, address)]
        if not hits:
            raise NotFoundError(f"no {automation} is called {text!r}")
        entries.update({entry.path: entry for entry in hits})
    if not dry_run and not yes:
        _confirm(list(entries.values()), out)
    for entry in entries.values() if not dry_run else ():
        with entry.repository.editing() as edit:
            edit.remove(Artifact(entry.path, {}))
    if out.as_json:
        out.json({"removed": [entry_document(entry) for entry in entries.values()], "dry_run": dry_run})
        return
    for entry in entries.values():
        out.text(f"{'would remove' if dry_run else 'removed'} {shown(entry.address)}")


def _filtered(entries: list[Entry], expression: str, library: Library) -> list[Entry]:
    """The entries whose fields, inherited ones included, fulfil a condition; what cannot be read fulfils none."""
    from assay.cm.filters import fitting

    read: list[tuple[Entry, JsonObject]] = []
    for entry in entries:
        with contextlib.suppress(AssayError):
            read.append((entry, library.effective(entry)))
    answers = fitting(expression, [meta for _, meta in read])
    return [entry for (entry, _), fits in zip(read, answers, strict=True) if fits]


def _load(automation: str, artifact: str, repository: str | None) -> Entry:
    return open_library(load_settings()).load(Name.parse(automation), address_of(artifact, repository))


def _is_name(text: str) -> bool:
    try:
        Name.parse(text.rpartition(":")[2])
    except UsageError:
        return False
    return True


def _kind_of(entry: Entry) -> Automation:
    return Automation(entry.automation.alias, entry.automation.uid)


def _entry_of(entry: Entry, artifact: Artifact, repository: Repository | None = None) -> Entry:
    return Entry(repository or entry.repository, artifact.path, artifact.name, entry.automation, artifact.tags)


def _told(what: str, entry: Entry, out: Output) -> None:
    if out.as_json:
        out.json(entry_document(entry))
        return
    out.text(f"{what} {shown(entry.address)}, uid {shown(entry.name.uid)}")


def _confirm(entries: list[Entry], out: Output) -> None:
    """Ask before deleting.

    Raises:
        UsageError: when there is nobody to ask.
    """
    if out.as_json or not sys.stdin.isatty():
        raise UsageError(
            "there is nobody to ask whether to delete", expected="--yes, or --dry-run to see what it would be"
        )
    for entry in entries:
        out.remark(f"{shown(entry.address)}  {shown(str(entry.path))}")
    count = f"{len(entries)} {'artifact' if len(entries) == 1 else 'artifacts'}"
    click.confirm(f"Delete {count} with all files?", abort=True, err=True)
