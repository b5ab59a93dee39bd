"""Pulling a repository: from an address to a registered clone, and from a clone to a newer one."""

from __future__ import annotations

from pathlib import Path

from assay.base.progress import SILENT, Progress
from assay.base.settings import Settings
from assay.cm.git import Pulled, Source, clone, is_clone, origin, update
from assay.cm.library import open_library
from assay.cm.meta import JsonObject, JsonValue, has_meta, new_uid
from assay.cm.names import check_alias
from assay.cm.registry import Registry
from assay.cm.repository import LOCAL_ALIAS, META, Repository
from assay.errors import NotFoundError, UsageError


def pull(
    settings: Settings,
    text: str,
    *,
    branch: str | None = None,
    commit: str | None = None,
    name: str | None = None,
    desc: str | None = None,
    progress: Progress = SILENT,
) -> tuple[Repository, Pulled]:
    """Clone and register a repository, or bring a clone up to date.

    Args:
        settings: where clones are kept.
        text: an address, ``org@repo``, or alias, uid or path of a registered clone.
        branch: what to follow; the origin's own unless given.
        commit: what to stay at.
        name: folder of the clone, and its alias when it has none of its own.
        desc: what it is for, kept beside the registry.
        progress: who is told.

    Raises:
        UsageError: for what is no address, a folder that is taken, or changes here that would be lost.
        NotFoundError: when the network is off, or nothing is at the address.
        MachineError: when it cannot be written.
    """
    registry = Registry(settings)
    known = _registered(settings, text) if name is None else None
    if known is not None:
        source = None
        target = known.path
    else:
        source = Source.parse(text)
        target = settings.repos_dir / check_alias(name or source.alias)
        if target.name.casefold() == LOCAL_ALIAS:
            raise UsageError("'local' is the local repository", expected="--name and another name")
    if target.exists():
        _require_same_origin(target, source)
        _require_network(settings, source or Source.parse(origin(target)))
        pulled = update(target, branch=branch, commit=commit, progress=progress)
    else:
        assert source is not None
        _require_network(settings, source)
        pulled = clone(source, target, branch=branch, commit=commit, progress=progress)
    return registry.add(target, _identity(registry, target, source, desc)), pulled


def _registered(settings: Settings, text: str) -> Repository | None:
    """The clone that a registered name means; None when it is an address."""
    try:
        found = open_library(settings).repository(text)
    except NotFoundError:
        return None
    if not is_clone(found.path):
        raise UsageError(
            f"{text!r} is registered and is no clone",
            where=found.path,
            hint="give an address and --name to clone another",
        )
    return found


def _require_same_origin(target: Path, source: Source | None) -> None:
    if not is_clone(target):
        raise UsageError("the folder is there and is no clone", where=target, expected="--name and another name")
    there = origin(target)
    if not there:
        raise NotFoundError("the clone has no origin", where=target, hint=f"git -C {target} remote add origin URL")
    if source is not None and _plain(there) != _plain(source.url):
        raise UsageError(
            "the folder holds a clone of something else", where=target, found=there, expected="--name and another name"
        )


def _plain(url: str) -> str:
    return url.removeprefix("file://").removesuffix("/").removesuffix(".git")


def _require_network(settings: Settings, source: Source) -> None:
    if settings.offline and not source.local:
        raise NotFoundError("the network is off (ASSAY_OFFLINE)", where=source.url, hint="unset ASSAY_OFFLINE")


def _identity(registry: Registry, target: Path, source: Source | None, desc: str | None) -> JsonObject | None:
    """What is kept here: a description; without ``cmr.yaml`` also alias and uid, as before or fresh ones."""
    known: dict[str, JsonValue] = dict(registry.identity(target))
    given: dict[str, JsonValue] = {"desc": desc} if desc else {}
    if has_meta(target, META):
        return {**known, **given} or None
    address: dict[str, JsonValue] = {"url": source.url} if source is not None else {}
    return {"alias": target.name, "uid": new_uid(), "git": True, **address, **known, **given}
