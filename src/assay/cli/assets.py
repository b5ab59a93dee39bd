"""``assay assets``: models and datasets on this machine."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from assay.assets.catalogue import Catalogue, load_catalogue
from assay.assets.manifest import Asset, HttpsSource, Kind, PackageSource, Source
from assay.assets.store import AssetStore, State
from assay.base.settings import Settings, load_settings
from assay.base.units import format_count, format_size
from assay.cli.render import Output, output_options
from assay.errors import InvalidInputError, NotFoundError

_KINDS = click.Choice([kind.value for kind in Kind])


@click.group(
    invoke_without_command=True,
    epilog="Examples:\n\n\b\n  assay assets\n  assay assets fetch mobilenet-v2 imagenet-foolbox-20\n"
    "  assay assets add imagenet2012 --path /data/imagenet\n  assay assets verify",
)
@click.pass_context
def assets(ctx: click.Context) -> None:
    """List, fetch, register, verify and remove models and datasets."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_assets)


@assets.command("list", epilog="Examples:\n\n\b\n  assay assets list\n  assay assets list --kind model --json")
@click.option("--kind", type=_KINDS, help="Only models, weights or datasets.")
@click.option("--task", help="Only those of one task, such as image-classification.")
@output_options
def list_assets(out: Output, kind: str | None = None, task: str | None = None) -> None:
    """List what is known, and where each stands on this machine."""
    catalogue, store = _open()
    chosen = [a for a in catalogue.all() if (kind is None or a.kind == kind) and (task is None or a.task == task)]
    if out.as_json:
        out.json([_as_dict(asset, store) for asset in chosen])
        return
    out.table(
        ("asset", "kind", "task", "size", "state", "labels", "title"),
        [
            (
                a.name,
                a.kind.value,
                a.task,
                format_size(a.size) if a.size else "",
                store.state(a.name).value,
                ", ".join(a.labels),
                a.title,
            )
            for a in chosen
        ],
        right=("size",),
    )


@assets.command("show", epilog="Examples:\n\n\b\n  assay assets show resnet50")
@click.argument("name")
@output_options
def show_asset(name: str, out: Output) -> None:
    """Show everything about one asset: sources, checksum, licence, recipe, where it lies."""
    catalogue, store = _open()
    asset = catalogue.get(name)
    if out.as_json:
        out.json(_as_dict(asset, store))
        return
    located = store.locate(asset.name)
    rows: list[tuple[str, object]] = [
        ("asset", asset.name),
        ("title", asset.title),
        ("kind, task", f"{asset.kind.value}, {asset.task}"),
        ("state", store.state(asset.name).value),
        ("path", located.path if located else "-"),
        ("size", format_size(asset.size) if asset.size else "not known"),
        ("sha256", asset.sha256 or (located.sha256 if located else "not published")),
    ]
    rows += [("source", source_text(source)) for source in asset.sources]
    rows += [("samples", format_count(asset.count))] if asset.count else []
    rows += [
        ("licence", asset.licence),
        ("citation", asset.citation),
        ("labels", ", ".join(asset.labels) or "none"),
    ]
    if asset.model is not None:
        rows += [("benchmark", asset.model.benchmark), ("dataset", asset.model.dataset or "none: speed only")]
        rows += [(f"recipe {key}", value) for key, value in asset.model.recipe.items()]
    out.fields([*rows, ("note", asset.note)])


@assets.command(
    "fetch",
    epilog="Examples:\n\n\b\n  assay assets fetch mobilenet-v2 imagenet-foolbox-20\n  assay assets fetch resnet50 --dry-run",
)
@click.argument("names", nargs=-1, required=True)
@click.option("--offline", is_flag=True, help="Do not use the network; say what is missing.")
@click.option("--dry-run", is_flag=True, help="Say what would be fetched, and fetch nothing.")
@output_options
def fetch_assets(names: tuple[str, ...], offline: bool, dry_run: bool, out: Output) -> None:
    """Fetch assets without running anything; a model that is built here is built too."""
    settings = load_settings()
    catalogue, store = _open(dataclasses.replace(settings, offline=settings.offline or offline))
    wanted = [catalogue.get(name) for name in names]
    plan = store.plan([asset.name for asset in wanted])
    unknown = [asset.name for asset in plan.missing if not asset.size]
    size = format_size(plan.total_bytes) + (f" and {len(unknown)} of unpublished size" if unknown else "")
    total = f"{len(plan.missing)} to fetch, {size}" if plan.missing else "nothing to fetch"
    out.remark(total + (f": {', '.join(asset.name for asset in plan.missing)}" if plan.missing else ""))
    if dry_run:
        if out.as_json:
            out.json({"fetch": [asset.name for asset in plan.missing], "bytes": plan.total_bytes})
        return
    found: list[dict[str, object]] = []
    with out.progress() as progress:
        # onnx takes a moment to import, and only models that are built need it.
        from assay.models.build import materialise

        for asset in wanted:
            located = materialise(store, asset, progress=progress)
            found.append(
                {
                    "name": asset.name,
                    "path": str(located.path),
                    "sha256": located.sha256,
                    "bytes": located.size,
                    "source": located.source,
                }
            )
    if out.as_json:
        out.json(found)
        return
    out.table(
        ("asset", "size", "source", "path"),
        [(f["name"], format_size(int(str(f["bytes"]))), f["source"], f["path"]) for f in found],
        right=("size",),
    )


@assets.command(
    "add",
    epilog="Examples:\n\n\b\n  assay assets add imagenet2012 --path /data/imagenet/val\n"
    "  assay assets add resnet50 --path ~/resnet50_v1.onnx\n  assay assets add coco2017 --path /data/coco-100 --partial",
)
@click.argument("name")
@click.option(
    "--path",
    type=click.Path(path_type=Path),
    required=True,
    help="Your file or folder; it is used where it lies.",
)
@click.option(
    "--partial",
    is_flag=True,
    help="Allow fewer samples than the dataset has; every figure taken with it is labelled partial-dataset.",
)
@output_options
def add_asset(name: str, path: Path, out: Output, partial: bool = False) -> None:
    """Register a file or folder of your own for an asset; its checksum or layout is checked."""
    _, store = _open()
    located = store.register(name, path, partial=partial)
    if out.as_json:
        found = {"name": name, "path": str(located.path), "sha256": located.sha256}
        out.json({**found, "samples": located.samples, "labels": list(located.labels)})
        return
    out.text(f"{name} is {located.path}, {format_size(located.size)}; it is never copied or fetched again")
    if located.labels:
        out.remark(f"only {located.samples:,} samples: every figure taken with it is labelled {located.labels[0]}")


@assets.command(
    "verify",
    epilog="Examples:\n\n\b\n  assay assets verify\n  assay assets verify mobilenet-v2-weights --json",
)
@click.argument("names", nargs=-1)
@output_options
def verify_assets(names: tuple[str, ...], out: Output) -> int:
    """Hash what is on this machine again; all of it when no name is given. Exit code 1 when something has changed."""
    catalogue, store = _open()
    chosen = [catalogue.get(name).name for name in names] or [
        asset.name for asset in catalogue.all() if store.state(asset.name) in (State.PRESENT, State.REGISTERED)
    ]
    rows: list[tuple[str, str, str]] = []
    with out.progress() as progress:
        step = progress.start("verify", total=len(chosen), unit="assets")
        for name in chosen:
            try:
                rows.append((name, "intact", store.verify(name).sha256))
            except (InvalidInputError, NotFoundError) as error:
                rows.append((name, "CHANGED" if isinstance(error, InvalidInputError) else "missing", str(error)))
            step.advance()
        step.finish()
    if out.as_json:
        out.json([{"name": name, "state": state.lower(), "detail": detail} for name, state, detail in rows])
    elif rows:
        out.table(("asset", "state", "sha256"), rows)
    else:
        out.remark("nothing has been fetched or registered yet")
    return 0 if all(state == "intact" for _, state, _ in rows) else 1


@assets.command(
    "remove",
    epilog="Examples:\n\n\b\n  assay assets remove imagenet-foolbox-20\n  assay assets remove resnet50 --dry-run",
)
@click.argument("names", nargs=-1, required=True)
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
@output_options
def remove_assets(names: tuple[str, ...], dry_run: bool, out: Output) -> None:
    """Forget assets and free their space; files that you registered are left where they are."""
    catalogue, store = _open()
    freed: dict[str, int] = {}
    for name in [catalogue.get(name).name for name in names]:
        located = store.locate(name)
        own = located is not None and store.state(name) is State.REGISTERED
        freed[name] = 0 if located is None or own else located.size
        if not dry_run:
            store.remove(name)
    if out.as_json:
        out.json({"freed_bytes": freed, "dry_run": dry_run})
        return
    for name, size in freed.items():
        out.text(f"{name}: {'would free' if dry_run else 'freed'} {format_size(size)}")


def source_text(source: Source) -> str:
    """A source for a person."""
    if isinstance(source, HttpsSource):
        return ", then ".join(source.urls)
    if isinstance(source, PackageSource):
        kind = {"package": "the wheel of", "npm": "npm package", "debian": "Debian package"}[source.type]
        inner = f"{', '.join(source.unzip)} of " if source.unzip else ""
        return f"{inner}{', '.join(source.files)} in {kind} {source.package} {source.version}"
    if source.type == "local":
        return f"you: {getattr(source, 'instructions', '')}"
    return f"built here: {getattr(source, 'architecture', '')} from {getattr(source, 'weights', None) or 'a seed'}"


def _open(settings: Settings | None = None) -> tuple[Catalogue, AssetStore]:
    settings = settings or load_settings()
    catalogue = load_catalogue(settings)
    return catalogue, AssetStore(settings, catalogue)


def _as_dict(asset: Asset, store: AssetStore) -> dict[str, object]:
    located = store.locate(asset.name)
    return {
        "name": asset.name,
        "kind": asset.kind.value,
        "task": asset.task,
        "title": asset.title,
        "size": asset.size,
        "sha256": asset.sha256,
        "state": store.state(asset.name).value,
        "path": str(located.path) if located else None,
        "licence": asset.licence,
        "citation": asset.citation,
        "note": asset.note,
        "labels": list(asset.labels),
        "count": asset.count,
        "sources": [dataclasses.asdict(source) for source in asset.sources],
        "model": dataclasses.asdict(asset.model) if asset.model else None,
    }
